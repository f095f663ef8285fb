import type { Uuid } from '../../lib/uuid.ts'
import type { ErrorName } from '../wire/errors.ts'

/** What a leader wants the state of a partition to be (AlterPartition, KIP-497). */
export interface PartitionChange {
  readonly topicId: Uuid
  readonly index: number
  /** Of the state that is changed: another one there, and nothing happens. */
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  /** With the epochs of the starts whose fetches the leader counted (KIP-903). */
  readonly isr: readonly { readonly brokerId: number; readonly brokerEpoch: number }[]
  readonly isRecovering: boolean
}

export type PartitionChangeOutcome =
  /** This is the state of the partition now. */
  | {
      readonly kind: 'committed'
      readonly leaderEpoch: number
      readonly partitionEpoch: number
      /** Broker ids. */
      readonly isr: readonly number[]
      readonly isRecovering: boolean
    }
  /** The controller said so: nothing of it happened, or will. */
  | { readonly kind: 'rejected'; readonly error: ErrorName }
  /** It may have happened, or may still: only a later state of the partition tells. */
  | { readonly kind: 'unknown' }
