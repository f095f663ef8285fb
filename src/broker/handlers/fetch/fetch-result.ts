import type { FileRange } from '../../../env/env.ts'
import type { Partition } from '../../partition/partition.ts'
import type { PartitionReadResult } from '../../partition/requests.ts'
import type { ErrorName } from '../../wire/errors.ts'
import type { Wish } from './sessions/wish.ts'

/** A wish that was looked at, with what its answer carries. */
export interface Found<Of extends Wish = Wish> {
  readonly wish: Of
  /** Null where there is none to ask. */
  readonly partition: Partition | null
  readonly result: PartitionReadResult
  readonly records: FileRange | Uint8Array
}

export const noRecords = new Uint8Array(0)

/** Nothing was read, because of `error`. */
export function unread(error: ErrorName): PartitionReadResult {
  return {
    error,
    highWatermark: -1,
    logStartOffset: -1,
    readableOffset: -1,
    range: null,
    diverging: null,
  }
}
