import type { Int64 } from './bytes.ts'

/**
 * What the records of an uncompressed batch tell without being opened one by one: whether they parse, how many there
 * are, and what a broker must know of them before it appends (LogValidator's rules). Never throws, whatever the bytes.
 */
export interface RecordWalk {
  /** Records that parse, from the first on. */
  readonly count: number
  /**
   * They are all that there is: no record that does not parse, nothing left over. Each has the length that it says,
   * its key, value and headers lie within it, and no number is longer than its type.
   */
  readonly isWhole: boolean
  /** The first of them whose offset delta is not its place, 0 to `count` - 1; -1 where there is none. */
  readonly misplacedAt: number
  /** The first of them whose key is null, or -1. */
  readonly keylessAt: number
  /** The least and the greatest timestamp, in milliseconds after the batch's base; 0 where there is no record. */
  readonly minTimestampDelta: Int64
  readonly maxTimestampDelta: Int64
}

/**
 * Walks `bytes[from, to)`, what stands behind a batch's header, in one pass. The addon's version copies nothing and
 * costs a small part of the CRC of the same bytes; the portable one is `log/batch/record-walk.ts`.
 */
export type WalkRecords = (bytes: Uint8Array, from?: number, to?: number) => RecordWalk
