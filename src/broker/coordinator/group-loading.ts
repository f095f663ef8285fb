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
import { readRecords } from '../log/batch/records.ts'
import type { CodecId } from '../log/compression/codec-id.ts'
import { outputBytesMaxFor, type Codecs } from '../log/compression/codecs.ts'
import type { Partition } from '../partition/partition.ts'
import type { SegmentRange } from '../partition/requests.ts'
import { WireError } from '../wire/wire-error.ts'
import { LoadedGroups } from './groups/restore.ts'
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
  const endOffset = partition.highWatermark
  let offset = partition.extent?.startOffset ?? 0
  while (offset < endOffset) {
    const range = await findRange(partition, offset)
    if (range === null) break
    const bytes = await readRange(range)
    const next = await replayChunk(bytes, { offset, groups, options, partition })
    if (next === offset) throw new LoadingError(`nothing can be read at offset ${offset}`)
    offset = next
    await options.codecs.turn()
  }
  return groups
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

interface Replay {
  readonly offset: number
  readonly groups: LoadedGroups
  readonly options: LoadingOptions
  readonly partition: Partition
}

/** Replays whole batches; returns the offset behind the last. */
async function replayChunk(bytes: Uint8Array, replay: Replay): Promise<number> {
  let next = replay.offset
  for (let at = 0; at + batchOverheadBytes <= bytes.length;) {
    const header = readBatchHeader(bytes, at)
    if (!checkCrc(bytes, at, header, replay.options.crc32c)) {
      throw new LoadingError(`the batch at offset ${header.baseOffset} is damaged`)
    }
    const payload = bytes.subarray(at + batchOverheadBytes, at + header.sizeBytes)
    if (!isControl(header)) await replayBatch(header, payload, replay)
    at += header.sizeBytes
    next = lastOffset(header) + 1
  }
  return next
}

async function replayBatch(
  header: BatchHeader,
  payload: Uint8Array,
  { offset, groups, options, partition }: Replay,
): Promise<void> {
  const codec = codecOf(header) as CodecId
  const plain =
    codec === 0
      ? payload
      : await options.codecs.decompress(codec, payload, outputBytesMaxFor(payload.length))
  for (const { offsetDelta, key, value } of readRecords(plain, header)) {
    if (header.baseOffset + offsetDelta < offset || key === null) continue
    try {
      const record = decodeGroupRecord(key, value)
      if (record !== null) groups.replay(record)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      options.warn('A record of the offsets topic was passed over', {
        partition: partition.id.partition,
        offset: header.baseOffset + offsetDelta,
        reason: error.message,
      })
    }
  }
}
