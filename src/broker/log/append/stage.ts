import type { BatchHeader } from '../batch/batch.ts'
import type { Undo } from '../producers/states.ts'
import type { EpochEntry } from '../state/epoch-cache.ts'
import type { Done } from './result.ts'

/** One append that has its offsets and waits for a write. */
export interface Stage {
  readonly bytes: Uint8Array
  readonly headers: readonly BatchHeader[]
  readonly roll: Roll | null
  /** What is taken back if the write fails. */
  readonly undos: readonly Undo[]
  readonly epochsBefore: readonly EpochEntry[]
  readonly result: {
    readonly baseOffset: number
    readonly lastOffset: number
    readonly logAppendTimeMs: number
    readonly duplicate: boolean
  }
  readonly done: Done
}

/** A new segment begins before the stage; the snapshot is of everything below it. */
export interface Roll {
  readonly baseOffset: number
  readonly snapshot: Uint8Array
}
