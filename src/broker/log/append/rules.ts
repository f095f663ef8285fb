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
  /**
   * As they came, or as the batch was made anew; `stamp` gives them as they are stored. Empty only where a replica may take
   * none of what came.
   */
  readonly headers: readonly BatchHeader[]
}

export type Judgement = SoundBatches | BatchRefusal

/** Judges what came by headers and CRC; a promise where records must be opened. */
export function judge(
  { config, host }: LogState,
  records: Uint8Array,
  { origin, allowsZstd, leaderEpochMax = Infinity }: AppendOptions,
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
  if (origin === 'replica') return judgeAll(records, rules, leaderEpochMax, host.env)
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

/**
 * The batches that a leader sent, up to the first of a later epoch: they are looked at one by one, stored as they are, and
 * never opened (R13, I-15).
 */
function judgeAll(
  records: Uint8Array,
  rules: BatchRules,
  leaderEpochMax: number,
  tools: BatchTools,
): Judgement {
  const headers: BatchHeader[] = []
  let sizeBytes = 0
  for (const batch of batchesOf(records)) {
    const verdict = validateBatch(batch, rules, tools)
    if (!verdict.ok) return verdict
    if (verdict.header.leaderEpoch > leaderEpochMax) break
    headers.push(verdict.header)
    sizeBytes += batch.length
  }
  return { ok: true, records: records.subarray(0, sizeBytes), headers }
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

/**
 * Whether the batches may not stand at `nextOffset` of this log: of an older leader, or not the next ones of a replica's.
 * What a leader sent may have gaps, whatever its topic's policy is by now; see `gapsEnd`.
 */
export function misplaced(
  { epochs, config }: LogState,
  headers: readonly BatchHeader[],
  { origin, leaderEpoch, fetchOffset }: AppendOptions,
  nextOffset: number,
): Refusal | null {
  const isCurrent = fetchOffset === undefined || fetchOffset === nextOffset
  if (!isCurrent) return outOfPlace(fetchOffset, nextOffset)
  let latest = epochs.latest
  let next = nextOffset
  for (const [at, header] of headers.entries()) {
    const epoch = origin === 'replica' ? header.leaderEpoch : leaderEpoch
    if (epoch < latest) {
      const message = `Leader epoch ${epoch} is over, the log is in ${latest}.`
      return { error: errors.FENCED_LEADER_EPOCH.name, message }
    }
    if (header.lastOffsetDelta < 0 || !Number.isSafeInteger(lastOffset(header))) {
      const message = `Offsets ${header.baseOffset} and ${header.lastOffsetDelta} more are none that a batch can have.`
      return { error: errors.CORRUPT_MESSAGE.name, message }
    }
    const mayHaveGap = at > 0 || fetchOffset !== undefined || isCompacted(config)
    const isNext = header.baseOffset === next || (mayHaveGap && header.baseOffset > next)
    if (origin === 'replica' && !isNext) return outOfPlace(header.baseOffset, next)
    latest = epoch
    next = lastOffset(header) + 1
  }
  return null
}

function outOfPlace(offset: number, nextOffset: number): Refusal {
  const message = `A batch begins at ${offset} where ${nextOffset} goes on.`
  return { error: errors.OFFSET_OUT_OF_RANGE.name, message }
}

/** Where the last gap between a leader's batches ends, or between them and `nextOffset`; 0 where there is none. */
export function gapsEnd(
  headers: readonly BatchHeader[],
  { origin }: AppendOptions,
  nextOffset: number,
): number {
  if (origin !== 'replica') return 0
  let next = nextOffset
  let end = 0
  for (const header of headers) {
    if (header.baseOffset > next) end = header.baseOffset
    next = lastOffset(header) + 1
  }
  return end
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

/**
 * The batches of a fetch, one after the other. One that is cut short at the end is left out, unless it is all that came: then
 * validation refuses it.
 */
function* batchesOf(records: Uint8Array): Generator<Uint8Array, void, undefined> {
  let at = 0
  while (at + batchOverheadBytes <= records.length) {
    const end = at + Math.max(readBatchSize(records, at), batchOverheadBytes)
    if (end > records.length) break
    yield records.subarray(at, end)
    at = end
  }
  if (at === 0) yield records
}
