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
import { OffsetIndex, offsetEntryBytes } from './offset-index.ts'
import type { NewestTime, SegmentIndex } from './segment-index.ts'
import { TimeIndex, timeEntryBytes } from './time-index.ts'

/** Index files (FORMAT.md): caches, believed only if version, both CRCs and the state of the segment agree. */
export type IndexKind = 'offsets' | 'times'

export interface IndexHead {
  readonly baseOffset: number
  readonly endOffset: number
  /** Bytes of the segment that the index speaks of. */
  readonly logBytes: number
  readonly newest: NewestTime
  readonly count: number
}

export const indexHeadBytes = 60

const magic = 0x4c434958
const version = 1
const kindCode = { offsets: 1, times: 2 } as const
const entryBytes = { offsets: offsetEntryBytes, times: timeEntryBytes } as const
const at = {
  headCrc: 8,
  bodyCrc: 12,
  baseOffset: 16,
  endOffset: 24,
  logBytes: 32,
  maxTimestamp: 40,
  maxTimestampOffset: 48,
  count: 56,
} as const

export function encodeIndex(
  kind: IndexKind,
  index: SegmentIndex,
  of: Pick<IndexHead, 'baseOffset' | 'endOffset' | 'logBytes'>,
  crc32c: Crc32c,
): Uint8Array {
  const count = index[kind].count
  const bytes = new Uint8Array(indexHeadBytes + count * entryBytes[kind])
  writeInt32(bytes, 0, magic)
  writeInt16(bytes, 4, version)
  bytes[6] = kindCode[kind]
  writeInt64(bytes, at.baseOffset, of.baseOffset)
  writeInt64(bytes, at.endOffset, of.endOffset)
  writeInt64(bytes, at.logBytes, of.logBytes)
  writeInt64Exact(bytes, at.maxTimestamp, index.newest.timestampMs)
  writeInt64(bytes, at.maxTimestampOffset, index.newest.batchOffset)
  writeInt32(bytes, at.count, count)
  if (kind === 'offsets') writeOffsets(bytes, index.offsets)
  else writeTimes(bytes, index.times)
  writeInt32(bytes, at.bodyCrc, crc32c(bytes, indexHeadBytes))
  writeInt32(bytes, at.headCrc, crc32c(bytes, at.bodyCrc, indexHeadBytes))
  return bytes
}

/** The head of an index file; null where it is not one, or damaged. */
export function decodeIndexHead(
  kind: IndexKind,
  bytes: Uint8Array,
  crc32c: Crc32c,
): IndexHead | null {
  if (bytes.length < indexHeadBytes) return null
  if (readInt32(bytes, 0) !== magic || readInt16(bytes, 4) !== version) return null
  if (bytes[6] !== kindCode[kind]) return null
  if (crc32c(bytes, at.bodyCrc, indexHeadBytes) !== readUint32(bytes, at.headCrc)) return null
  return readHead(bytes)
}

/** The entries behind a head that was believed; null where they are damaged. */
export function decodeOffsets(bytes: Uint8Array, crc32c: Crc32c): OffsetIndex | null {
  return hasIntactBody('offsets', bytes, crc32c) ? readOffsets(bytes) : null
}

export function decodeTimes(bytes: Uint8Array, crc32c: Crc32c): TimeIndex | null {
  return hasIntactBody('times', bytes, crc32c) ? readTimes(bytes) : null
}

function readHead(bytes: Uint8Array): IndexHead {
  return {
    baseOffset: readInt64(bytes, at.baseOffset),
    endOffset: readInt64(bytes, at.endOffset),
    logBytes: readInt64(bytes, at.logBytes),
    newest: {
      timestampMs: readInt64(bytes, at.maxTimestamp),
      batchOffset: readInt64(bytes, at.maxTimestampOffset),
    },
    count: readInt32(bytes, at.count),
  }
}

function hasIntactBody(kind: IndexKind, bytes: Uint8Array, crc32c: Crc32c): boolean {
  const isWhole =
    bytes.length >= indexHeadBytes &&
    bytes.length === indexHeadBytes + readInt32(bytes, at.count) * entryBytes[kind]
  return isWhole && crc32c(bytes, indexHeadBytes) === readUint32(bytes, at.bodyCrc)
}

function writeOffsets(bytes: Uint8Array, offsets: OffsetIndex): void {
  for (let entry = 0; entry < offsets.count; entry++) {
    const place = indexHeadBytes + entry * offsetEntryBytes
    writeInt32(bytes, place, offsets.relativeOffsetAt(entry))
    writeInt32(bytes, place + 4, offsets.positionAt(entry))
  }
}

function readOffsets(bytes: Uint8Array): OffsetIndex {
  const count = Math.floor((bytes.length - indexHeadBytes) / offsetEntryBytes)
  const relativeOffsets = new Uint32Array(count)
  const positions = new Uint32Array(count)
  for (let entry = 0; entry < count; entry++) {
    const place = indexHeadBytes + entry * offsetEntryBytes
    relativeOffsets[entry] = readUint32(bytes, place)
    positions[entry] = readUint32(bytes, place + 4)
  }
  return new OffsetIndex(relativeOffsets, positions)
}

function writeTimes(bytes: Uint8Array, times: TimeIndex): void {
  for (let entry = 0; entry < times.count; entry++) {
    const place = indexHeadBytes + entry * timeEntryBytes
    writeInt64Exact(bytes, place, times.timestampAt(entry))
    writeInt32(bytes, place + 8, times.relativeOffsetAt(entry))
  }
}

function readTimes(bytes: Uint8Array): TimeIndex {
  const count = Math.floor((bytes.length - indexHeadBytes) / timeEntryBytes)
  const timestamps = new Float64Array(count)
  const relativeOffsets = new Uint32Array(count)
  for (let entry = 0; entry < count; entry++) {
    const place = indexHeadBytes + entry * timeEntryBytes
    timestamps[entry] = readInt64(bytes, place)
    relativeOffsets[entry] = readUint32(bytes, place + 8)
  }
  return new TimeIndex(timestamps, relativeOffsets)
}
