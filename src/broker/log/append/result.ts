import type { ErrorName } from '../../wire/errors.ts'
import type { AppendOrigin } from '../batch/batch.ts'
import type { RecordFault } from '../batch/validate.ts'

export interface AppendOptions {
  readonly leaderEpoch: number
  /**
   * Replicas append what a leader decided: offsets, epochs and timestamps are taken as they are. What comes is the answer
   * of a fetch: batches one after the other, the last of which may be cut short and is left out then.
   */
  readonly origin: AppendOrigin
  /**
   * Of a replica's: the epoch of the leader that it follows. A batch of a later epoch is left out, with all behind it: another
   * leader wrote it, and the one that is followed may not have it for long (I-15). No limit where left out.
   */
  readonly leaderEpochMax?: number
  /**
   * Of a replica's: the offset that was asked for, which must still be the log's end. Offsets may be missing behind it, where
   * the leader's log was compacted. Left out, a log that is not compacted must go on without a gap.
   */
  readonly fetchOffset?: number | undefined
  /**
   * Asked when the append has its turn, which may be later: why nothing of it is to be written by then, or null. Left out,
   * there is nobody to ask.
   */
  readonly refusalNow?: () => Refusal | null
  /** False where the client's version of Produce knows no zstd (KIP-110); true where left out. */
  readonly allowsZstd?: boolean
  /** Where nothing is known of the producer, this one has to come first (`UnwrittenBatches`); any where null or left out. */
  readonly awaitedSequence?: number | null
}

export type AppendResult =
  | {
      readonly ok: true
      /** The batch was appended before (G21); offsets and timestamp are the original's. */
      readonly duplicate: boolean
      /** Of a replica's append of which nothing was left, `baseOffset` and `lastOffset` are those before the log's end. */
      readonly baseOffset: number
      readonly lastOffset: number
      /** -1 for CreateTime. */
      readonly logAppendTimeMs: number
      readonly logStartOffset: number
    }
  | {
      readonly ok: false
      readonly error: ErrorName
      readonly message: string
      readonly recordErrors: readonly RecordFault[]
      /** -1 where the log was not asked. */
      readonly logStartOffset: number
    }

export type Done = (result: AppendResult) => void

/** Why an append is not taken. */
export interface Refusal {
  readonly error: ErrorName
  readonly message: string
  readonly recordErrors?: readonly RecordFault[]
  /** As `BatchRefusal.beforeLog`. */
  readonly beforeLog?: boolean
}
