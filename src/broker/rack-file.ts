import { sleep, type Clock } from '../env/clock.ts'
import { readWhole } from '../env/disk.ts'
import { DiskError, type Disk } from '../env/env.ts'
import { fromUtf8 } from '../lib/bytes.ts'

export interface RackFileOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly path: string
  /** Why nothing goes on, as a sentence. */
  readonly onWait: (message: string) => void
  /** Nobody wants to know any more. */
  readonly isGone: () => boolean
}

const pollMs = 250

/**
 * The rack that a file tells, once it does: replicas are placed once, and by what brokers said when they came, so one that does
 * not know its rack yet must not come (KIP-36). Rejects where nobody wants to know any more.
 */
export async function rackFromFile(options: RackFileOptions): Promise<string> {
  const { disk, clock, path, onWait, isGone } = options
  for (let turn = 0; ; turn++) {
    const rack = lineOf(disk, path)
    if (rack !== '') return rack
    if (turn === 0) onWait(`Waits for its rack, which is to come in ${path}.`)
    await sleep(clock, pollMs)
    if (isGone()) throw new Error('the broker was stopped while it waited for its rack')
  }
}

function lineOf(disk: Disk, path: string): string {
  try {
    return fromUtf8(readWhole(disk, path) ?? new Uint8Array()).trim()
  } catch (error) {
    // Being written, or not readable.
    if (error instanceof TypeError || error instanceof DiskError) return ''
    throw error
  }
}
