import type { Clock } from '../../env/env.ts'
import type { Partition } from '../partition/partition.ts'

export interface Parking {
  readonly clock: Clock
  readonly watched: readonly Partition[]
  readonly waitMs: number
  /** Bytes that must become readable before it is worth to look again. */
  readonly bytesMissing: number
  /** Registers what to do when the client goes away, and when the broker stops. */
  onClosed(act: () => void): void
  onStopping(act: () => void): void
}

/**
 * Parks a fetch. Resolves when the missing bytes became readable, when something else changed on a watched
 * partition (leader, deletion, failure: it wakes with 0 bytes), when the wait is over (G30), or when the broker stops,
 * which otherwise took as long as the most patient of its readers waits.
 */
export function parkUntil(parking: Parking): Promise<void> {
  return new Promise(resolve => {
    let missing = parking.bytesMissing
    const leave = (): void => {
      timer.cancel()
      for (const stop of stops) stop()
      resolve()
    }
    const wake = (bytes: number): void => {
      missing -= bytes
      if (bytes === 0 || missing <= 0) leave()
    }
    const timer = parking.clock.after(parking.waitMs, leave)
    const stops = parking.watched.map(partition => partition.watch(wake))
    parking.onClosed(leave)
    parking.onStopping(leave)
  })
}
