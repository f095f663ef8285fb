import {
  readInt16,
  readInt32,
  readInt64,
  readUint32,
  writeInt16,
  writeInt32,
  writeInt64,
} from '../../../lib/bytes.ts'
import type { Crc32c } from '../../../lib/crc32c.ts'
import { producerBatchesMax, type ProducerBatch, type ProducerState } from './state.ts'

/**
 * Producer states as a file beside a segment. All numbers big-endian:
 *
 *     magic "LCPS" · version i16 · CRC-32C u32 of everything behind it · count i32 · producers, longest idle first
 *     producer: id i64 · epoch i16 · appendedAtMs i64 · batch count i8 · batches, oldest first
 *     batch: baseOffset i64 · lastOffsetDelta i32 · firstSequence i32 · timestampMs i64
 *
 * A snapshot is a cache: where anything looks wrong it is as if it were not there, and the log is read instead.
 */
const magic = 0x4c435053
const version = 1
const headBytes = 10
const producerBytes = 19
const batchBytes = 24

export function encodeProducers(producers: readonly ProducerState[], crc32c: Crc32c): Uint8Array {
  const batchCount = producers.reduce((sum, { batches }) => sum + batches.length, 0)
  const bytes = new Uint8Array(
    headBytes + 4 + producers.length * producerBytes + batchCount * batchBytes,
  )
  writeInt32(bytes, 0, magic)
  writeInt16(bytes, 4, version)
  writeInt32(bytes, headBytes, producers.length)
  let at = headBytes + 4
  for (const producer of producers) at = writeProducer(bytes, at, producer)
  writeInt32(bytes, 6, crc32c(bytes, headBytes))
  return bytes
}

/** What `encodeProducers` wrote; null where there is any doubt. Never throws. */
export function decodeProducers(bytes: Uint8Array, crc32c: Crc32c): ProducerState[] | null {
  if (bytes.length < headBytes + 4) return null
  if (readInt32(bytes, 0) !== magic || readInt16(bytes, 4) !== version) return null
  if (readUint32(bytes, 6) !== crc32c(bytes, headBytes)) return null
  const producers = new Map<number, ProducerState>()
  const count = readInt32(bytes, headBytes)
  let at = headBytes + 4
  for (let read = 0; read < count; read++) {
    const producer = readProducer(bytes, at)
    if (producer === null) return null
    producers.set(producer.producerId, producer)
    at += producerBytes + producer.batches.length * batchBytes
  }
  return producers.size === count && at === bytes.length ? [...producers.values()] : null
}

function writeProducer(bytes: Uint8Array, start: number, state: ProducerState): number {
  writeInt64(bytes, start, state.producerId)
  writeInt16(bytes, start + 8, state.epoch)
  writeInt64(bytes, start + 10, state.appendedAtMs)
  bytes[start + 18] = state.batches.length
  let at = start + producerBytes
  for (const batch of state.batches) {
    writeInt64(bytes, at, batch.baseOffset)
    writeInt32(bytes, at + 8, batch.lastOffsetDelta)
    writeInt32(bytes, at + 12, batch.firstSequence)
    writeInt64(bytes, at + 16, batch.timestampMs)
    at += batchBytes
  }
  return at
}

function readProducer(bytes: Uint8Array, at: number): ProducerState | null {
  if (at + producerBytes > bytes.length) return null
  const producerId = readInt64(bytes, at)
  const epoch = readInt16(bytes, at + 8)
  const appendedAtMs = readInt64(bytes, at + 10)
  const batchCount = bytes[at + 18]!
  if (
    batchCount > producerBatchesMax ||
    at + producerBytes + batchCount * batchBytes > bytes.length
  ) {
    return null
  }
  const batches = Array.from({ length: batchCount }, (_, index) =>
    readBatch(bytes, at + producerBytes + index * batchBytes),
  )
  const isSane = producerId >= 0 && Number.isSafeInteger(producerId)
  return isSane && batches.every(isSaneBatch) ? { producerId, epoch, appendedAtMs, batches } : null
}

function readBatch(bytes: Uint8Array, at: number): ProducerBatch {
  return {
    baseOffset: readInt64(bytes, at),
    lastOffsetDelta: readInt32(bytes, at + 8),
    firstSequence: readInt32(bytes, at + 12),
    timestampMs: readInt64(bytes, at + 16),
  }
}

function isSaneBatch({ baseOffset, lastOffsetDelta, firstSequence }: ProducerBatch): boolean {
  return baseOffset >= 0 && lastOffsetDelta >= 0 && firstSequence >= 0
}
