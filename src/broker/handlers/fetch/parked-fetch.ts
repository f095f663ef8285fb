import type { Clock } from '../../../env/env.ts'
import type { PartitionWatcher } from '../../partition/requests.ts'

export interface Parking {
  readonly clock: Clock
  readonly waitMs: number
  /** Bytes that must become readable before it is worth to look again. */
  readonly bytesMissing: number
  /** Tells `watcher` the news of all that is waited for, until the function is called that this gives. */
  watch(watcher: PartitionWatcher): () => void
  /** Takes what ends the parking from outside. */
  endsBy(end: () => void): void
}

/** What to do after a fetch was parked: to look whether there is enough now, or to answer with whatever there is. */
export type Woken = 'look' | 'answer'

/**
 * Parks a fetch. `look` when the missing bytes became readable, or nobody knows how many did; `answer` when something else
 * changed on a watched partition (leader, deletion, failure), when the wait is over (G30), or when it is ended from outside.
 */
export function parkUntil(parking: Parking): Promise<Woken> {
  return new Promise(resolve => {
    let missing = parking.bytesMissing
    const leave = (woken: Woken): void => {
      timer.cancel()
      stop()
      resolve(woken)
    }
    const answer = (): void => leave('answer')
    const timer = parking.clock.after(parking.waitMs, answer)
    const stop = parking.watch({
      grew: bytes => {
        missing -= bytes
        if (bytes === 0 || missing <= 0) leave('look')
      },
      changed: answer,
      startMoved: () => {},
    })
    parking.endsBy(answer)
  })
}
