import type { Uuid } from '../../lib/uuid.ts'
import type { ControllerError } from './controller/commands.ts'

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
  /** It is committed: this is the state. */
  | {
      readonly kind: 'changed'
      readonly leader: number
      readonly leaderEpoch: number
      readonly partitionEpoch: number
      readonly isr: readonly number[]
      readonly isRecovering: boolean
    }
  /** Certain: nothing of it happened, or will. */
  | { readonly kind: 'refused'; readonly error: ControllerError }
  /** It may have happened, or may still: only a later state of the partition tells. */
  | { readonly kind: 'unknown' }
