import type { Heard } from './replica/cut-off.ts'
import type { AlterWish } from './replica/replica.ts'

/** What partitions need of the brokers around them. `Of`: a partition, as it is told of. */
export interface Peers<Of> {
  /** `replica.lag.time.max.ms`. */
  readonly lagTimeMaxMs: number
  readonly heard: Heard
  /** Its leader wants another in-sync set; the outcome is for `altered`. */
  alter(partition: Of, wish: AlterWish): void
  /** Whom it follows, and whether, may be another one now. */
  followingChanged(partition: Of): void
  /** The in-sync set of what is led here has `by` members more, or fewer. */
  inSyncChanged(by: number): void
  /** Records that had been committed were cut, from `offset` to the high watermark: their leader was elected without them. */
  committedCut(partition: Of, cut: CommittedCut): void
}

export interface CommittedCut {
  readonly offset: number
  readonly highWatermark: number
}

/** Around a broker that is the only one. */
export const nobody: Peers<unknown> = {
  lagTimeMaxMs: Infinity,
  heard: { controllerMs: Infinity, followerMs: () => -Infinity },
  alter: () => {},
  followingChanged: () => {},
  inSyncChanged: () => {},
  committedCut: () => {},
}
