import type { ErrorName } from '../../wire/errors.ts'
import type { AppendOrigin } from '../batch/batch.ts'
import type { RecordFault } from '../batch/validate.ts'

export interface AppendOptions {
  readonly leaderEpoch: number
  /** Replicas append what a leader decided: offsets, epochs and timestamps are taken as they are. */
  readonly origin: AppendOrigin
  /** False where the client's version of Produce knows no zstd (KIP-110); true where left out. */
  readonly allowsZstd?: boolean
}

export type AppendResult =
  | {
      readonly ok: true
      /** The batch was appended before (G21); offsets and timestamp are the original's. */
      readonly duplicate: boolean
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
