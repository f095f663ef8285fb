import type { Reader } from '../../insight/readers.ts'
import type { Partition } from '../../partition/partition.ts'
import type { PartitionReadResult } from '../../partition/requests.ts'
import type { ErrorName } from '../../wire/errors.ts'
import type { Wish } from './sessions/wish.ts'

/** A wish that was looked at. */
export interface Found<Of extends Wish = Wish> {
  readonly wish: Of
  /** Null where there is none to ask. */
  readonly partition: Partition | null
  /** Null where nothing was read. */
  readonly reader: Reader | null
  readonly result: FoundResult
}

/** What a read gave. */
export interface FoundResult extends PartitionReadResult {
  /** There are records, which the reader is not given for now (KIP-73). */
  readonly isWithheld?: boolean
}

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
