import { DiskError } from '../../../env/env.ts'
import { present } from '../../../lib/assert.ts'
import { readUint32 } from '../../../lib/bytes.ts'
import { errors } from '../../wire/errors.ts'
import { lastOffset, type BatchHeader } from '../batch/batch.ts'
import type { Undo } from '../producers/states.ts'
import { Segment } from '../segment/segment.ts'
import { isPassing } from '../shortage.ts'
import type { EpochEntry } from '../state/epoch-cache.ts'
import type { LogState } from '../state/log-state.ts'
import { noteGrowth } from './growth.ts'
import type { AppendOptions, Done, Refusal } from './result.ts'
import { judge, misplaced, stamp, tooLarge, type Judgement, type SoundBatches } from './rules.ts'
import type { Sealer } from './sealing.ts'

/** Relative offsets are 32 bits in the index, and signed in Kafka's. */
const segmentOffsetsMax = 0x7fff_ffff

/** An append that waits; its verdict may have to wait for its records to be opened. */
interface Request {
  readonly verdict: SoundBatches | Promise<Judgement>
  readonly options: AppendOptions
  readonly done: Done
}

/** One append that has its offsets and waits for the write of this turn. */
interface Stage {
  readonly bytes: Uint8Array
  readonly headers: readonly BatchHeader[]
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

/** The segment that an append goes into. */
interface Tail {
  baseOffset: number
  sizeBytes: number
  firstAppendMs: number | null
  /** In [0, 1), how much of `segment.jitter.ms` it is closed earlier; null as long as nobody asked. */
  jitter: number | null
}

/** A new segment begins before the stage; the snapshot is of everything below it. */
interface Roll {
  readonly baseOffset: number
  readonly snapshot: Uint8Array
}

/**
 * The front door of the room: the end of a log, where it grows.
 *
 * Appends are taken in order of arrival (G14), judged by the rules of their topic, given offsets at once, and
 * written with one write per segment and turn of the event loop. The end offset moves, and answers go out, after the
 * write returned. What is refused leaves nothing behind; a write that failed is taken back as if nobody had asked, or
 * is final for the directory. A segment that is full is closed, and gets its caches in the background (`sealing.ts`).
 */
export class Appender {
  readonly #state: LogState
  readonly #sealer: Sealer
  #staged: Stage[] = []
  /** Appends that wait: for their records to be opened, or for the cut after a failed write to be durable. */
  #queue: Request[] = []
  #isPumping = false
  #settling: Promise<void> | null = null
  /** The newest epoch that a leader began here; it stands even where the batches before it are taken back. */
  #notedEpoch = -1
  /** The end of the log with everything that is staged. */
  #nextOffset: number
  /** The active segment with everything that is staged. */
  #tail: Tail

  constructor(state: LogState, sealer: Sealer) {
    this.#state = state
    this.#sealer = sealer
    this.#nextOffset = state.endOffset
    this.#tail = tailOf(state)
    if (state.availability.refusal === null) this.#preallocate()
  }

  /** The end offset when everything staged will be written. */
  get stagedEndOffset(): number {
    return this.#nextOffset
  }

  append(records: Uint8Array, options: AppendOptions, done: Done): void {
    const refused = this.#state.availability.refusal
    if (refused !== null) return this.#refuse(done, refused)
    const verdict = judge(this.#state, records, options)
    if (!(verdict instanceof Promise)) {
      if (!verdict.ok) return this.#refuse(done, verdict)
      const mayGoNow = this.#queue.length === 0 && this.#settling === null
      if (mayGoNow) return this.#stage(verdict, options, done)
    }
    this.#queue.push({ verdict, options, done })
    if (!this.#isPumping) void this.#pump()
  }

  /** I-14: the epoch begins at the end of the log, with what is staged. */
  noteEpoch(epoch: number): void {
    if (this.#state.epochs.assign(epoch, this.#nextOffset)) this.#notedEpoch = epoch
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

  async #pump(): Promise<void> {
    this.#isPumping = true
    while (this.#queue.length > 0) {
      const { verdict: found, options, done } = this.#queue[0]!
      const verdict = await found
      await this.#settling
      this.#queue.shift()
      if (verdict.ok) this.#stage(verdict, options, done)
      else this.#refuse(done, verdict)
    }
    this.#isPumping = false
  }

  #stage(sound: SoundBatches, options: AppendOptions, done: Done): void {
    const { availability, producers, epochs, config } = this.#state
    const refused = availability.refusal
    if (refused !== null) return this.#refuse(done, refused)
    const { records, headers: offered } = sound
    const large = tooLarge(this.#state, sound, options)
    if (large !== null) return this.#refuse(done, large)
    const check = producers.check(present(offered[0], 'an append has a batch'), options.origin)
    if (check.kind === 'refused') return this.#refuse(done, check)
    if (check.kind === 'duplicate') return this.#stageDuplicate(check, done)
    const wrong = misplaced(this.#state, offered, options, this.#nextOffset)
    if (wrong !== null) return this.#refuse(done, wrong)

    const nowMs = this.#state.host.env.clock.now()
    const place = { nextOffset: this.#nextOffset, nowMs }
    const headers = stamp(this.#state, sound, options, place)
    const first = headers[0]!
    const roll = this.#rollBefore(records.length, headers, nowMs)
    const epochsBefore = epochs.entries
    for (const { leaderEpoch, baseOffset } of headers) epochs.assign(leaderEpoch, baseOffset)
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
      roll,
      undos,
      epochsBefore,
      result,
      done,
    })
  }

  /** The answer is the original's, and it goes out when the original is written. Its time is told as in Kafka: always. */
  #stageDuplicate(
    {
      baseOffset,
      lastOffset: last,
      timestampMs: logAppendTimeMs,
    }: { baseOffset: number; lastOffset: number; timestampMs: number },
    done: Done,
  ): void {
    const { endOffset, epochs } = this.#state
    const result = { baseOffset, lastOffset: last, logAppendTimeMs, duplicate: true }
    if (last < endOffset) {
      done({ ok: true, ...result, logStartOffset: this.#state.startOffset })
      return
    }
    this.#push({
      bytes: nothing,
      headers: [],
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

  /** Decides, before the batches count, whether they begin a new segment. */
  #rollBefore(sizeBytes: number, headers: readonly BatchHeader[], nowMs: number): Roll | null {
    const { config, segments, producers, host } = this.#state
    const tail = this.#tail
    const baseOffset = headers[0]!.baseOffset
    const isIndexFull =
      segments.active.baseOffset === tail.baseOffset &&
      (segments.active.index?.isFull(config.segmentIndexBytes) ?? false)
    const isDue =
      tail.sizeBytes > 0 &&
      (tail.sizeBytes + sizeBytes > config.segmentBytes ||
        lastOffset(headers.at(-1)!) - tail.baseOffset > segmentOffsetsMax ||
        nowMs - (tail.firstAppendMs ?? nowMs) >= this.#ageMax(tail) ||
        isIndexFull)
    if (isDue) this.#tail = { baseOffset, sizeBytes: 0, firstAppendMs: null, jitter: null }
    this.#tail.sizeBytes += sizeBytes
    this.#tail.firstAppendMs ??= nowMs
    return isDue ? { baseOffset, snapshot: producers.encode(host.env.crc32c) } : null
  }

  /** How old a segment becomes: `segment.ms`, or by chance a little less. More than 0. */
  #ageMax(tail: Tail): number {
    const { config, host } = this.#state
    if (config.segmentJitterMs === 0) return config.segmentMs
    tail.jitter ??= readUint32(host.env.random.bytes(4), 0) / 2 ** 32
    return config.segmentMs - tail.jitter * Math.min(config.segmentJitterMs, config.segmentMs)
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
    if (this.#staged.length === 0) noteGrowth(this.#state)
  }

  /** Stages of one segment, with one write. */
  #writeGroup(stages: readonly Stage[]): DiskError | null {
    // An fsync may have failed since the batches were staged: what would be answered now is worth nothing.
    if (this.#state.host.failure !== null) return this.#state.host.failure
    try {
      const roll = stages[0]!.roll
      if (roll !== null) this.#startSegment(roll)
      if (stages.some(({ bytes }) => bytes.length > 0)) this.#writeBatches(stages)
    } catch (error) {
      if (error instanceof DiskError) return error
      throw error
    }
    this.#finish(stages)
    return null
  }

  #writeBatches(stages: readonly Stage[]): void {
    const { host, config, segments, durability } = this.#state
    const { clock } = host.env
    const segment = segments.active
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
    host.wrote(durability, { segment, from, length: segment.sizeBytes - from, elapsedMs })
  }

  #finish(stages: readonly Stage[]): void {
    for (const { result, done } of stages) {
      done({ ok: true, ...result, logStartOffset: this.#state.startOffset })
    }
  }

  #startSegment({ baseOffset, snapshot }: Roll): void {
    const { segments, host, path, durability } = this.#state
    const closed = segments.active
    segments.push(Segment.create(host.env.disk, path, baseOffset))
    this.#preallocate()
    durability.directoryChanged()
    this.#sealer.seal(closed, { offset: baseOffset, bytes: snapshot })
    host.flushSoon(durability)
  }

  /** Where the topic wants it. A segment can grow without, as long as there is room. */
  #preallocate(): void {
    const { config, segments, host, name } = this.#state
    if (!config.preallocate) return
    try {
      segments.active.reserve(config.segmentBytes)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      host.warn('Could not preallocate a segment', { log: name, error: error.message })
    }
  }

  /** A failed write: the file is cut back, what was staged is forgotten, and all of it is refused. */
  #takeBack(stages: readonly Stage[], error: DiskError): void {
    const { host, producers, epochs, segments } = this.#state
    for (const { undos } of stages.toReversed()) {
      for (const undo of undos.toReversed()) producers.undo(undo)
    }
    epochs.restore(stages[0]!.epochsBefore)
    this.#nextOffset = this.#state.endOffset
    if (this.#notedEpoch > epochs.latest) epochs.assign(this.#notedEpoch, this.#nextOffset)
    this.#tail = tailOf(this.#state)
    const message = `${error.message}; nothing of the batch was kept.`
    const refuse = () => {
      for (const { done } of stages) {
        this.#refuse(done, { error: errors.KAFKA_STORAGE_ERROR.name, message })
      }
    }
    if (isPassing(error) && isCutBack(segments.active)) return this.#settle(segments.active, refuse)
    host.fail(error)
    refuse()
  }

  /** The cut must be durable before anything is written over it, or a refused batch could come back (FORMAT.md). */
  #settle({ file }: Segment, then: () => void): void {
    this.#settling = file
      .sync()
      .catch((error: unknown) => {
        if (!(error instanceof DiskError)) throw error
        this.#state.host.fail(error)
      })
      .then(() => {
        this.#settling = null
        then()
      })
  }

  #refuse(done: Done, { error, message, recordErrors = [], beforeLog }: Refusal): void {
    const logStartOffset = beforeLog ? -1 : this.#state.startOffset
    done({ ok: false, error, message, recordErrors, logStartOffset })
  }
}

const nothing = new Uint8Array(0)

function tailOf({ segments: { active } }: LogState): Tail {
  const { baseOffset, sizeBytes, firstAppendMs } = active
  return { baseOffset, sizeBytes, firstAppendMs, jitter: null }
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
