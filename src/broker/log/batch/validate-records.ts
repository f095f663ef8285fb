import type { CodecId } from '../compression/codec-id.ts'
import { DecompressError, outputBytesMaxFor, type Codecs } from '../compression/codecs.ts'
import { addInt64, type Int64 } from '../../../lib/bytes.ts'
import { batchOverheadBytes, codecOf, readTimestamps, type BatchHeader } from './batch.ts'
import { RecordCursor, RecordError } from './records.ts'
import {
  isOutOfBounds,
  refuse,
  timestampMessage,
  type BatchRefusal,
  type BatchRules,
  type RecordFault,
} from './rules.ts'

export type RecordsVerdict = RecordsAccepted | BatchRefusal

interface RecordsAccepted {
  readonly ok: true
  /** The greatest timestamp of the records, at least -1. */
  readonly greatestMs: Int64
}

/** The greatest timestamp of a batch whose records have this one as their greatest delta; at least -1, as in Kafka. */
export function greatestTimestamp(records: Uint8Array, greatestDeltaMs: Int64): Int64 {
  const greatestMs = addInt64(readTimestamps(records, 0).baseTimestamp, greatestDeltaMs)
  return greatestMs > -1 ? greatestMs : -1
}

/**
 * Judges what only the records tell: that they parse, that their deltas are 0 to n-1, that each has a key where
 * the topic is compacted, and a timestamp that the topic takes (G19). `header` is what `validateBatch` accepted;
 * `records` stays as it is until the promise is settled. Rejects only where an invariant broke.
 */
export async function validateRecords(
  header: BatchHeader,
  records: Uint8Array,
  codecs: Codecs,
  rules: BatchRules,
): Promise<RecordsVerdict> {
  try {
    const payload = await openPayload(header, records, codecs)
    try {
      return await judgeRecords({ header, records, payload }, codecs, rules)
    } finally {
      if (codecOf(header) !== 0) codecs.discard(payload)
    }
  } catch (error) {
    if (error instanceof DecompressError) return refuse('INVALID_RECORD', error.message)
    if (error instanceof RecordError) {
      return refuse('INVALID_RECORD', error.message)
    }
    throw error
  }
}

/**
 * The records of a batch, decompressed where they are compressed; else a view of `records`.
 * @throws DecompressError
 */
export async function openPayload(
  header: BatchHeader,
  records: Uint8Array,
  codecs: Codecs,
): Promise<Uint8Array> {
  const packed = records.subarray(batchOverheadBytes, header.sizeBytes)
  const codec = codecOf(header)
  if (codec === 0) return packed
  return codecs.decompress(codec as CodecId, packed, outputBytesMaxFor(packed.length))
}

interface OpenBatch {
  readonly header: BatchHeader
  readonly records: Uint8Array
  readonly payload: Uint8Array
}

async function judgeRecords(
  { header, records, payload }: OpenBatch,
  codecs: Codecs,
  rules: BatchRules,
): Promise<RecordsVerdict> {
  const faults: Faults = { records: [], count: 0, timestamps: 0 }
  const cursor = new RecordCursor(payload, header.count)
  let greatestDeltaMs: Int64 = -Infinity
  while (cursor.next()) {
    if (cursor.exactTimestampDelta > greatestDeltaMs) greatestDeltaMs = cursor.exactTimestampDelta
    judgeRecord(header, cursor, rules, faults)
    if (cursor.index % recordsPerTurn === recordsPerTurn - 1) await codecs.turn()
  }
  if (faults.count === 0) {
    return { ok: true, greatestMs: greatestTimestamp(records, greatestDeltaMs) }
  }
  const error = faults.timestamps > 0 ? 'INVALID_TIMESTAMP' : 'INVALID_RECORD'
  const first = faults.records[0]!
  const message =
    `${faults.count} of the ${header.count} records cannot be taken, so none was. ` +
    `Record ${first.index}: ${first.message}`
  return refuse(error, message, faults.records)
}

function judgeRecord(
  header: BatchHeader,
  cursor: RecordCursor,
  rules: BatchRules,
  faults: Faults,
): void {
  const { index, offsetDelta } = cursor
  const timestampMs = header.baseTimestamp + cursor.timestampDelta
  if (offsetDelta !== index) {
    addFault(faults, index, `Its offset delta is ${offsetDelta}, not ${index}.`)
  } else if (rules.compacted && cursor.keyBytes < 0) {
    addFault(faults, index, 'It has no key, and the topic is compacted. Give every record a key.')
  } else if (isOutOfBounds(timestampMs, rules)) {
    faults.timestamps++
    addFault(faults, index, timestampMessage('Its timestamp', timestampMs, rules))
  }
}

function addFault(faults: Faults, index: number, message: string): void {
  if (faults.count++ < recordErrorsMax) faults.records.push({ index, message })
}

interface Faults {
  readonly records: RecordFault[]
  count: number
  timestamps: number
}

/** A million bad records are not told one by one. */
const recordErrorsMax = 1_000
/** About a millisecond of work; then others have their turn. */
const recordsPerTurn = 16_384
