import type { StallNumbers } from './host.ts'

/** What a directory tells of itself. */
export interface DirectoryNumbers extends StallNumbers {
  readonly unflushedBytes: number
  readonly unflushedAgeMs: number
  /** Bytes that no write-back has finished with. */
  readonly dirtyBytes: number
  readonly isOverDirtyBudget: boolean
  readonly hasFailed: boolean
  /** Logs that were set aside, by this run or an earlier one. */
  readonly strayLogs: number
}
