import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import {
  batchOverheadBytes,
  codecOf,
  hasDeleteHorizon,
  hasLogAppendTime,
  isControl,
  isTransactional,
  lastOffset,
  readBatchHeader,
  type BatchHeader,
} from '../../src/broker/log/batch/batch.ts'
import { readRecords } from '../../src/broker/log/batch/records.ts'
import { codecNames } from '../../src/broker/log/compression/codec-id.ts'
import { openLz4 } from '../../src/broker/log/compression/lz4.ts'
import { openSnappy } from '../../src/broker/log/compression/snappy.ts'
import { crc32c } from '../../src/lib/crc32c.ts'

/** A batch that can be read, with its records as bytes. */
export interface ReadBatch {
  readonly header: BatchHeader
  readonly records: readonly ReadRecord[]
}

interface ReadRecord {
  readonly offset: number
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly key: Uint8Array; readonly value: Uint8Array | null }[]
}

/** What a batch is called in the recorded results: its times and producer ids are another run's. */
export interface Names {
  /** Times are told as milliseconds behind this one. */
  readonly originMs: number
  /** The place of a producer id in the order in which they were given. */
  producer(id: number): number
}

/** The whole batches that lie in `bytes`, of any codec. What follows the last is passed over. */
export function readBatches(bytes: Uint8Array): ReadBatch[] {
  const found: ReadBatch[] = []
  for (let at = 0; at + batchOverheadBytes <= bytes.length;) {
    const header = readBatchHeader(bytes, at)
    const end = at + header.sizeBytes
    if (header.sizeBytes < batchOverheadBytes) throw new Error('a batch without a length')
    if (end > bytes.length) break
    if (crc32c(bytes, at + 21, end) !== header.crc) {
      throw new Error(`the batch at ${header.baseOffset} has a wrong CRC`)
    }
    const payload = opened(codecOf(header), bytes.subarray(at + batchOverheadBytes, end))
    found.push({ header, records: recordsOf(header, payload) })
    at = end
  }
  return found
}

function recordsOf(header: BatchHeader, payload: Uint8Array): ReadRecord[] {
  return Array.from(readRecords(payload, header), record => ({
    offset: header.baseOffset + record.offsetDelta,
    timestampMs: hasLogAppendTime(header)
      ? header.maxTimestamp
      : header.baseTimestamp + record.timestampDelta,
    key: record.key,
    value: record.value,
    headers: record.headers,
  }))
}

/** No batch of a test is larger. */
const openedBytesMax = 64 * 1024 * 1024

const openers: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  none: bytes => bytes,
  gzip: bytes => gunzipSync(bytes),
  snappy: bytes => openSnappy(bytes, openedBytesMax),
  lz4: bytes => openLz4(bytes, openedBytesMax),
  zstd: bytes => zstdDecompressSync(bytes),
}

function opened(codec: number, bytes: Uint8Array): Uint8Array {
  const open = openers[codecNames[codec] ?? '']
  if (open === undefined) throw new Error(`codec ${codec} is none`)
  // A batch that lost all records has none that could be compressed.
  return bytes.length === 0 ? bytes : open(bytes)
}

/** One batch as it is recorded; a record a line of text. */
export interface ToldBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  /** 0, or 1 for any that a restart made. */
  readonly leaderEpoch: number
  /** The codec, and what else the attributes say. */
  readonly attributes: string
  readonly baseTime: number | string
  readonly maxTime: number | string
  /** Number of the producer, its epoch, the base sequence. Null where there is none. */
  readonly producer: readonly [number, number, number] | null
  readonly count: number
  readonly records: readonly string[]
}

export function told({ header, records }: ReadBatch, names: Names): ToldBatch {
  const { baseOffset, leaderEpoch, count, producerId, producerEpoch, baseSequence } = header
  const isBrokers = hasLogAppendTime(header)
  const time = (ms: number): number | string => {
    return ms === -1 ? -1 : isBrokers ? 'appended' : ms - names.originMs
  }
  const flags = [
    codecNames[codecOf(header)],
    ...(isBrokers ? ['logAppendTime'] : []),
    ...(isTransactional(header) ? ['transactional'] : []),
    ...(isControl(header) ? ['control'] : []),
    ...(hasDeleteHorizon(header) ? ['deleteHorizon'] : []),
  ]
  return {
    baseOffset,
    lastOffset: lastOffset(header),
    leaderEpoch: Math.min(leaderEpoch, 1),
    attributes: flags.join(' '),
    // The time of cleaning goes into it.
    baseTime: hasDeleteHorizon(header) ? 'horizon' : time(header.baseTimestamp),
    maxTime: time(header.maxTimestamp),
    producer: producerId === -1 ? null : [names.producer(producerId), producerEpoch, baseSequence],
    count,
    records: records.map(({ offset, timestampMs, key, value, headers }) => {
      const pairs = headers.map(each => ` ${shown(each.key)}:${shown(each.value)}`).join('')
      return `${offset} @${time(timestampMs)} ${shown(key)}=${shown(value)}${pairs}`
    }),
  }
}

const shownBytesMax = 60

/** Text as JSON where it is short, else how long it is and its checksum. */
function shown(bytes: Uint8Array | null): string {
  if (bytes === null) return 'null'
  if (bytes.length > shownBytesMax) return `<${bytes.length} bytes, crc32c ${crc32c(bytes)}>`
  const text = Buffer.from(bytes).toString('latin1')
  return JSON.stringify(text)
}
