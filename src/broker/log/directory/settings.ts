import type { LogCleanerSettings } from '../cleaner/log-cleaner.ts'

/** The broker's settings that concern a directory; their defaults are in the table of `config/`. */
export interface LogDirectorySettings extends LogCleanerSettings {
  readonly logDirtyBudgetBytes: number
  readonly logWriteBackBytes: number
  readonly hotWindowBytes: number
  readonly numRecoveryThreadsPerDataDir: number
  /** What a start after a crash may have to walk below the recovery point. No setting leads here. */
  readonly growthStepBytes?: number
  /** Size of the file that is given up where the disk is full; 0 for none. No setting leads here. */
  readonly ballastBytes?: number
}
