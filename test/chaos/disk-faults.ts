import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LoopDisk } from '../crash/loop-disk.ts'
import { stopped } from '../helpers/stopped.ts'
import type { Fault } from './faults.ts'

const fullMsMax = 10_000

/** A small file system of its own under the data of one broker, which then believes the boot id that a file names. */
export interface SmallDisk {
  /** Whose it is. */
  readonly id: number
  readonly disk: LoopDisk
  readonly bootIdFile: string
}

export function diskFaults({ id, disk, bootIdFile }: SmallDisk): Readonly<Record<string, Fault>> {
  let boots = 0
  return {
    // One machine at a time: what it lost has to be copied again before another one may lose anything.
    'power-loss': async ({ cluster, random }) => {
      const broker = cluster.brokers[id]!
      await cluster.whole()
      // What has no power learns nothing of it: a broker that ran on would see its disk fail.
      await stopped([broker.pid])
      await disk.cutPower(random.chance(2, 3) ? 2 : 1)
      await broker.kill()
      await disk.unmount()
      await disk.mount()
      writeFileSync(bootIdFile, `boot-${++boots + 1}`)
      await broker.start()
      await cluster.whole()
      return `power loss of broker ${id}`
    },
    'full-disk': async ({ random }) => {
      const fullMs = random.below(fullMsMax)
      const path = join(disk.mountPoint, 'filling')
      fill(path)
      await sleep(fullMs)
      rmSync(path)
      return `disk of broker ${id} full for ${fullMs} ms`
    },
  }
}

/** Until not a byte more goes there. */
function fill(path: string): void {
  const file = openSync(path, 'w')
  try {
    for (let bytes = Buffer.alloc(1 << 20); bytes.length > 0;) {
      try {
        writeSync(file, bytes)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        bytes = bytes.subarray(0, Math.floor(bytes.length / 2))
      }
    }
  } finally {
    closeSync(file)
  }
}
