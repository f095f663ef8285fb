import type { PartitionRole } from './role.ts'

/** A member of an in-sync set as a leader proposes it: the broker, and the start of it that has the records. */
export interface IsrMember {
  readonly brokerId: number
  readonly brokerEpoch: number
}

/** What became of a proposal. Only what the controller itself said is anything but unknown (durability.md R7). */
export type AlterOutcome =
  | {
      readonly kind: 'committed'
      readonly leaderEpoch: number
      readonly partitionEpoch: number
      /** Broker ids. */
      readonly isr: readonly number[]
      readonly isRecovering: boolean
    }
  /** The controller refused it: nothing of it happened. `error` is Kafka's name. */
  | { readonly kind: 'rejected'; readonly error: string }
  /** The answer was lost or did not come: it may have been committed, and may still be. */
  | { readonly kind: 'unknown' }

/** What a fetch of a follower says of its log. */
export interface FollowerFetch extends IsrMember {
  /** Where its log ends: everything below is there. */
  readonly fetchOffset: number
  /** Where its log begins, -1 where it does not tell. */
  readonly logStartOffset: number
}

/** Times are milliseconds of the monotonic clock. */
export type ReplicaEvent =
  /** The metadata log told a role; older partition epochs are ignored (I-10). */
  | { readonly type: 'role'; readonly role: PartitionRole; readonly nowMs: number }
  /** The log was opened: where it begins, and up to where it counts. */
  | { readonly type: 'opened'; readonly startOffset: number; readonly endOffset: number }
  /** The local log ends at `endOffset`, in the sense of the flush policy. */
  | { readonly type: 'written'; readonly endOffset: number }
  /** A follower of our epoch asks for more; the range is there, and its log does not part from ours. */
  | ({ readonly type: 'fetched'; readonly nowMs: number } & FollowerFetch)
  /** Time went on. To be told a few times within `replica.lag.time.max.ms`. */
  | { readonly type: 'tick'; readonly nowMs: number }
  /** What became of the change that was proposed at `partitionEpoch`. */
  | { readonly type: 'altered'; readonly partitionEpoch: number; readonly outcome: AlterOutcome }
  /** What the leader of `leaderEpoch` told, after its records were written. */
  | { readonly type: 'received'; readonly leaderEpoch: number; readonly highWatermark: number }
  /** The leader of `leaderEpoch` has something else in our last epoch, or does not have our end. */
  | { readonly type: 'parted'; readonly leaderEpoch: number; readonly parting: Parting }
  /** The log was cut, or begun anew. */
  | { readonly type: 'truncated'; readonly startOffset: number; readonly endOffset: number }
  /** Somebody waits until everything below `offset` is committed. */
  | { readonly type: 'await'; readonly id: number; readonly offset: number }
  /** He does not wait any longer. */
  | { readonly type: 'forget'; readonly id: number }

/** An epoch and where its records end. */
export interface EpochEnd {
  readonly epoch: number
  readonly endOffset: number
}

export type Parting =
  /** The leader's largest epoch that is not above ours, and its end there; and what our log has of it (KIP-595). */
  | { readonly kind: 'diverging'; readonly leader: EpochEnd; readonly own: EpochEnd }
  /** What the leader has, where it does not have our end (I-16). */
  | { readonly kind: 'outOfRange'; readonly startOffset: number; readonly endOffset: number }

export type ReplicaEffect =
  /** We lead from here on: the log notes the epoch at its end, data or not (I-14). */
  | { readonly type: 'lead'; readonly leaderEpoch: number }
  | { readonly type: 'follow'; readonly leader: number; readonly leaderEpoch: number }
  | { readonly type: 'watermark'; readonly highWatermark: number }
  | { readonly type: 'committed'; readonly id: number }
  | { readonly type: 'refused'; readonly id: number; readonly error: RefusalName }
  /** The controller is to be asked for another in-sync set. One at a time: none before `altered`, or a newer role. */
  | ({ readonly type: 'alter' } & AlterWish)
  /** Whatever is at `offset` or above goes. */
  | { readonly type: 'truncate'; readonly offset: number }
  /** Everything goes, and the log begins at `offset`, which is behind its end. */
  | { readonly type: 'beginAt'; readonly offset: number }

/** The in-sync set that a leader wants, and the state that it was made for. */
export interface AlterWish {
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly isr: readonly IsrMember[]
  readonly isRecovering: boolean
}

export type RefusalName =
  | 'NOT_LEADER_OR_FOLLOWER'
  | 'NOT_ENOUGH_REPLICAS'
  | 'NOT_ENOUGH_REPLICAS_AFTER_APPEND'
