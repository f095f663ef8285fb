import { createHash } from 'node:crypto'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { exactly, type Json } from './json.ts'

/** Payloads up to this many bytes are shown whole, longer ones by their hash. */
const shownBytesMax = 300
const headerBytes = 61

/**
 * A record set as a client sees it: every batch by the fields of its header, its records as they are once they are
 * decompressed (two compressors give two texts), and how many bytes of a further batch follow. Nothing is checked.
 */
export function describeRecords(bytes: Buffer): Json {
  const batches: Json[] = []
  let at = 0
  while (bytes.length - at >= headerBytes) {
    const size = 12 + bytes.readInt32BE(at + 8)
    if (size < headerBytes || size > bytes.length - at) break
    batches.push(describeBatch(bytes.subarray(at, at + size)))
    at += size
  }
  return { batches, cutBytes: bytes.length - at }
}

function describeBatch(batch: Buffer): Json {
  const attributes = batch.readInt16BE(21)
  const codec = attributes & 7
  const payload = batch.subarray(headerBytes)
  return {
    baseOffset: exactly(batch.readBigInt64BE(0)),
    // Compressed by the broker, a batch is as long as its compressor makes it.
    sizeBytes: codec === 0 ? batch.length : 'compressed',
    leaderEpoch: batch.readInt32BE(12),
    magic: batch.readInt8(16),
    attributes,
    lastOffsetDelta: batch.readInt32BE(23),
    baseTimestamp: exactly(batch.readBigInt64BE(27)),
    maxTimestamp: exactly(batch.readBigInt64BE(35)),
    producerId: exactly(batch.readBigInt64BE(43)),
    producerEpoch: batch.readInt16BE(51),
    baseSequence: batch.readInt32BE(53),
    count: batch.readInt32BE(57),
    records: shown(opened(codec, payload)),
  }
}

function opened(codec: number, payload: Buffer): Buffer | string {
  try {
    if (codec === 0) return payload
    if (codec === 1) return gunzipSync(payload)
    if (codec === 4) return zstdDecompressSync(payload)
    return 'another codec'
  } catch {
    return 'does not open'
  }
}

function shown(records: Buffer | string): string {
  if (typeof records === 'string') return records
  if (records.length <= shownBytesMax) return `hex:${records.toString('hex')}`
  return `${records.length} bytes, sha1 ${createHash('sha1').update(records).digest('hex')}`
}
