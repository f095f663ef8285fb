import type { Crc32c } from '../../../lib/crc32c.ts'
import { errors } from '../../wire/errors.ts'
import type { AppendOptions, Refusal } from './result.ts'
import {
  batchOverheadBytes,
  lastOffset,
  readBatchHeader,
  stampAppendTime,
  stampBatch,
  type BatchHeader,
} from '../batch/batch.ts'
import type { CodecId } from '../compression/codec-id.ts'
import type { Codecs } from '../compression/codecs.ts'
import type { BatchRefusal } from '../batch/rules.ts'
import { isCompacted } from '../log-config.ts'
import type { LogState } from '../log-state.ts'
import { otherCodec, recompress, type Repacked } from '../batch/recompress.ts'
import {
  validateBatch,
  validateRecords,
  type BatchAccepted,
  type BatchRules,
} from '../batch/validate.ts'

/** What opening the records gave: the bytes to store, or why there are none. */
export type Judgement = Repacked | BatchRefusal

/** Null where the batches are sound and stored as they came; a promise where their records must be opened. */
export function judge(
  { config, host }: LogState,
  records: Uint8Array,
  { origin }: AppendOptions,
): Promise<Judgement> | Refusal | null {
  const rules: BatchRules = {
    maxMessageBytes: config.maxMessageBytes,
    compacted: isCompacted(config),
    origin,
    nowMs: host.env.clock.now(),
    timestampType: config.messageTimestampType,
    beforeMaxMs: config.messageTimestampBeforeMaxMs,
    afterMaxMs: config.messageTimestampAfterMaxMs,
  }
  for (const batch of origin === 'replica' ? batchesOf(records) : [records]) {
    const verdict = validateBatch(batch, rules, host.env.crc32c)
    if (!verdict.ok) return verdict
    const codec = origin === 'client' ? otherCodec(config.compressionType, verdict.header) : null
    if (verdict.needsRecords || codec !== null) {
      return open(verdict, batch, codec, { rules, codecs: host.codecs, crc32c: host.env.crc32c })
    }
  }
  return null
}

interface Opening {
  readonly rules: BatchRules
  readonly codecs: Codecs
  readonly crc32c: Crc32c
}

async function open(
  { header, needsRecords }: BatchAccepted,
  records: Uint8Array,
  codec: CodecId | null,
  { rules, codecs, crc32c }: Opening,
): Promise<Judgement> {
  if (needsRecords) {
    const verdict = await validateRecords(header, records, codecs, rules)
    if (!verdict.ok) return verdict
  }
  if (codec === null) return { ok: true, records }
  const { maxMessageBytes } = rules
  return recompress(header, records, codec, { codecs, crc32c, maxMessageBytes })
}

/** The headers of an append as they came. */
export function headersOf(records: Uint8Array, { origin }: AppendOptions): BatchHeader[] {
  if (origin !== 'replica') return [readBatchHeader(records, 0)]
  return batchesOf(records).map(batch => readBatchHeader(batch, 0))
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

/** Writes what the leader decides into the batch, and reads the headers as they will be stored. */
export function stamp(
  { config, host }: LogState,
  records: Uint8Array,
  options: AppendOptions,
  { nextOffset, nowMs }: { readonly nextOffset: number; readonly nowMs: number },
): BatchHeader[] {
  if (options.origin !== 'replica') {
    stampBatch(records, 0, nextOffset, options.leaderEpoch)
    if (config.messageTimestampType === 'LogAppendTime') {
      stampAppendTime(records, 0, nowMs, host.env.crc32c)
    }
  }
  return headersOf(records, options)
}

/** The batches of a replica's append, one after the other; what is left over comes last, for validation to refuse. */
function batchesOf(records: Uint8Array): Uint8Array[] {
  const batches: Uint8Array[] = []
  let at = 0
  do {
    const isWhole = at + batchOverheadBytes <= records.length
    const sizeBytes = isWhole ? readBatchHeader(records, at).sizeBytes : 0
    const end =
      sizeBytes >= batchOverheadBytes ? Math.min(at + sizeBytes, records.length) : records.length
    batches.push(records.subarray(at, end))
    at = end
  } while (at < records.length)
  return batches
}
