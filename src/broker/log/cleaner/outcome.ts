/** The log cannot be cleaned as it is: it is set aside, and the others go on. */
export class Uncleanable extends Error {
  override readonly name = 'Uncleanable'
}

/** Somebody wants the log, or what is to be cleaned is there no more: nothing is wrong. */
export class CleaningAborted extends Error {
  override readonly name = 'CleaningAborted'
}

/** The thread in which compaction works ended; another one may do. */
export class LaneError extends Error {
  override readonly name = 'LaneError'
}

/** What a cleaning did. */
export interface CleaningNumbers {
  readBytes: number
  writtenBytes: number
  /** Of batches that were made anew. */
  copiedBytes: number
  readRecords: number
  keptRecords: number
  /** Share of the key map that was used, 0 to 1. */
  keyMapUtilization: number
}
