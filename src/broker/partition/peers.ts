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
}

/** Around a broker that is the only one. */
export const nobody: Peers<unknown> = {
  lagTimeMaxMs: Infinity,
  heard: { controllerMs: Infinity, followerMs: () => -Infinity },
  alter: () => {},
  followingChanged: () => {},
}
