import type { Crc32c } from '../../../lib/crc32c.ts'
import { codecNames, type CodecId } from '../compression/codec-id.ts'
import { DecompressError, outputBytesMaxFor, type Codecs } from '../compression/codecs.ts'
import type { CompressionType, LogConfig } from '../log-config.ts'
import {
  batchOverheadBytes,
  codecOf,
  encodeBatch,
  isControl,
  isTransactional,
  readBatchHeader,
  readTimestamps,
  type BatchHeader,
} from './batch.ts'
import { refuse, type BatchRefusal } from './rules.ts'

/** A batch that was made anew. */
export interface Repacked {
  readonly ok: true
  readonly records: Uint8Array
  readonly header: BatchHeader
}

export interface RecompressOptions {
  readonly codecs: Codecs
  readonly crc32c: Crc32c
  /** Of the batch as it is stored. */
  readonly maxMessageBytes: number
  /** How hard to compress, as the topic wants it of each codec. */
  readonly levels: CompressionLevels
}

export type CompressionLevels = Pick<LogConfig, 'compressionGzipLevel' | 'compressionZstdLevel'>

/** The codec that a topic wants and this batch does not have; null where the batch stays as it is. */
export function otherCodec(wanted: CompressionType, header: BatchHeader): CodecId | null {
  if (wanted === 'producer') return null
  const codec = codecNames.indexOf(wanted === 'uncompressed' ? 'none' : wanted) as CodecId
  return codec === codecOf(header) ? null : codec
}

/**
 * The batch with its records in another codec; everything else that the producer wrote stays. `header` is what
 * `validateBatch` accepted; `records` stays as it is until the promise is settled.
 */
export async function recompress(
  header: BatchHeader,
  records: Uint8Array,
  codec: CodecId,
  { codecs, crc32c, maxMessageBytes, levels }: RecompressOptions,
): Promise<Repacked | BatchRefusal> {
  const packed = records.subarray(batchOverheadBytes, header.sizeBytes)
  try {
    const bytes = await codecs.recompress(packed, {
      from: codecOf(header) as CodecId,
      to: codec,
      ...levelOf(codec, levels),
      openedBytesMax: outputBytesMaxFor(packed.length),
    })
    const sizeBytes = batchOverheadBytes + bytes.length
    if (sizeBytes > maxMessageBytes) return tooLarge(sizeBytes, codec, maxMessageBytes)
    const payload = { codec, bytes, count: header.count }
    const made = repacked(header, readTimestamps(records, 0), payload, crc32c)
    return { ok: true, records: made, header: readBatchHeader(made, 0) }
  } catch (error) {
    if (error instanceof DecompressError) return refuse('INVALID_RECORD', error.message)
    throw error
  }
}

function levelOf(codec: CodecId, levels: CompressionLevels): { readonly level?: number } {
  const name = codecNames[codec]
  if (name === 'gzip') return { level: levels.compressionGzipLevel }
  return name === 'zstd' ? { level: levels.compressionZstdLevel } : {}
}

function repacked(
  header: BatchHeader,
  { baseTimestamp, maxTimestamp }: ReturnType<typeof readTimestamps>,
  payload: { readonly codec: CodecId; readonly bytes: Uint8Array; readonly count: number },
  crc32c: Crc32c,
): Uint8Array {
  return encodeBatch({
    records: payload,
    baseTimestamp,
    maxTimestamp,
    lastOffsetDelta: header.lastOffsetDelta,
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    baseSequence: header.baseSequence,
    transactional: isTransactional(header),
    control: isControl(header),
    crc32c,
  })
}

function tooLarge(sizeBytes: number, codec: CodecId, sizeBytesMax: number): BatchRefusal {
  const message =
    `With compression.type=${codecNames[codec]} the batch has ${sizeBytes} bytes; the topic takes ${sizeBytesMax}. ` +
    'Send smaller batches, or raise max.message.bytes of the topic.'
  return refuse('MESSAGE_TOO_LARGE', message)
}
