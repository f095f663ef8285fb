import type { Int64 } from '../../../lib/bytes.ts'
import type { Crc32c } from '../../../lib/crc32c.ts'
import type { RecordWalk, WalkRecords } from '../../../lib/record-walk.ts'
import { codecNames } from '../compression/codec-id.ts'
import {
  batchMagic,
  batchOverheadBytes,
  batchPrefixBytes,
  checkCrc,
  codecOf,
  hasDeleteHorizon,
  hasLogAppendTime,
  isControl,
  isTransactional,
  readBatchHeader,
  type BatchHeader,
} from './batch.ts'
import { isFar, refuse, refuseBeforeLog, type BatchRefusal, type BatchRules } from './rules.ts'
import { greatestTimestamp } from './validate-records.ts'

export { validateRecords } from './validate-records.ts'
export type { BatchRefusal, BatchRules, RecordFault } from './rules.ts'

export interface BatchAccepted {
  readonly ok: true
  readonly header: BatchHeader
  /** Something only the records can tell, or tell in detail: `validateRecords` has the last word. */
  readonly needsRecords: boolean
  /** The greatest timestamp of the records, at least -1 as in Kafka; null where they were not looked at. */
  readonly greatestMs: Int64 | null
}

/** What validation computes with: the addon's functions, or their portable twins. */
export interface BatchTools {
  readonly crc32c: Crc32c
  readonly walkRecords: WalkRecords
}

/**
 * Judges one batch by its header, its CRC and, where it is not compressed, one pass over its records (G18, G19).
 * Never throws, whatever the bytes are.
 *
 * Compressed batches are opened where the topic is compacted, and where the header cannot be true; else their
 * record count, deltas and timestamps are what the header says. That deviates from Kafka, which decompresses every
 * batch on the leader. Replicas' batches were judged by the leader; only what damage on the way could change is
 * looked at.
 */
export function validateBatch(
  records: Uint8Array,
  rules: BatchRules,
  { crc32c, walkRecords }: BatchTools,
): BatchAccepted | BatchRefusal {
  const misfit = judgeShape(records)
  if (misfit !== null) return misfit
  const header = readBatchHeader(records, 0)
  const refusal =
    judgeCodec(header, rules) ??
    judgeFrame(header, records) ??
    (rules.origin === 'client' ? judgeIntent(header) : null) ??
    judgeSize(header, rules) ??
    judgeCrc(header, records, crc32c) ??
    (rules.origin === 'replica' ? null : judgeCount(header)) ??
    (rules.origin === 'client' ? judgeClientBatch(header) : null)
  if (refusal !== null) return refusal
  if (rules.origin !== 'client') return { ok: true, header, needsRecords: false, greatestMs: null }
  if (codecOf(header) !== 0) {
    const needsRecords = rules.compacted || isImplausible(header, rules)
    return { ok: true, header, needsRecords, greatestMs: null }
  }
  const walk = walkRecords(records, batchOverheadBytes, header.sizeBytes)
  const greatestMs = greatestTimestamp(records, walk.maxTimestampDelta)
  return { ok: true, header, needsRecords: !isSound(walk, header, rules), greatestMs }
}

/** Nothing is wrong with the records, nor may anything be: what may is looked at record by record. */
function isSound(walk: RecordWalk, header: BatchHeader, rules: BatchRules): boolean {
  return (
    walk.isWhole &&
    walk.count === header.count &&
    walk.misplacedAt < 0 &&
    !(rules.compacted && walk.keylessAt >= 0) &&
    !isFar(header.baseTimestamp + Number(walk.minTimestampDelta), rules) &&
    !isFar(header.baseTimestamp + Number(walk.maxTimestampDelta), rules)
  )
}

/** The header's timestamps are not those of any records that may be appended; without any, both are -1. */
function isImplausible({ baseTimestamp, maxTimestamp }: BatchHeader, rules: BatchRules): boolean {
  if (rules.timestampType === 'LogAppendTime' || (baseTimestamp === -1 && maxTimestamp === -1)) {
    return false
  }
  return (
    baseTimestamp < 0 ||
    maxTimestamp < baseTimestamp ||
    isFar(baseTimestamp, rules) ||
    isFar(maxTimestamp, rules)
  )
}

/** Enough bytes for a header, and the only format that we take. Formats 0 and 1 are shorter than a header of 2. */
function judgeShape(records: Uint8Array): BatchRefusal | null {
  if (records.length === 0) {
    return refuseBeforeLog(
      'INVALID_RECORD',
      'No record batch came for this partition; send exactly one.',
    )
  }
  const magic = records[magicAt]
  if (magic === 0 || magic === 1) {
    const message =
      `The records have format ${magic}, which no broker since Kafka 4.0 takes. ` +
      'Use a client that sends record batches (format 2, Kafka 0.11 or newer).'
    return refuseBeforeLog('INVALID_RECORD', message)
  }
  if (records.length < batchOverheadBytes) {
    const message = `${records.length} bytes came; a record batch has at least ${batchOverheadBytes}.`
    return refuseBeforeLog('INVALID_RECORD', message)
  }
  if (magic === batchMagic) return null
  return refuseBeforeLog(
    'CORRUPT_MESSAGE',
    `Format ${magic} at byte ${magicAt} of the batch is not known.`,
  )
}

/** First of all: who does not know the codec did not compress the batch, whatever else is wrong with it. */
function judgeCodec(header: BatchHeader, rules: BatchRules): BatchRefusal | null {
  if (rules.allowsZstd || codecNames[codecOf(header)] !== 'zstd') return null
  const message = 'zstd needs Produce version 7 or later (KIP-110).'
  return refuseBeforeLog('UNSUPPORTED_COMPRESSION_TYPE', message)
}

/** One batch came, and the whole of it. What is less than a batch behind it is nothing, as in Kafka. */
function judgeFrame({ sizeBytes }: BatchHeader, records: Uint8Array): BatchRefusal | null {
  if (sizeBytes === records.length) return null
  if (sizeBytes < batchOverheadBytes) {
    const message = `The batch's length field makes it ${sizeBytes} bytes; ${batchOverheadBytes} is the least.`
    return refuseBeforeLog('CORRUPT_MESSAGE', message)
  }
  if (sizeBytes > records.length) {
    const message = `The batch says it has ${sizeBytes} bytes, but only ${records.length} came.`
    return refuseBeforeLog('INVALID_RECORD', message)
  }
  if (records.length - sizeBytes < batchPrefixBytes) return null
  const message =
    `${records.length - sizeBytes} bytes follow the batch of ${sizeBytes}. ` +
    'Send exactly one batch for each partition of a request.'
  return refuseBeforeLog('INVALID_RECORD', message)
}

/** What a client wants with the batch, before anybody looks into it. */
function judgeIntent(header: BatchHeader): BatchRefusal | null {
  if (isTransactional(header)) {
    const message =
      'The batch is transactional, and this broker has no transactions yet. ' +
      'Produce without a transactional id (enable.idempotence is fine).'
    return refuseBeforeLog('TRANSACTIONAL_ID_AUTHORIZATION_FAILED', message)
  }
  if (header.baseOffset === 0) return null
  const message = `The batch has base offset ${header.baseOffset}; producers send 0, the broker assigns offsets.`
  return refuse('INVALID_RECORD', message)
}

function judgeSize({ sizeBytes }: BatchHeader, rules: BatchRules): BatchRefusal | null {
  if (rules.origin !== 'client' || sizeBytes <= rules.maxMessageBytes) return null
  const message =
    `The batch has ${sizeBytes} bytes; the topic takes ${rules.maxMessageBytes}. ` +
    'Send smaller batches, or raise max.message.bytes of the topic.'
  return refuseBeforeLog('MESSAGE_TOO_LARGE', message)
}

function judgeCrc(header: BatchHeader, records: Uint8Array, crc32c: Crc32c): BatchRefusal | null {
  if (checkCrc(records, 0, header, crc32c)) return null
  const message =
    'The CRC-32C of the batch is not that of its bytes: they changed on the way, or were written wrong. Send again.'
  return refuseBeforeLog('CORRUPT_MESSAGE', message)
}

/** Holds for every batch that was not compacted. An uncompressed record has at least seven bytes. */
function judgeCount(header: BatchHeader): BatchRefusal | null {
  const { count, lastOffsetDelta, sizeBytes } = header
  if (count < 1) return refuse('INVALID_RECORD', `The batch says it has ${count} records.`)
  if (count !== lastOffsetDelta + 1) {
    const message = `The batch has ${count} records, but its last offset delta is ${lastOffsetDelta}, not ${count - 1}.`
    return refuse('INVALID_RECORD', message)
  }
  const payloadBytes = sizeBytes - batchOverheadBytes
  if (codecOf(header) === 0 && count * recordBytesMin > payloadBytes) {
    const message = `The batch says it has ${count} records, but ${payloadBytes} bytes cannot hold them.`
    return refuse('INVALID_RECORD', message)
  }
  return null
}

function judgeClientBatch(header: BatchHeader): BatchRefusal | null {
  if (isControl(header) || hasDeleteHorizon(header)) {
    const kind = isControl(header) ? 'a control batch' : 'marked with a delete horizon'
    return refuse('INVALID_RECORD', `The batch is ${kind}; only brokers write such batches.`)
  }
  if (codecOf(header) >= codecNames.length) {
    const message = `Compression ${codecOf(header)} is not known; use one of ${codecNames.join(', ')}.`
    return refuse('UNSUPPORTED_COMPRESSION_TYPE', message)
  }
  return judgeProducer(header) ?? judgeTimestampType(header)
}

/** Its epoch is judged beside what is known of the producer. */
function judgeProducer(header: BatchHeader): BatchRefusal | null {
  const { producerId, baseSequence } = header
  if (producerId === -1) return null
  if (producerId >= 0 && Number.isSafeInteger(producerId)) {
    if (baseSequence >= 0) return null
    const message =
      `The batch of producer ${producerId} has base sequence ${baseSequence}; ` +
      'with a producer id it may not be negative.'
    return refuse('INVALID_RECORD', message)
  }
  return refuse('INVALID_RECORD', `Producer id ${producerId} was never given out.`)
}

function judgeTimestampType(header: BatchHeader): BatchRefusal | null {
  if (!hasLogAppendTime(header)) return null
  const message = 'The batch says that its timestamps are append times; only the broker says so.'
  return refuse('INVALID_TIMESTAMP', message)
}

const magicAt = 16
const recordBytesMin = 7
