import {
  readInt16,
  readInt32,
  readInt64,
  readUint32,
  writeInt16,
  writeInt32,
  writeInt64,
  writeInt64Exact,
} from '../../../lib/bytes.ts'
import type { Crc32c } from '../../../lib/crc32c.ts'
import { decodeProducers, encodeProducers } from '../producers/snapshot.ts'
import type { ProducerState } from '../producers/state.ts'
import { offsetEntryBytes } from './offset-index.ts'
import type { NewestTime, SegmentIndex } from './segment-index.ts'
import { timeEntryBytes } from './time-index.ts'

/** A place between two batches of a segment. */
export interface SegmentPoint {
  readonly offset: number
  readonly position: number
}

/** What came to a segment between two points: one record of a growth file (FORMAT.md). */
interface GrowthRecord {
  readonly from: SegmentPoint
  readonly to: SegmentPoint
  /** Of the whole segment up to `to`. */
  readonly newest: NewestTime
  readonly offsets: readonly (readonly [relativeOffset: number, position: number])[]
  readonly times: readonly (readonly [timestampMs: number, relativeOffset: number])[]
  /** Those that appended between the points, as they were at `to`, the longest idle first. */
  readonly producers: readonly ProducerState[]
}

/** A record as it was read. */
export interface ReadRecord extends GrowthRecord {
  /** The byte of the file behind it. */
  readonly endsAt: number
}

const magic = 0x4c434752
const version = 1
const headBytes = 16
const bodyBytes = 60
const at = {
  bodyLength: 8,
  crc: 12,
  fromOffset: 16,
  fromPosition: 24,
  toOffset: 32,
  toPosition: 40,
  maxTimestamp: 48,
  maxTimestampOffset: 56,
  offsetCount: 64,
  timeCount: 68,
  producerBytes: 72,
} as const
const entriesAt = headBytes + bodyBytes

export interface GrowthInput {
  readonly from: SegmentPoint & { readonly offsetCount: number; readonly timeCount: number }
  readonly to: SegmentPoint
  /** Of the segment as it is at `to`. */
  readonly index: SegmentIndex
  readonly producers: readonly ProducerState[]
}

export function encodeGrowth({ from, to, index, producers }: GrowthInput, crc32c: Crc32c) {
  const { offsets, times, newest } = index
  const offsetCount = offsets.count - from.offsetCount
  const timeCount = times.count - from.timeCount
  const snapshot = encodeProducers(producers, crc32c)
  const timesAt = entriesAt + offsetCount * offsetEntryBytes
  const producersAt = timesAt + timeCount * timeEntryBytes
  const bytes = new Uint8Array(producersAt + snapshot.length)
  writeInt32(bytes, 0, magic)
  writeInt16(bytes, 4, version)
  writeInt32(bytes, at.bodyLength, bytes.length - headBytes)
  writeInt64(bytes, at.fromOffset, from.offset)
  writeInt64(bytes, at.fromPosition, from.position)
  writeInt64(bytes, at.toOffset, to.offset)
  writeInt64(bytes, at.toPosition, to.position)
  writeInt64Exact(bytes, at.maxTimestamp, newest.timestampMs)
  writeInt64(bytes, at.maxTimestampOffset, newest.batchOffset)
  writeInt32(bytes, at.offsetCount, offsetCount)
  writeInt32(bytes, at.timeCount, timeCount)
  writeInt32(bytes, at.producerBytes, snapshot.length)
  for (let entry = 0; entry < offsetCount; entry++) {
    const place = entriesAt + entry * offsetEntryBytes
    writeInt32(bytes, place, offsets.relativeOffsetAt(from.offsetCount + entry))
    writeInt32(bytes, place + 4, offsets.positionAt(from.offsetCount + entry))
  }
  for (let entry = 0; entry < timeCount; entry++) {
    const place = timesAt + entry * timeEntryBytes
    writeInt64Exact(bytes, place, times.timestampAt(from.timeCount + entry))
    writeInt32(bytes, place + 8, times.relativeOffsetAt(from.timeCount + entry))
  }
  bytes.set(snapshot, producersAt)
  writeInt32(bytes, at.crc, crc32c(bytes, headBytes))
  return bytes
}

/** The records of a growth file up to the first that is torn or damaged. Never throws. */
export function decodeGrowth(bytes: Uint8Array, crc32c: Crc32c): ReadRecord[] {
  const records: ReadRecord[] = []
  let start = 0
  for (;;) {
    const record = readRecord(bytes, start, crc32c)
    if (record === null) return records
    records.push(record)
    start = record.endsAt
  }
}

function readRecord(bytes: Uint8Array, start: number, crc32c: Crc32c): ReadRecord | null {
  if (start + entriesAt > bytes.length) return null
  if (readInt32(bytes, start) !== magic || readInt16(bytes, start + 4) !== version) return null
  const length = headBytes + readUint32(bytes, start + at.bodyLength)
  if (length < entriesAt || start + length > bytes.length) return null
  const record = bytes.subarray(start, start + length)
  if (crc32c(record, headBytes) !== readUint32(record, at.crc)) return null
  return readBody(record, start + length, crc32c)
}

function readBody(record: Uint8Array, endsAt: number, crc32c: Crc32c): ReadRecord | null {
  const offsetCount = readInt32(record, at.offsetCount)
  const timeCount = readInt32(record, at.timeCount)
  const timesAt = entriesAt + offsetCount * offsetEntryBytes
  const producersAt = timesAt + timeCount * timeEntryBytes
  const isWhole = producersAt + readInt32(record, at.producerBytes) === record.length
  if (offsetCount < 0 || timeCount < 0 || !isWhole) return null
  const producers = decodeProducers(record.subarray(producersAt), crc32c)
  if (producers === null) return null
  return {
    from: {
      offset: readInt64(record, at.fromOffset),
      position: readInt64(record, at.fromPosition),
    },
    to: { offset: readInt64(record, at.toOffset), position: readInt64(record, at.toPosition) },
    newest: {
      timestampMs: readInt64(record, at.maxTimestamp),
      batchOffset: readInt64(record, at.maxTimestampOffset),
    },
    offsets: Array.from({ length: offsetCount }, (_, entry) => {
      const place = entriesAt + entry * offsetEntryBytes
      return [readUint32(record, place), readUint32(record, place + 4)] as const
    }),
    times: Array.from({ length: timeCount }, (_, entry) => {
      const place = timesAt + entry * timeEntryBytes
      return [readInt64(record, place), readUint32(record, place + 8)] as const
    }),
    producers,
    endsAt,
  }
}
