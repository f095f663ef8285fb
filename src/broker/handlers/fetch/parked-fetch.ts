import type { Clock } from '../../../env/env.ts'
import type { PartitionWatcher } from '../../partition/requests.ts'

export interface Parking {
  readonly clock: Clock
  readonly waitMs: number
  /** Bytes that must become readable before it is worth to look again. */
  readonly bytesMissing: number
  /** Tells `watcher` the news of all that is waited for, until the function is called that this gives. */
  watch(watcher: PartitionWatcher): () => void
  /** Registers what to do when the client goes away, and when the broker stops. */
  onClosed(act: () => void): void
  onStopping(act: () => void): void
}

/**
 * Parks a fetch. Resolves when the missing bytes became readable, when something else changed on a watched
 * partition (leader, deletion, failure, or a watermark that moved by nobody knows what), when the wait is over (G30), or
 * when the broker stops, which otherwise took as long as the most patient of its readers waits.
 */
export function parkUntil(parking: Parking): Promise<void> {
  return new Promise(resolve => {
    let missing = parking.bytesMissing
    const leave = (): void => {
      timer.cancel()
      stop()
      resolve()
    }
    const timer = parking.clock.after(parking.waitMs, leave)
    const stop = parking.watch({
      grew: bytes => {
        missing -= bytes
        if (bytes === 0 || missing <= 0) leave()
      },
      changed: leave,
      startMoved: () => {},
    })
    parking.onClosed(leave)
    parking.onStopping(leave)
  })
}
