import { setTimeout as sleep } from 'node:timers/promises'
import type { Prng } from '../../src/lib/prng.ts'
import type { TestBroker } from '../helpers/broker.ts'
import type { ChaosCluster } from './cluster.ts'

/** What a fault has to work with. */
export interface FaultWorld {
  readonly cluster: ChaosCluster
  readonly random: Prng
}

/** Does it, holds it, and heals it; resolves to what it did, when that is over. */
export type Fault = (world: FaultWorld) => Promise<string>

/** Longer than a broker's session (9 s) in the longest, so that it is fenced; shorter in most. */
const stoppedMsMax = 14_000
const downMsMax = 4_000

/** Those that need nothing but processes and signals. */
export const processFaults = {
  'kill-one': async ({ cluster, random }) => {
    const id = random.below(cluster.brokers.length)
    return await killed(cluster, random, [id])
  },
  'kill-leader': async ({ cluster, random }) => {
    const { leader } = await somePartition(cluster, random)
    return await killed(cluster, random, [leader])
  },
  'kill-leader-and-controller': async ({ cluster, random }) => {
    const { controllerId } = await cluster.facts()
    return await killed(cluster, random, [controllerId])
  },
  'kill-leader-beside-controller': async ({ cluster, random }) => {
    const { controllerId } = await cluster.facts()
    const { leader } = await somePartition(cluster, random)
    return await killed(cluster, random, [...new Set([leader, controllerId])])
  },
  'kill-all': async ({ cluster, random }) => {
    return await killed(cluster, random, [...cluster.brokers.keys()])
  },
  'term-one': async ({ cluster, random }) => {
    const id = random.below(cluster.brokers.length)
    // One that has not ended after half a minute is killed: that is slow, and no broken word.
    const isClean = await cluster.brokers[id]!.stop().then(
      () => true,
      () => false,
    )
    await sleep(random.below(downMsMax))
    await cluster.brokers[id]!.start()
    return `SIGTERM to broker ${id}${isClean ? '' : ', which did not end cleanly'}`
  },
  'stop-follower': async ({ cluster, random }) => {
    const { controllerId } = await cluster.facts()
    const { leader, replicas } = await somePartition(cluster, random)
    const followers = replicas.filter(id => id !== leader && id !== controllerId)
    return await stopped(cluster, random, followers[0] ?? leader)
  },
  'stop-leader-and-controller': async ({ cluster, random }) => {
    return await stopped(cluster, random, (await cluster.facts()).controllerId)
  },
} satisfies Readonly<Record<string, Fault>>

/** A partition that is led now. */
async function somePartition(cluster: ChaosCluster, random: Prng) {
  for (;;) {
    const { partitions } = await cluster.facts()
    const led = partitions.filter(({ leader }) => leader !== -1)
    if (led.length > 0) return random.pick(led)
    await sleep(100)
  }
}

async function killed(
  { brokers }: ChaosCluster,
  random: Prng,
  ids: readonly number[],
): Promise<string> {
  const them = ids.map(id => brokers[id]!)
  await Promise.all(them.map(broker => broker.kill()))
  await sleep(random.below(downMsMax))
  await Promise.all(them.map(broker => broker.start()))
  return `SIGKILL to ${ids.join(', ')}`
}

async function stopped({ brokers }: ChaosCluster, random: Prng, id: number): Promise<string> {
  const stoppedMs = random.below(stoppedMsMax)
  await whileStopped(brokers[id]!, () => sleep(stoppedMs))
  return `SIGSTOP of broker ${id} for ${stoppedMs} ms`
}

async function whileStopped({ pid }: TestBroker, act: () => Promise<void>): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  try {
    await act()
  } finally {
    process.kill(pid, 'SIGCONT')
  }
}
