import { DiskError } from '../../../env/env.ts'
import { present } from '../../../lib/assert.ts'
import { readUint32 } from '../../../lib/bytes.ts'
import { deferred, type Deferred } from '../../../lib/deferred.ts'
import { errors } from '../../wire/errors.ts'
import { lastOffset, type BatchHeader } from '../batch/batch.ts'
import { isCompacted } from '../log-config.ts'
import type { Segment } from '../segment/segment.ts'
import { isPassing } from '../shortage.ts'
import type { LogState } from '../state/log-state.ts'
import { noteGrowth } from './growth.ts'
import type { AppendOptions, Done, Refusal } from './result.ts'
import { judge, misplaced, stamp, tooLarge, type Judgement, type SoundBatches } from './rules.ts'
import type { Sealer } from './sealing.ts'
import type { Roll, Stage } from './stage.ts'
import { Writer, type Unwritten } from './writer.ts'

/** Relative offsets are 32 bits in the index, and signed in Kafka's. */
const segmentOffsetsMax = 0x7fff_ffff

/** An append that waits; its verdict may have to wait for its records to be opened. */
interface Request {
  readonly verdict: SoundBatches | Promise<Judgement>
  readonly options: AppendOptions
  readonly done: Done
}

/** Something that waits as an append does. */
interface Interlude {
  readonly act: () => Promise<void>
  readonly done: Deferred<void>
}

/** The segment that an append goes into. */
interface Tail {
  baseOffset: number
  sizeBytes: number
  firstAppendMs: number | null
  /** In [0, 1), how much of `segment.jitter.ms` it is closed earlier; null as long as nobody asked. */
  jitter: number | null
}

/**
 * The front door of the room: the end of a log, where it grows.
 *
 * Appends are taken in order of arrival (G14), judged by the rules of their topic, given offsets at once, and
 * written with one write per segment and turn of the event loop. The end offset moves, and answers go out, after the
 * write returned (`writer.ts`); while a thread is at it, who comes waits, and has no offset yet. What is refused leaves
 * nothing behind; a write that failed is taken back as if nobody had asked, or is final for the directory. A segment
 * that is full is closed, and gets its caches in the background (`sealing.ts`).
 */
export class Appender {
  readonly #state: LogState
  readonly #writer: Writer
  #staged: Stage[] = []
  /** Appends that wait: for their records to be opened, for a write, or for the cut after a failed one to be durable. */
  #queue: (Request | Interlude)[] = []
  #isPumping = false
  /** Nothing is staged meanwhile: a write that fails takes back all that is, and its answers may bring the next append. */
  #isWriting = false
  /** The end of what goes on without the event loop: a thread's write, the sync of a cut. Nothing is staged meanwhile. */
  #settling: Promise<void> | null = null
  /** The newest epoch that a leader began here; it stands even where the batches before it are taken back. */
  #notedEpoch = -1
  /** The end of the log with everything that is staged. */
  #nextOffset: number
  /** The active segment with everything that is staged. */
  #tail: Tail

  constructor(state: LogState, sealer: Sealer) {
    this.#state = state
    this.#writer = new Writer(state, sealer)
    this.#nextOffset = state.endOffset
    this.#tail = tailOf(state)
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
      const mayGoNow = this.#queue.length === 0 && !this.#isWriting && this.#settling === null
      if (mayGoNow) return this.#stage(verdict, options, done)
    }
    this.#queue.push({ verdict, options, done })
    if (!this.#isPumping) void this.#pump()
  }

  /** I-14: the epoch begins at the end of the log, with what is staged. */
  noteEpoch(epoch: number): void {
    if (this.#state.epochs.assign(epoch, this.#nextOffset)) this.#notedEpoch = epoch
  }

  /** Writes what is staged now, without waiting for the end of the turn; a thread's write only begins. */
  writeNow(): void {
    if (this.#staged.length === 0) return
    const stages = this.#staged
    this.#staged = []
    this.#isWriting = true
    const written = this.#writer.write(stages)
    if (written instanceof Promise) this.#settling = written.then(each => this.#wrote(each))
    else this.#wrote(written)
  }

  /** Resolves when nothing waits any more, and all is written. */
  async drain(): Promise<void> {
    this.writeNow()
    while (this.#isPumping || this.#settling !== null || this.#staged.length > 0) {
      await this.#settling
      await new Promise<void>(resolve => this.#state.host.env.clock.soon(resolve))
      this.writeNow()
    }
  }

  /**
   * Closes the active segment, if it holds anything, before the next append would. False where that cannot be done
   * now, since a thread is writing into it or a cut is not durable yet: then it is left for the next time.
   */
  rollNow(): boolean {
    this.writeNow()
    if (this.#isWriting || this.#settling !== null) return false
    if (this.#state.segments.active.isEmpty) return true
    this.#writer.startSegment({
      baseOffset: this.#nextOffset,
      snapshot: this.#state.producers.encode(this.#state.host.env.crc32c),
    })
    this.#tail = tailOf(this.#state)
    return true
  }

  /**
   * Does `act`, which may move the log's end, when its turn comes: what was appended before is written then, and what is
   * appended after waits. An epoch that a leader noted and has no batches yet does not outlive it: whose log is cut leads no
   * more. Rejects as `act` does.
   */
  whileStill(act: () => Promise<void>): Promise<void> {
    const done = deferred<void>()
    this.#queue.push({ act, done })
    if (!this.#isPumping) void this.#pump()
    return done.promise
  }

  async #pump(): Promise<void> {
    this.#isPumping = true
    while (this.#queue.length > 0) {
      const next = this.#queue[0]!
      if ('act' in next) {
        await this.#beStill(next)
        this.#queue.shift()
        continue
      }
      const { verdict: found, options, done } = next
      const verdict = await found
      while (this.#settling !== null) await this.#settling
      this.#queue.shift()
      if (verdict.ok) this.#stage(verdict, options, done)
      else this.#refuse(done, verdict)
    }
    this.#isPumping = false
  }

  async #beStill({ act, done }: Interlude): Promise<void> {
    while (this.#staged.length > 0 || this.#isWriting || this.#settling !== null) {
      this.writeNow()
      await this.#settling
    }
    try {
      await act()
      done.resolve()
    } catch (error) {
      done.reject(error as Error)
    }
    this.#notedEpoch = -1
    this.#nextOffset = this.#state.endOffset
    this.#tail = tailOf(this.#state)
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

  /**
   * How old a segment becomes: `segment.ms`, or by chance a little less. More than 0. A compacted log's not older than its records may
   * wait for compaction, which takes closed segments only.
   */
  #ageMax(tail: Tail): number {
    const { config, host } = this.#state
    const segmentMs = isCompacted(config)
      ? Math.min(config.segmentMs, config.maxCompactionLagMs)
      : config.segmentMs
    if (config.segmentJitterMs === 0) return segmentMs
    tail.jitter ??= readUint32(host.env.random.bytes(4), 0) / 2 ** 32
    return segmentMs - tail.jitter * Math.min(config.segmentJitterMs, segmentMs)
  }

  #wrote(unwritten: Unwritten | null): void {
    this.#isWriting = false
    this.#settling = null
    if (unwritten === null) noteGrowth(this.#state)
    else this.#takeBack(unwritten)
  }

  /** A failed write: the file is cut back, what was staged is forgotten, and all of it is refused. */
  #takeBack({ stages, error }: Unwritten): void {
    const { host, producers, epochs, segments } = this.#state
    for (const { undos } of stages.toReversed()) {
      for (const undo of undos.toReversed()) producers.undo(undo)
    }
    epochs.restore(stages[0]!.epochsBefore)
    epochs.cutBefore(this.#state.startOffset)
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
