import { hex } from '../../lib/bytes.ts'
import type { Crc32c } from '../../lib/crc32c.ts'
import {
  batchOverheadBytes,
  checkCrc,
  codecOf,
  isControl,
  lastOffset,
  readBatchHeader,
  type BatchHeader,
} from '../log/batch/batch.ts'
import { RecordCursor } from '../log/batch/records.ts'
import type { CodecId } from '../log/compression/codec-id.ts'
import { outputBytesMaxFor, type Codecs } from '../log/compression/codecs.ts'
import type { Partition } from '../partition/partition.ts'
import type { SegmentRange } from '../partition/requests.ts'
import { WireError } from '../wire/wire-error.ts'
import { LoadedGroups } from './groups/restore.ts'
import { LatestRecords } from './latest-records.ts'
import { decodeGroupRecord } from './record-format.ts'

export interface LoadingOptions {
  readonly codecs: Codecs
  readonly crc32c: Crc32c
  /** Something of the partition could not be understood and was passed over. */
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

/** The partition cannot be read. */
class LoadingError extends Error {
  override readonly name = 'LoadingError'
}

/** Read at once; the event loop serves everybody else between two. */
const chunkBytes = 1024 * 1024

/**
 * Everything that a partition says of groups, from its start to its high watermark. Reads off the event loop.
 * @throws LoadingError, or whatever reading fails with
 */
export async function loadGroups(
  partition: Partition,
  options: LoadingOptions,
): Promise<LoadedGroups> {
  const groups = new LoadedGroups()
  const latest = new LatestRecords()
  await eachRecord(partition, options, {
    visit: (payload, cursor, offset) => latest.note(payload, cursor, offset),
    chunkEnds: () => latest.keep(),
  })
  const warn = warnerOf(partition, options)
  /** Keys whose last record is not understood: the one before it counts. */
  const doubtful = new Set<string>()
  for (const { key, value, offset } of latest.all()) {
    const error = replay(groups, key, value)
    if (error === null) continue
    const hasKey = replay(new LoadedGroups(), key, null) === null
    if (hasKey) doubtful.add(hex(key))
    else warn(offset, error)
  }
  if (doubtful.size > 0) {
    await eachRecord(partition, options, {
      visit: (_, { key, value }, offset) => {
        if (!doubtful.has(hex(key!))) return
        const error = replay(groups, key!, value)
        if (error !== null) warn(offset, error)
      },
    })
  }
  return groups
}

/** Why it was passed over; null where it counts, or is of a kind that is none of ours. */
function replay(groups: LoadedGroups, key: Uint8Array, value: Uint8Array | null): string | null {
  try {
    const record = decodeGroupRecord(key, value)
    if (record !== null) groups.replay(record)
    return null
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    return error.message
  }
}

function warnerOf({ id }: Partition, { warn }: LoadingOptions) {
  const { partition } = id
  return (offset: number, reason: string): void => {
    warn('A record of the offsets topic was passed over', { partition, offset, reason })
  }
}

interface Visitor {
  /** A record with a key. `payload` stays as it is until `chunkEnds`. */
  readonly visit: (payload: Uint8Array, record: RecordCursor, offset: number) => void
  readonly chunkEnds?: () => void
}

/** Every record of the partition that has a key, in order. */
async function eachRecord(
  partition: Partition,
  options: LoadingOptions,
  visitor: Visitor,
): Promise<void> {
  const endOffset = partition.highWatermark
  let offset = partition.extent?.startOffset ?? 0
  while (offset < endOffset) {
    const range = await findRange(partition, offset)
    if (range === null) break
    const next = await visitChunk(await readRange(range), offset, options, visitor)
    if (next === offset) throw new LoadingError(`nothing can be read at offset ${offset}`)
    visitor.chunkEnds?.()
    offset = next
    await options.codecs.turn()
  }
}

async function findRange(partition: Partition, fetchOffset: number): Promise<SegmentRange | null> {
  const request = {
    fetchOffset,
    maxBytes: chunkBytes,
    minOneBatch: true,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
    isLagging: true,
  }
  const found = await partition.read(request)
  if (found.error !== 'NONE') throw new LoadingError(`the partition answers ${found.error}`)
  return found.range
}

async function readRange({ file, position, length }: SegmentRange): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const count = await file.readAsync(position + filled, bytes.subarray(filled))
    if (count === 0) throw new LoadingError(`${file.path} ends too early`)
    filled += count
  }
  return bytes
}

/** Visits the records of whole batches at or behind `fromOffset`; returns the offset behind the last. */
async function visitChunk(
  bytes: Uint8Array,
  fromOffset: number,
  { codecs, crc32c }: LoadingOptions,
  { visit }: Visitor,
): Promise<number> {
  let next = fromOffset
  for (let at = 0; at + batchOverheadBytes <= bytes.length;) {
    const header = readBatchHeader(bytes, at)
    if (!checkCrc(bytes, at, header, crc32c)) {
      throw new LoadingError(`the batch at offset ${header.baseOffset} is damaged`)
    }
    if (!isControl(header)) {
      const opened = payloadOf(bytes, at, header, codecs)
      // Where nothing is compressed nothing is awaited: a million small batches would be as many turns.
      const payload = opened instanceof Uint8Array ? opened : await opened
      const cursor = new RecordCursor(payload, header.count)
      while (cursor.next()) {
        const offset = header.baseOffset + cursor.offsetDelta
        if (offset >= fromOffset && cursor.keyBytes >= 0) visit(payload, cursor, offset)
      }
    }
    at += header.sizeBytes
    next = lastOffset(header) + 1
  }
  return next
}

function payloadOf(
  bytes: Uint8Array,
  at: number,
  header: BatchHeader,
  codecs: Codecs,
): Uint8Array | Promise<Uint8Array> {
  const packed = bytes.subarray(at + batchOverheadBytes, at + header.sizeBytes)
  const codec = codecOf(header) as CodecId
  if (codec === 0 || header.count === 0) return packed
  return codecs.decompress(codec, packed, outputBytesMaxFor(packed.length))
}
