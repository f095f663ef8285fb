import type { Uuid } from '../../lib/uuid.ts'
import type { ErrorName } from '../wire/errors.ts'

/** A partition of this broker as its fetcher sees it: where its log ends, and what to do with what its leader tells. */
export interface FollowedPartition {
  readonly id: { readonly topicId: Uuid; readonly topic: string; readonly partition: number }
  /** Whom the replica follows, and in which epoch; null where it leads, nobody does, or its log is being cut or not in service. */
  readonly following: { readonly leader: number; readonly leaderEpoch: number } | null
  readonly fetchPosition: FetchPosition
  readonly extent: { readonly startOffset: number } | null
  /**
   * Appends what the leader sent, and takes over its watermark and start. `done` is called once, maybe at once; until
   * then `records` stay as they are. Nothing is done where the replica follows in another epoch by now.
   */
  appendFetched(records: Uint8Array, told: Told, done: (result: FetchedResult) => void): void
  /**
   * The leader's log parts from ours at the end of an epoch (R4, I-13): cuts, and resolves when it is cut. `leaderEpoch`,
   * here and below: the one that the leader was asked for; nothing is done where the replica follows in another by now
   * (R3). @throws DiskError
   */
  truncate(
    diverging: { readonly epoch: number; readonly endOffset: number },
    leaderEpoch: number,
  ): Promise<void>
  /** The leader does not have our end (I-16): cuts, or begins anew, or goes on. @throws DiskError */
  leaveRange(
    leader: { readonly startOffset: number; readonly endOffset: number },
    leaderEpoch: number,
  ): Promise<void>
}

/** Where a follower reads on. */
export interface FetchPosition {
  /** The end of what is written. */
  readonly offset: number
  /** Epoch of the record before it; -1 where there is none. */
  readonly lastFetchedEpoch: number
}

/** What a leader says beside the records. */
export interface Told {
  /** The epoch that the fetch was sent for: records of a higher one are not taken (I-15). */
  readonly leaderEpoch: number
  /** And the offset: the log must still end there. */
  readonly fetchOffset: number
  readonly highWatermark: number
  readonly logStartOffset: number
}

export type FetchedResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly error: ErrorName; readonly message: string }
