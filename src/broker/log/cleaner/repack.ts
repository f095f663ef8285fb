import { addInt64, concat, type Int64 } from '../../../lib/bytes.ts'
import type { Crc32c } from '../../../lib/crc32c.ts'
import {
  codecOf,
  encodeBatch,
  hasDeleteHorizon,
  hasLogAppendTime,
  isControl,
  isTransactional,
  readTimestamps,
  type BatchHeader,
} from '../batch/batch.ts'
import { RecordCursor, retimedRecord } from '../batch/records.ts'
import type { CodecId } from '../compression/codec-id.ts'
import { doCodecWork } from '../compression/codec-work.ts'

/** The records of a batch that stay. */
export interface KeptRecords {
  readonly count: number
  /** Where they lie in the payload, those that touch as one. */
  readonly ranges: readonly (readonly [from: number, to: number])[]
  /** The greatest timestamp of them, after the batch's base. */
  readonly maxTimestampDelta: Int64
}

/** A batch as it lies: whole, and opened. */
export interface OpenBatch {
  readonly header: BatchHeader
  /** The batch is at `at`. */
  readonly bytes: Uint8Array
  readonly at: number
  /** Decompressed. */
  readonly payload: Uint8Array
}

/**
 * The batch with some of its records. Offsets, sequences and epochs are what they were, the first and last offset
 * too, so that a reader finds its place and a producer is known; the timestamps of the records are as well. `horizonMs`: when its
 * tombstones may go, null where it has none that must be told; it takes the place of the base timestamp (KIP-534).
 */
export function repack(
  { header, bytes, at, payload }: OpenBatch,
  kept: KeptRecords,
  { horizonMs, crc32c }: { readonly horizonMs: number | null; readonly crc32c: Crc32c },
): Uint8Array {
  const { baseTimestamp, maxTimestamp } = readTimestamps(bytes, at)
  const parts =
    horizonMs === null
      ? kept.ranges.map(([from, to]) => payload.subarray(from, to))
      : retimed({ payload, count: header.count }, kept, addInt64(baseTimestamp, negated(horizonMs)))
  const records = concat(parts)
  const codec = codecOf(header) as CodecId
  const packed = codec === 0 ? records : doCodecWork({ kind: 'make', codec, bytes: records })
  const latest = addInt64(baseTimestamp, kept.maxTimestampDelta)
  return encodeBatch({
    ...sameOf(header),
    records: { codec, bytes: packed, count: kept.count },
    baseTimestamp: horizonMs ?? baseTimestamp,
    maxTimestamp: hasLogAppendTime(header) ? maxTimestamp : latest,
    deleteHorizon: horizonMs !== null || hasDeleteHorizon(header),
    crc32c,
  })
}

/** The batch without its records: what is left to know of it are its offsets, its producer and its greatest timestamp. */
export function emptied({ header, bytes, at }: OpenBatch, crc32c: Crc32c): Uint8Array {
  return encodeBatch({
    ...sameOf(header),
    records: { codec: 0, bytes: new Uint8Array(0), count: 0 },
    baseTimestamp: -1,
    maxTimestamp: readTimestamps(bytes, at).maxTimestamp,
    crc32c,
  })
}

function sameOf(header: BatchHeader) {
  return {
    baseOffset: header.baseOffset,
    leaderEpoch: header.leaderEpoch,
    lastOffsetDelta: header.lastOffsetDelta,
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    baseSequence: header.baseSequence,
    logAppendTime: hasLogAppendTime(header),
    transactional: isTransactional(header),
    control: isControl(header),
  }
}

/** The kept records one by one, each with `by` more in its timestamp delta: the base moved. */
function retimed(
  { payload, count }: { readonly payload: Uint8Array; readonly count: number },
  { ranges }: KeptRecords,
  by: Int64,
): Uint8Array[] {
  const parts: Uint8Array[] = []
  const cursor = new RecordCursor(payload, count)
  let at = 0
  while (at < ranges.length && cursor.next()) {
    while (at < ranges.length && ranges[at]![1] <= cursor.startAt) at++
    const [from, to] = ranges[at] ?? [Infinity, Infinity]
    if (cursor.startAt < from || cursor.endAt > to) continue
    parts.push(retimedRecord(payload, cursor, addInt64(cursor.exactTimestampDelta, by)))
  }
  return parts
}

function negated(value: number): number {
  return -value
}
