import type { Backoff } from '../wire/client/backoff.ts'
import type { FollowedPartition } from './followed-partition.ts'

/**
 * Where a partition stands with its fetcher. `ready`: it is asked for. `appending`: what came is being written. `busy`: its
 * log is being cut, or the leader asked for its range. `delayed`: after an error. `held`: by the throttle, or for want of room. `gone`: it
 * follows this leader no longer, and the session has still to forget it.
 */
export type FollowedState = 'ready' | 'appending' | 'busy' | 'delayed' | 'held' | 'gone'

/** One partition of a fetcher: its row of the request, and what became of the answers. Only `FetcherState` writes it. */
export class Followed {
  partition: FollowedPartition
  /** In which it follows, as its fetcher was told last. */
  leaderEpoch = -1
  state: FollowedState = 'gone'
  /** Another one each time that the partition comes or goes: what was begun before does not count any more. */
  generation = 0
  /** The leader's session has it as `row` says. */
  isInSession = false
  /** Partitions of full requests stand in the order of their turns; who got records gets the last one. */
  turn = 0
  /** Monotonic milliseconds, where it is delayed. */
  dueMs = 0
  backoff: Backoff | null = null
  /** Its end had reached the leader's watermark when it was told one. */
  isInSync = false
  /** The leader's watermark as it was told last; -1 before. */
  highWatermark = -1
  /** Monotonic milliseconds since which its end is below the leader's watermark; null where it is not. */
  behindSinceMs: number | null = null
  /** What is asked for, as it was sent last: one object for all requests. */
  readonly row = {
    partition: 0,
    currentLeaderEpoch: -1,
    fetchOffset: -1,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
    partitionMaxBytes: 0,
  }

  constructor(partition: FollowedPartition) {
    this.partition = partition
    this.row.partition = partition.id.partition
  }

  /** The row says from here on what is wanted now. */
  ask(partitionMaxBytes: number): void {
    const { partition, row } = this
    const { offset, lastFetchedEpoch } = partition.fetchPosition
    row.currentLeaderEpoch = partition.following?.leaderEpoch ?? -1
    row.fetchOffset = offset
    row.lastFetchedEpoch = lastFetchedEpoch
    row.logStartOffset = partition.extent?.startOffset ?? -1
    row.partitionMaxBytes = partitionMaxBytes
  }

  /** An answer to the row is one to what is wanted now. */
  get isAsAsked(): boolean {
    const { partition, row } = this
    return (
      partition.following?.leaderEpoch === row.currentLeaderEpoch &&
      partition.fetchPosition.offset === row.fetchOffset
    )
  }

  /** The log stands where it was asked for, and a request would say the same again. */
  get isWhereAsked(): boolean {
    const { partition, row } = this
    return this.isAsAsked && partition.fetchPosition.lastFetchedEpoch === row.lastFetchedEpoch
  }

  /** Something else is wanted than the row says. */
  get hasMoved(): boolean {
    const { extent } = this.partition
    return !this.isAsAsked || (extent !== null && extent.startOffset !== this.row.logStartOffset)
  }
}
