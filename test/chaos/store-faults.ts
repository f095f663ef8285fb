import { renameSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Etcd } from '../helpers/etcd.ts'
import type { Fault, FaultWorld } from './faults.ts'

/** Longer than the lease of the controller (10 s) in the longest. */
const awayMsMax = 20_000

/** The folder that brokers share is gone for a while, and comes back as it was. */
export const folderFaults: Readonly<Record<string, Fault>> = {
  'store-folder-gone': world => {
    const { metadataDir } = world.cluster
    const away = `${metadataDir}.away`
    return whileAway(world, {
      take: () => Promise.resolve(renameSync(metadataDir, away)),
      giveBack: () => Promise.resolve(renameSync(away, metadataDir)),
    })
  },
}

export function etcdFaults(etcd: Etcd): Readonly<Record<string, Fault>> {
  return {
    'store-paused': world => {
      return whileAway(world, {
        take: () => etcd.pause(),
        giveBack: () => Promise.resolve(etcd.goOn()),
      })
    },
    'store-killed': world => {
      return whileAway(world, { take: () => etcd.kill(), giveBack: () => etcd.start() })
    },
  }
}

interface Store {
  readonly take: () => Promise<void>
  readonly giveBack: () => Promise<void>
}

/** Now and then a broker is killed meanwhile, whose place nobody can take before the store is back. */
async function whileAway(
  { cluster, random }: FaultWorld,
  { take, giveBack }: Store,
): Promise<string> {
  const awayMs = random.below(awayMsMax)
  const id = random.chance(1, 3) ? random.below(cluster.brokers.length) : null
  await take()
  await sleep(awayMs / 2)
  if (id !== null) await cluster.brokers[id]!.kill()
  await sleep(awayMs / 2)
  await giveBack()
  if (id !== null) await cluster.brokers[id]!.start()
  return `away for ${awayMs} ms${id === null ? '' : `, broker ${id} killed meanwhile`}`
}
