import { assert } from '../../../lib/assert.ts'
import {
  addInt64,
  readInt16,
  readInt32,
  readInt64,
  readInt64Exact,
  readUint32,
  writeInt16,
  writeInt32,
  writeInt64,
  writeInt64Exact,
  type Int64,
} from '../../../lib/bytes.ts'
import { crc32c as portableCrc32c, type Crc32c } from '../../../lib/crc32c.ts'
import { encodeRecords, type RecordInput } from './records.ts'

/*
 * The front door of the room: record batches as bytes, format 2 (G17), the only one. A header is read as numbers and
 * believed in nothing before `validate.ts` judged it; what the leader decides is stamped in place; records are opened
 * only where a topic's rules ask for it. Whatever the bytes are, reading them throws nothing but what is documented.
 */

/** Record batch: header of 61 bytes, then the records, compressed or not. */
export const batchOverheadBytes = 61
/** Base offset and length field: what stands before the bytes that the length field counts. */
export const batchPrefixBytes = 12
export const batchMagic = 2

/** Where the fields lie. Everything from `attributes` on is under the CRC; what stands before is the broker's. */
const fieldAt = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
} as const

const codecMask = 0x07
const logAppendTimeBit = 0x08
const transactionalBit = 0x10
const controlBit = 0x20
const deleteHorizonBit = 0x40
const definedAttributes =
  codecMask | logAppendTimeBit | transactionalBit | controlBit | deleteHorizonBit

/**
 * A batch's header as numbers. 64-bit values outside the safe range come rounded to the nearest, which keeps their
 * order. `readTimestamps` gives timestamps without loss; whatever else is outside, `validateBatch` refuses.
 */
export interface BatchHeader {
  readonly baseOffset: number
  /** The whole batch: 12 + its length field. Not checked: may be anything from 12 - 2^31 on. */
  readonly sizeBytes: number
  readonly leaderEpoch: number
  readonly magic: number
  readonly crc: number
  readonly attributes: number
  readonly lastOffsetDelta: number
  /** Milliseconds since 1970, or -1 for none. */
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  /** -1 where the producer is not idempotent. */
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly count: number
}

/** Who appends: only a client's batches are judged, the others were decided elsewhere. */
export type AppendOrigin = 'client' | 'coordinator' | 'replica'

/** Reads the 61 bytes at `at`, believing nothing. The caller made sure that they are there. */
export function readBatchHeader(bytes: Uint8Array, at: number): BatchHeader {
  assert(at + batchOverheadBytes <= bytes.length, 'a batch header has 61 bytes')
  return {
    baseOffset: readInt64(bytes, at + fieldAt.baseOffset),
    sizeBytes: batchPrefixBytes + readInt32(bytes, at + fieldAt.length),
    leaderEpoch: readInt32(bytes, at + fieldAt.leaderEpoch),
    magic: (bytes[at + fieldAt.magic]! << 24) >> 24,
    crc: readUint32(bytes, at + fieldAt.crc),
    attributes: readInt16(bytes, at + fieldAt.attributes),
    lastOffsetDelta: readInt32(bytes, at + fieldAt.lastOffsetDelta),
    baseTimestamp: readInt64(bytes, at + fieldAt.baseTimestamp),
    maxTimestamp: readInt64(bytes, at + fieldAt.maxTimestamp),
    producerId: readInt64(bytes, at + fieldAt.producerId),
    producerEpoch: readInt16(bytes, at + fieldAt.producerEpoch),
    baseSequence: readInt32(bytes, at + fieldAt.baseSequence),
    count: readInt32(bytes, at + fieldAt.count),
  }
}

/** The two timestamps of the batch at `at`, without loss: nanoseconds since 1970, for one, are not safe numbers. */
export function readTimestamps(
  bytes: Uint8Array,
  at: number,
): { readonly baseTimestamp: Int64; readonly maxTimestamp: Int64 } {
  return {
    baseTimestamp: readInt64Exact(bytes, at + fieldAt.baseTimestamp),
    maxTimestamp: readInt64Exact(bytes, at + fieldAt.maxTimestamp),
  }
}

/**
 * The length in bytes that the batch at `at` gives itself, as `BatchHeader.sizeBytes`; not checked. The caller made
 * sure that its header is there.
 */
export function readBatchSize(bytes: Uint8Array, at: number): number {
  assert(at + batchOverheadBytes <= bytes.length, 'a batch header has 61 bytes')
  return batchPrefixBytes + readInt32(bytes, at + fieldAt.length)
}

/** The codec's number in the attributes, 0 to 7; above 4 nothing is defined. */
export function codecOf(header: BatchHeader): number {
  return header.attributes & codecMask
}

export function hasLogAppendTime(header: BatchHeader): boolean {
  return (header.attributes & logAppendTimeBit) !== 0
}

export function isTransactional(header: BatchHeader): boolean {
  return (header.attributes & transactionalBit) !== 0
}

export function isControl(header: BatchHeader): boolean {
  return (header.attributes & controlBit) !== 0
}

/** True where baseTimestamp holds the time from which compaction may drop the batch's tombstones (KIP-534). */
export function hasDeleteHorizon(header: BatchHeader): boolean {
  return (header.attributes & deleteHorizonBit) !== 0
}

export function lastOffset(header: BatchHeader): number {
  return header.baseOffset + header.lastOffsetDelta
}

/** The sequence of the batch's last record; sequences go from 2^31-1 to 0 (G22). */
export function lastSequence(header: BatchHeader): number {
  return sequenceAfter(header.baseSequence, header.lastOffsetDelta)
}

/** `sequence + by`, wrapped from 2^31-1 to 0. Both are in [0, 2^31). */
export function sequenceAfter(sequence: number, by: number): number {
  const sum = sequence + by
  return sum > 0x7fff_ffff ? sum - 0x8000_0000 : sum
}

/** Writes what the leader decides, in place. Both fields lie outside the CRC. */
export function stampBatch(
  bytes: Uint8Array,
  at: number,
  baseOffset: number,
  leaderEpoch: number,
): void {
  writeInt64(bytes, at + fieldAt.baseOffset, baseOffset)
  writeInt32(bytes, at + fieldAt.leaderEpoch, leaderEpoch)
}

/**
 * Makes a batch of a LogAppendTime topic: timestamp type, without bits that mean nothing, and maxTimestamp in place,
 * then a new CRC, because
 * these two are under it. The records keep their deltas; readers take the time from the header. Returns what of the
 * header is another now.
 */
export function stampAppendTime(
  bytes: Uint8Array,
  at: number,
  timestampMs: number,
  crc32c: Crc32c,
): Pick<BatchHeader, 'attributes' | 'maxTimestamp' | 'crc'> {
  const end = at + batchPrefixBytes + readInt32(bytes, at + fieldAt.length)
  assert(end - at >= batchOverheadBytes && end <= bytes.length, 'a stamped batch is whole')
  const attributes =
    (readInt16(bytes, at + fieldAt.attributes) & definedAttributes) | logAppendTimeBit
  writeInt16(bytes, at + fieldAt.attributes, attributes)
  writeInt64(bytes, at + fieldAt.maxTimestamp, timestampMs)
  const crc = crc32c(bytes, at + fieldAt.attributes, end)
  writeInt32(bytes, at + fieldAt.crc, crc)
  return { attributes, maxTimestamp: timestampMs, crc }
}

/** Mends the batch's greatest timestamp in place, then its CRC. Returns what of the header is another now. */
export function mendMaxTimestamp(
  bytes: Uint8Array,
  timestampMs: Int64,
  crc32c: Crc32c,
): Pick<BatchHeader, 'maxTimestamp' | 'crc'> {
  writeInt64Exact(bytes, fieldAt.maxTimestamp, timestampMs)
  const crc = crc32c(bytes, fieldAt.attributes, bytes.length)
  writeInt32(bytes, fieldAt.crc, crc)
  return { maxTimestamp: Number(timestampMs), crc }
}

/** True where the batch lies whole in `bytes` and its CRC is right. `header` is what `readBatchHeader` gave. */
export function checkCrc(
  bytes: Uint8Array,
  at: number,
  header: BatchHeader,
  crc32c: Crc32c,
): boolean {
  const end = at + header.sizeBytes
  if (header.sizeBytes < batchOverheadBytes || end > bytes.length) return false
  return crc32c(bytes, at + fieldAt.attributes, end) === header.crc
}

/** What the records of a batch are, as bytes: for the caller that compressed them, or wants them wrong. */
interface BatchPayload {
  readonly codec: number
  readonly bytes: Uint8Array
  readonly count: number
}

export interface BatchInput {
  readonly records: readonly RecordInput[] | BatchPayload
  readonly baseOffset?: number
  readonly leaderEpoch?: number
  readonly baseTimestamp?: Int64
  /** By default the greatest of the records' timestamps; `baseTimestamp` for a payload. */
  readonly maxTimestamp?: Int64
  /** By default the last record's delta; `count - 1` for a payload. */
  readonly lastOffsetDelta?: number
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly logAppendTime?: boolean
  readonly transactional?: boolean
  readonly control?: boolean
  /** `baseTimestamp` is the delete horizon. */
  readonly deleteHorizon?: boolean
  readonly crc32c?: Crc32c
}

/** A valid batch, as a client would send it where nothing else is said: for coordinators, tools and tests. */
export function encodeBatch(input: BatchInput): Uint8Array {
  const { records, baseTimestamp = 0, crc32c = portableCrc32c } = input
  const payload =
    'bytes' in records
      ? records
      : { codec: 0, bytes: encodeRecords(records), count: records.length }
  const batch = new Uint8Array(batchOverheadBytes + payload.bytes.length)
  batch.set(payload.bytes, batchOverheadBytes)
  stampBatch(batch, 0, input.baseOffset ?? 0, input.leaderEpoch ?? -1)
  writeInt32(batch, fieldAt.length, batch.length - batchPrefixBytes)
  batch[fieldAt.magic] = batchMagic
  writeInt16(batch, fieldAt.attributes, attributesOf(payload.codec, input))
  writeInt32(batch, fieldAt.lastOffsetDelta, input.lastOffsetDelta ?? lastDelta(records))
  writeInt64Exact(batch, fieldAt.baseTimestamp, baseTimestamp)
  const maxTimestamp = addInt64(baseTimestamp, greatestTimestampDelta(records))
  writeInt64Exact(batch, fieldAt.maxTimestamp, input.maxTimestamp ?? maxTimestamp)
  writeInt64(batch, fieldAt.producerId, input.producerId ?? -1)
  writeInt16(batch, fieldAt.producerEpoch, input.producerEpoch ?? -1)
  writeInt32(batch, fieldAt.baseSequence, input.baseSequence ?? -1)
  writeInt32(batch, fieldAt.count, payload.count)
  writeInt32(batch, fieldAt.crc, crc32c(batch, fieldAt.attributes, batch.length))
  return batch
}

function attributesOf(codec: number, input: BatchInput): number {
  return (
    codec |
    (input.logAppendTime ? logAppendTimeBit : 0) |
    (input.transactional ? transactionalBit : 0) |
    (input.control ? controlBit : 0) |
    (input.deleteHorizon ? deleteHorizonBit : 0)
  )
}

function lastDelta(records: BatchInput['records']): number {
  if ('bytes' in records) return records.count - 1
  return records.at(-1)?.offsetDelta ?? records.length - 1
}

function greatestTimestampDelta(records: BatchInput['records']): number {
  if ('bytes' in records || records.length === 0) return 0
  return records.reduce((most, { timestampDelta = 0 }) => Math.max(most, timestampDelta), -Infinity)
}
