import { DiskError } from '../../env/env.ts'
import { assert, present } from '../../lib/assert.ts'
import { errors, type ErrorName } from '../wire/errors.ts'
import {
  batchOverheadBytes,
  lastOffset,
  readBatchHeader,
  stampAppendTime,
  stampBatch,
  type AppendOrigin,
  type BatchHeader,
} from './batch.ts'
import type { EpochEntry } from './epoch-cache.ts'
import { isCompacted } from './log-config.ts'
import type { Flushable } from './log-host.ts'
import { refusal, type LogState } from './log-state.ts'
import type { Undo } from './producer-states.ts'
import { Segment } from './segment.ts'
import { sealSegment } from './sealing.ts'
import {
  validateBatch,
  validateRecords,
  type RecordFault,
  type RecordsVerdict,
  type BatchRules,
} from './validate.ts'

export interface AppendOptions {
  readonly leaderEpoch: number
  /** Replicas append what a leader decided: offsets, epochs and timestamps are taken as they are. */
  readonly origin: AppendOrigin
}

export type AppendResult =
  | {
      readonly ok: true
      /** The batch was appended before (G21); offsets and timestamp are the original's. */
      readonly duplicate: boolean
      readonly baseOffset: number
      readonly lastOffset: number
      /** -1 for CreateTime. */
      readonly logAppendTimeMs: number
      readonly logStartOffset: number
    }
  | {
      readonly ok: false
      readonly error: ErrorName
      readonly message: string
      readonly recordErrors: readonly RecordFault[]
      readonly logStartOffset: number
    }

export type Done = (result: AppendResult) => void

/** Relative offsets are 32 bits in the index, and signed in Kafka's. */
const segmentOffsetsMax = 0x7fff_ffff

interface Request {
  readonly records: Uint8Array
  readonly options: AppendOptions
  readonly done: Done
  /** What opening the records found; null where nobody needs to look inside. */
  readonly opened: Promise<RecordsVerdict> | null
}

/** One append that has its offsets and waits for the write of this turn. */
interface Stage {
  readonly bytes: Uint8Array
  readonly headers: readonly BatchHeader[]
  readonly nextOffset: number
  readonly roll: Roll | null
  /** What is taken back if the write fails. */
  readonly undos: readonly Undo[]
  readonly epochsBefore: readonly EpochEntry[]
  readonly result: {
    readonly baseOffset: number
    readonly lastOffset: number
    readonly logAppendTimeMs: number
    readonly duplicate: boolean
  }
  readonly done: Done
}

/** A new segment begins before the stage; the snapshot is of everything below it. */
interface Roll {
  readonly baseOffset: number
  readonly snapshot: Uint8Array
}

/**
 * Takes appends in order of arrival (G14), gives them offsets at once, and writes all that one turn of the event
 * loop brought with one write per segment. The end offset moves, and answers go out, after the write returned.
 */
export class Appender {
  readonly #log: Flushable
  readonly #state: LogState
  #staged: Stage[] = []
  /** Appends that wait: for their records to be opened, or for the cut after a failed write to be durable. */
  #queue: Request[] = []
  #isPumping = false
  #settling: Promise<void> | null = null
  /** The end of the log with everything that is staged. */
  #nextOffset: number
  /** The active segment with everything that is staged. */
  #tail: { baseOffset: number; sizeBytes: number; firstAppendMs: number | null }

  constructor(log: Flushable, state: LogState) {
    this.#log = log
    this.#state = state
    this.#nextOffset = state.endOffset
    this.#tail = tailOf(state)
  }

  /** The end offset when everything staged will be written. */
  get stagedEndOffset(): number {
    return this.#nextOffset
  }

  append(records: Uint8Array, options: AppendOptions, done: Done): void {
    const refused = refusal(this.#state)
    if (refused !== null) return this.#refuse(done, refused)
    const opened = this.#validate(records, options)
    if (opened !== null && 'error' in opened) return this.#refuse(done, opened)
    const request = { records, options, done, opened }
    if (opened === null && this.#queue.length === 0 && this.#settling === null) {
      this.#stage(request)
      return
    }
    this.#queue.push(request)
    if (!this.#isPumping) void this.#pump()
  }

  /** Writes what is staged now, without waiting for the end of the turn. */
  writeNow(): void {
    if (this.#staged.length > 0) this.#write()
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    while (this.#isPumping || this.#settling !== null) {
      await this.#settling
      await new Promise<void>(resolve => this.#state.host.env.clock.soon(resolve))
    }
    this.writeNow()
  }

  /** The log was emptied and goes on at `offset`. Nothing may be staged. */
  restart(): void {
    assert(this.#staged.length === 0, 'a log is not restarted under a staged append')
    this.#nextOffset = this.#state.endOffset
    this.#tail = tailOf(this.#state)
  }

  /** Closes the active segment, if it holds anything, before `nowMs`'s next append would. */
  rollNow(): void {
    this.writeNow()
    if (this.#state.segments.active.isEmpty) return
    this.#startSegment({
      baseOffset: this.#nextOffset,
      snapshot: this.#state.producers.encode(this.#state.host.env.crc32c),
    })
    this.#tail = tailOf(this.#state)
  }

  /** Null where the batches are sound; a promise where their records must be opened to know. */
  #validate(
    records: Uint8Array,
    { origin }: AppendOptions,
  ): Promise<RecordsVerdict> | Refusal | null {
    const { config, host } = this.#state
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
      if (verdict.needsRecords) {
        return validateRecords(verdict.header, batch, host.codecs, rules)
      }
    }
    return null
  }

  async #pump(): Promise<void> {
    this.#isPumping = true
    while (this.#queue.length > 0) {
      const request = this.#queue[0]!
      const verdict = await request.opened
      await this.#settling
      this.#queue.shift()
      if (verdict !== null && !verdict.ok) this.#refuse(request.done, verdict)
      else this.#stage(request)
    }
    this.#isPumping = false
  }

  #stage(request: Request): void {
    const { records, options, done } = request
    const refused = refusal(this.#state)
    if (refused !== null) return this.#refuse(done, refused)
    const { producers, epochs, config } = this.#state
    const header = readBatchHeader(records, 0)
    const check = producers.check(header, options.origin)
    if (check.kind === 'refused') return this.#refuse(done, check)
    if (check.kind === 'duplicate') return this.#stageDuplicate(check, done)
    const misplaced = this.#misplaced(header, options)
    if (misplaced !== null) return this.#refuse(done, misplaced)

    const nowMs = this.#state.host.env.clock.now()
    const headers = this.#stamp(records, options, nowMs)
    const first = present(headers[0], 'an append has a batch')
    const roll = this.#rollBefore(records.length, headers, nowMs)
    const epochsBefore = epochs.entries
    for (const { leaderEpoch, baseOffset } of headers) {
      if (epochs.assign(leaderEpoch, baseOffset)) this.#state.areEpochsDirty = true
    }
    const undos = headers.map(each => producers.apply(each, each.baseOffset, nowMs))
    const last = lastOffset(headers.at(-1)!)
    this.#nextOffset = last + 1
    const logAppendTimeMs =
      config.messageTimestampType === 'LogAppendTime' ? first.maxTimestamp : -1
    const result = {
      baseOffset: first.baseOffset,
      lastOffset: last,
      logAppendTimeMs,
      duplicate: false,
    }
    this.#push({
      bytes: records,
      headers,
      nextOffset: last + 1,
      roll,
      undos,
      epochsBefore,
      result,
      done,
    })
  }

  /** The answer is the original's, and it goes out when the original is written. */
  #stageDuplicate(
    {
      baseOffset,
      lastOffset: last,
      timestampMs,
    }: { baseOffset: number; lastOffset: number; timestampMs: number },
    done: Done,
  ): void {
    const { config, endOffset, epochs } = this.#state
    const logAppendTimeMs = config.messageTimestampType === 'LogAppendTime' ? timestampMs : -1
    const result = { baseOffset, lastOffset: last, logAppendTimeMs, duplicate: true }
    if (last < endOffset) {
      done({ ok: true, ...result, logStartOffset: this.#state.startOffset })
      return
    }
    this.#push({
      bytes: nothing,
      headers: [],
      nextOffset: this.#nextOffset,
      roll: null,
      undos: [],
      epochsBefore: epochs.entries,
      result,
      done,
    })
  }

  #push(stage: Stage): void {
    this.#staged.push(stage)
    if (this.#staged.length === 1) this.#state.host.env.clock.soon(() => this.writeNow())
  }

  /** Whether the batch may not stand at the end of this log: an older leader's, or not the next one of a replica's. */
  #misplaced(header: BatchHeader, { origin, leaderEpoch }: AppendOptions): Refusal | null {
    const epoch = origin === 'replica' ? header.leaderEpoch : leaderEpoch
    if (epoch < this.#state.epochs.latest) {
      const message = `Leader epoch ${epoch} is over, the log is in ${this.#state.epochs.latest}.`
      return { error: errors.FENCED_LEADER_EPOCH.name, message }
    }
    if (origin !== 'replica' || header.baseOffset === this.#nextOffset) return null
    if (header.baseOffset > this.#nextOffset && isCompacted(this.#state.config)) return null
    const message = `The batch begins at ${header.baseOffset}, the log ends at ${this.#nextOffset}.`
    return { error: errors.OFFSET_OUT_OF_RANGE.name, message }
  }

  /** Writes what the leader decides into the batch, and reads the headers as they will be stored. */
  #stamp(
    records: Uint8Array,
    { origin, leaderEpoch }: AppendOptions,
    nowMs: number,
  ): BatchHeader[] {
    if (origin === 'replica') return batchesOf(records).map(batch => readBatchHeader(batch, 0))
    stampBatch(records, 0, this.#nextOffset, leaderEpoch)
    if (this.#state.config.messageTimestampType === 'LogAppendTime') {
      stampAppendTime(records, 0, nowMs, this.#state.host.env.crc32c)
    }
    return [readBatchHeader(records, 0)]
  }

  /** Decides, before the batches count, whether they begin a new segment. */
  #rollBefore(sizeBytes: number, headers: readonly BatchHeader[], nowMs: number): Roll | null {
    const { config, segments, producers, host } = this.#state
    const tail = this.#tail
    const baseOffset = headers[0]!.baseOffset
    const isDue =
      tail.sizeBytes > 0 &&
      (tail.sizeBytes + sizeBytes > config.segmentBytes ||
        lastOffset(headers.at(-1)!) - tail.baseOffset > segmentOffsetsMax ||
        nowMs - (tail.firstAppendMs ?? nowMs) >= config.segmentMs ||
        (segments.active.index?.isFull(config.segmentIndexBytes) ?? false))
    if (isDue) this.#tail = { baseOffset, sizeBytes: 0, firstAppendMs: null }
    this.#tail.sizeBytes += sizeBytes
    this.#tail.firstAppendMs ??= nowMs
    return isDue ? { baseOffset, snapshot: producers.encode(host.env.crc32c) } : null
  }

  #write(): void {
    const stages = this.#staged
    this.#staged = []
    let from = 0
    while (from < stages.length) {
      let to = from + 1
      while (to < stages.length && stages[to]!.roll === null) to++
      const failure = this.#writeGroup(stages.slice(from, to))
      if (failure !== null) return this.#takeBack(stages.slice(from), failure)
      from = to
    }
  }

  /** Stages of one segment, with one write. */
  #writeGroup(stages: readonly Stage[]): DiskError | null {
    const { host, config } = this.#state
    const { clock } = host.env
    const isEarly = host.sabotage.has('end-offset-before-write')
    if (isEarly) this.#finish(stages)
    try {
      const roll = stages[0]!.roll
      if (roll !== null) this.#startSegment(roll)
      const segment = this.#state.segments.active
      const from = segment.sizeBytes
      const startedMs = clock.monotonic()
      segment.file.write(
        from,
        stages.flatMap(({ bytes }) => (bytes.length === 0 ? [] : [bytes])),
      )
      const elapsedMs = clock.monotonic() - startedMs
      const nowMs = clock.now()
      for (const header of stages.flatMap(({ headers }) => headers)) {
        segment.noteAppended(header, config.indexIntervalBytes, nowMs)
      }
      host.wrote(this.#log, { segment, from, length: segment.sizeBytes - from, elapsedMs })
    } catch (error) {
      if (error instanceof DiskError) return error
      throw error
    }
    if (!isEarly) this.#finish(stages)
    return null
  }

  #finish(stages: readonly Stage[]): void {
    const state = this.#state
    state.endOffset = stages.at(-1)!.nextOffset
    for (const { result, done } of stages) {
      done({ ok: true, ...result, logStartOffset: state.startOffset })
    }
  }

  #startSegment({ baseOffset, snapshot }: Roll): void {
    const state = this.#state
    const closed = state.segments.active
    state.segments.push(Segment.create(state.host.env.disk, state.path, baseOffset))
    state.isDirectoryDirty = true
    sealSegment(state, closed, { offset: baseOffset, bytes: snapshot })
    state.host.flushSoon(this.#log)
  }

  /** A failed write: the file is cut back, what was staged is forgotten, and all of it is refused. */
  #takeBack(stages: readonly Stage[], error: DiskError): void {
    const { host, producers, epochs, segments } = this.#state
    for (const { undos } of stages.toReversed()) {
      for (const undo of undos.toReversed()) producers.undo(undo)
    }
    epochs.restore(stages[0]!.epochsBefore)
    this.#nextOffset = this.#state.endOffset
    this.#tail = tailOf(this.#state)
    const isPassing = error.code === 'ENOSPC' || error.code === 'EDQUOT'
    if (!isPassing || !isCutBack(segments.active)) host.fail(error)
    else this.#settle(segments.active)
    const message = `${error.message}; nothing of the batch was kept.`
    for (const { done } of stages)
      this.#refuse(done, { error: errors.KAFKA_STORAGE_ERROR.name, message })
  }

  /** The cut must be durable before anything is written over it, or a refused batch could come back (FORMAT.md). */
  #settle(segment: Segment): void {
    const { host } = this.#state
    this.#settling = segment.file
      .sync()
      .catch((error: unknown) => {
        if (!(error instanceof DiskError)) throw error
        host.fail(error)
      })
      .then(() => {
        this.#settling = null
      })
  }

  #refuse(done: Done, { error, message, recordErrors = [] }: Refusal): void {
    done({ ok: false, error, message, recordErrors, logStartOffset: this.#state.startOffset })
  }
}

interface Refusal {
  readonly error: ErrorName
  readonly message: string
  readonly recordErrors?: readonly RecordFault[]
}

const nothing = new Uint8Array(0)

function tailOf({ segments: { active } }: LogState): {
  baseOffset: number
  sizeBytes: number
  firstAppendMs: number | null
} {
  return {
    baseOffset: active.baseOffset,
    sizeBytes: active.sizeBytes,
    firstAppendMs: active.firstAppendMs,
  }
}

/** Cuts what a failed write left, and verifies it. */
function isCutBack({ file, sizeBytes }: Segment): boolean {
  try {
    file.truncate(sizeBytes)
    return file.size() === sizeBytes
  } catch (error) {
    if (error instanceof DiskError) return false
    throw error
  }
}

/** The batches of a replica's append, one after the other; what is left over comes last, for validation to refuse. */
function batchesOf(records: Uint8Array): Uint8Array[] {
  const batches: Uint8Array[] = []
  let at = 0
  while (at < records.length) {
    const isWhole = at + batchOverheadBytes <= records.length
    const sizeBytes = isWhole ? readBatchHeader(records, at).sizeBytes : 0
    const end =
      sizeBytes >= batchOverheadBytes ? Math.min(at + sizeBytes, records.length) : records.length
    batches.push(records.subarray(at, end))
    at = end
  }
  return batches
}
