import type { Crc32c } from '../../../lib/crc32c.ts'
import { errors } from '../../wire/errors.ts'
import {
  batchOverheadBytes,
  lastOffset,
  mendMaxTimestamp,
  readBatchSize,
  readTimestamps,
  stampAppendTime,
  stampBatch,
  type BatchHeader,
} from '../batch/batch.ts'
import { otherCodec, recompress, type CompressionLevels } from '../batch/recompress.ts'
import {
  validateBatch,
  validateRecords,
  type BatchAccepted,
  type BatchRefusal,
  type BatchRules,
  type BatchTools,
} from '../batch/validate.ts'
import type { CodecId } from '../compression/codec-id.ts'
import type { Codecs } from '../compression/codecs.ts'
import { isCompacted } from '../log-config.ts'
import type { LogState } from '../state/log-state.ts'
import type { AppendOptions, Refusal } from './result.ts'

/**
 * Batches that may be appended. Their headers are parsed once, when they are judged; who needs one later gets it
 * from here.
 */
export interface SoundBatches {
  readonly ok: true
  /** The bytes to store. */
  readonly records: Uint8Array
  /** As they came, or as the batch was made anew; `stamp` gives them as they are stored. Never empty. */
  readonly headers: readonly BatchHeader[]
}

export type Judgement = SoundBatches | BatchRefusal

/** Judges what came by headers and CRC; a promise where records must be opened. */
export function judge(
  { config, host }: LogState,
  records: Uint8Array,
  { origin, allowsZstd }: AppendOptions,
): Judgement | Promise<Judgement> {
  const rules: BatchRules = {
    maxMessageBytes: config.maxMessageBytes,
    compacted: isCompacted(config),
    origin,
    allowsZstd: allowsZstd ?? true,
    nowMs: host.env.clock.now(),
    timestampType: config.messageTimestampType,
    beforeMaxMs: config.messageTimestampBeforeMaxMs,
    afterMaxMs: config.messageTimestampAfterMaxMs,
  }
  if (origin === 'replica') return judgeAll(records, rules, host.env)
  const verdict = validateBatch(records, rules, host.env)
  if (!verdict.ok) return verdict
  const { header, greatestMs } = verdict
  const batch =
    records.length === header.sizeBytes ? records : records.subarray(0, header.sizeBytes)
  const codec = origin === 'client' ? otherCodec(config.compressionType, header) : null
  if (verdict.needsRecords || codec !== null) {
    const { codecs, env } = host
    return open(verdict, batch, codec, { rules, codecs, crc32c: env.crc32c, levels: config })
  }
  const mended = mend({ header, greatestMs }, batch, rules, host.env.crc32c)
  return { ok: true, records: batch, headers: [mended] }
}

/**
 * A client's batch says its greatest timestamp itself, and not all clients say it right: look-ups by time and
 * retention go by it. Where the records tell another, the header is mended, as Kafka does it.
 */
function mend(
  { header, greatestMs }: Pick<BatchAccepted, 'header' | 'greatestMs'>,
  records: Uint8Array,
  rules: BatchRules,
  crc32c: Crc32c,
): BatchHeader {
  if (greatestMs === null || rules.timestampType === 'LogAppendTime') return header
  if (greatestMs === header.maxTimestamp) return header
  if (greatestMs === readTimestamps(records, 0).maxTimestamp) return header
  return { ...header, ...mendMaxTimestamp(records, greatestMs, crc32c) }
}

/** The batches that a leader sent: they are stored as they are, and never opened. */
function judgeAll(records: Uint8Array, rules: BatchRules, tools: BatchTools): Judgement {
  const headers: BatchHeader[] = []
  for (const batch of batchesOf(records)) {
    const verdict = validateBatch(batch, rules, tools)
    if (!verdict.ok) return verdict
    headers.push(verdict.header)
  }
  return { ok: true, records, headers }
}

interface Opening {
  readonly rules: BatchRules
  readonly codecs: Codecs
  readonly crc32c: Crc32c
  readonly levels: CompressionLevels
}

async function open(
  accepted: BatchAccepted,
  records: Uint8Array,
  codec: CodecId | null,
  { rules, codecs, crc32c, levels }: Opening,
): Promise<Judgement> {
  let { greatestMs } = accepted
  if (accepted.needsRecords) {
    const verdict = await validateRecords(accepted.header, records, codecs, rules)
    if (!verdict.ok) return verdict
    greatestMs = verdict.greatestMs
  }
  const header = mend({ header: accepted.header, greatestMs }, records, rules, crc32c)
  if (codec === null) return { ok: true, records, headers: [header] }
  const { maxMessageBytes } = rules
  const made = await recompress(header, records, codec, { codecs, crc32c, maxMessageBytes, levels })
  return made.ok ? { ok: true, records: made.records, headers: [made.header] } : made
}

/** What is stored is stored in one segment, and none is larger than `segment.bytes`. Replicas follow their leader. */
export function tooLarge(
  { config }: LogState,
  { records }: SoundBatches,
  { origin }: AppendOptions,
): Refusal | null {
  if (origin !== 'client' || records.length <= config.segmentBytes) return null
  const message =
    `The batch has ${records.length} bytes; a segment of the topic has ${config.segmentBytes}. ` +
    'Send smaller batches, or raise segment.bytes of the topic.'
  return { error: errors.RECORD_LIST_TOO_LARGE.name, message, beforeLog: true }
}

/** Whether the batches may not stand at `nextOffset` of this log: of an older leader, or not the next ones of a replica's. */
export function misplaced(
  { epochs, config }: LogState,
  headers: readonly BatchHeader[],
  { origin, leaderEpoch }: AppendOptions,
  nextOffset: number,
): Refusal | null {
  let latest = epochs.latest
  let next = nextOffset
  for (const header of headers) {
    const epoch = origin === 'replica' ? header.leaderEpoch : leaderEpoch
    if (epoch < latest) {
      const message = `Leader epoch ${epoch} is over, the log is in ${latest}.`
      return { error: errors.FENCED_LEADER_EPOCH.name, message }
    }
    const isNext = header.baseOffset === next || (isCompacted(config) && header.baseOffset > next)
    if (origin === 'replica' && !isNext) {
      const message = `A batch begins at ${header.baseOffset} where ${next} goes on.`
      return { error: errors.OFFSET_OUT_OF_RANGE.name, message }
    }
    latest = epoch
    next = lastOffset(header) + 1
  }
  return null
}

/** Writes what the leader decides into the batch; the headers as they are stored. */
export function stamp(
  { config, host }: LogState,
  { records, headers }: SoundBatches,
  { origin, leaderEpoch }: AppendOptions,
  { nextOffset, nowMs }: { readonly nextOffset: number; readonly nowMs: number },
): readonly BatchHeader[] {
  if (origin === 'replica') return headers
  stampBatch(records, 0, nextOffset, leaderEpoch)
  const header = { ...headers[0]!, baseOffset: nextOffset, leaderEpoch }
  if (config.messageTimestampType === 'CreateTime') return [header]
  return [{ ...header, ...stampAppendTime(records, 0, nowMs, host.env.crc32c) }]
}

/** The batches of a replica's append, one after the other; what is left over comes last, for validation to refuse. */
function batchesOf(records: Uint8Array): Uint8Array[] {
  const batches: Uint8Array[] = []
  let at = 0
  do {
    const isWhole = at + batchOverheadBytes <= records.length
    const sizeBytes = isWhole ? readBatchSize(records, at) : 0
    const end =
      sizeBytes >= batchOverheadBytes ? Math.min(at + sizeBytes, records.length) : records.length
    batches.push(records.subarray(at, end))
    at = end
  } while (at < records.length)
  return batches
}
