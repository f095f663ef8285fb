import type { Clock } from '../../../env/env.ts'
import type { Partition } from '../../partition/partition.ts'
import type { ReplicationThrottle } from '../../throttle/replication-throttle.ts'

/** What followers are sent, and how fast those that are not in sync (KIP-73): the leader's side. */
export class FollowerTraffic {
  readonly #clock: Clock
  readonly #throttle: ReplicationThrottle
  /** By the follower, since the start of the process. */
  readonly #bytes = new Map<number, number>()

  constructor(clock: Clock, throttle: ReplicationThrottle) {
    this.#clock = clock
    this.#throttle = throttle
  }

  /** Bytes of records that each follower was sent. */
  sentBytes(): ReadonlyMap<number, number> {
    return this.#bytes
  }

  /** The follower is answered without records of the partition for now. Where it stands counts all the same. */
  withholds({ id, role }: Partition, brokerId: number): boolean {
    if (!this.#throttle.isListed(id) || role?.isr.includes(brokerId) === true) return false
    return this.#throttle.isExceeded(this.#clock.monotonic())
  }

  sent({ id }: Partition, brokerId: number, bytes: number): void {
    this.#bytes.set(brokerId, (this.#bytes.get(brokerId) ?? 0) + bytes)
    if (this.#throttle.isListed(id)) this.#throttle.record(bytes, this.#clock.monotonic())
  }
}
