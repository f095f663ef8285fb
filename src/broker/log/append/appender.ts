import { DiskError } from '../../../env/env.ts'
import { deferred, type Deferred } from '../../../lib/deferred.ts'
import { errors } from '../../wire/errors.ts'
import { lastOffset, type BatchHeader } from '../batch/batch.ts'
import type { Undo } from '../producers/states.ts'
import type { Segment } from '../segment/segment.ts'
import { isPassing } from '../shortage.ts'
import type { LogState } from '../state/log-state.ts'
import { noteGrowth } from './growth.ts'
import type { AppendOptions, Done, Refusal } from './result.ts'
import {
  gapsEnd,
  judge,
  misplaced,
  stamp,
  tooLarge,
  type Judgement,
  type SoundBatches,
} from './rules.ts'
import type { Sealer } from './sealing.ts'
import type { Roll, Stage } from './stage.ts'
import { Tail } from './tail.ts'
import { Writer, type Unwritten } from './writer.ts'

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
  /** The end is being moved by somebody else. */
  #isStill = false
  /** The newest epoch that a leader began here; it stands even where the batches before it are taken back. */
  #notedEpoch = -1
  /** The end of the log with everything that is staged. */
  #nextOffset: number
  /** The active segment with everything that is staged. */
  readonly #tail: Tail

  constructor(state: LogState, sealer: Sealer) {
    this.#state = state
    this.#writer = new Writer(state, sealer)
    this.#nextOffset = state.endOffset
    this.#tail = new Tail(state)
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
      const isFree = this.#queue.length === 0 && !this.#isWriting && this.#settling === null
      if (isFree && !this.#hasNewGaps(verdict, options)) return this.#stage(verdict, options, done)
    }
    this.#queue.push({ verdict, options, done })
    if (!this.#isPumping) void this.#pump()
  }

  /** I-14: the epoch begins at the end of the log, with what is staged. */
  noteEpoch(epoch: number): void {
    if (this.#isStill) this.#notedEpoch = Math.max(this.#notedEpoch, epoch)
    else if (this.#state.epochs.assign(epoch, this.#nextOffset)) this.#notedEpoch = epoch
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
    this.#tail.reset()
    return true
  }

  /**
   * Does `act`, which may move the log's end, when its turn comes: what was appended before is written then, and what is
   * appended after waits. An epoch that a leader noted before and has no batches yet does not outlive it: whose log is cut
   * leads no more. Rejects as `act` does.
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
      let verdict = await found
      await this.#settled()
      if (verdict.ok && this.#hasNewGaps(verdict, options)) {
        verdict = await this.#allowGaps(verdict, options)
        await this.#settled()
      }
      this.#queue.shift()
      if (verdict.ok) this.#stage(verdict, options, done)
      else this.#refuse(done, verdict)
    }
    this.#isPumping = false
  }

  async #settled(): Promise<void> {
    while (this.#settling !== null) await this.#settling
  }

  async #beStill({ act, done }: Interlude): Promise<void> {
    while (this.#staged.length > 0 || this.#isWriting || this.#settling !== null) {
      this.writeNow()
      await this.#settling
    }
    this.#isStill = true
    this.#notedEpoch = -1
    const failure = await act().then(
      () => null,
      (error: unknown) => error as Error,
    )
    this.#isStill = false
    this.#nextOffset = this.#state.endOffset
    this.#tail.reset()
    if (this.#notedEpoch >= 0) this.noteEpoch(this.#notedEpoch)
    if (failure === null) done.resolve()
    else done.reject(failure)
  }

  /** A leader's log has gaps where it was compacted, and a start must know that they are none of ours (FORMAT.md). */
  #hasNewGaps({ headers }: SoundBatches, options: AppendOptions): boolean {
    return gapsEnd(headers, options, this.#nextOffset) > this.#state.sparseTo
  }

  async #allowGaps(sound: SoundBatches, options: AppendOptions): Promise<Judgement> {
    const { cleaned, host } = this.#state
    try {
      await cleaned.beginTo(gapsEnd(sound.headers, options, this.#nextOffset))
      return sound
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      if (!isPassing(error)) host.fail(error)
      const message = `${error.message}; nothing of what was fetched was kept.`
      return { ok: false, error: errors.KAFKA_STORAGE_ERROR.name, message, recordErrors: [] }
    }
  }

  #stage(sound: SoundBatches, options: AppendOptions, done: Done): void {
    const { availability, producers, config } = this.#state
    const refused = options.refusalNow?.() ?? availability.refusal
    if (refused !== null) return this.#refuse(done, refused)
    const { headers: offered } = sound
    const [offeredFirst] = offered
    if (offeredFirst === undefined) return this.#stageNothing(done)
    const large = tooLarge(this.#state, sound, options)
    if (large !== null) return this.#refuse(done, large)
    const check = producers.check(offeredFirst, options.origin, options.awaitedSequence)
    if (check.kind === 'refused') return this.#refuse(done, check)
    if (check.kind === 'duplicate') return this.#stageDuplicate(check, done)
    const wrong = misplaced(this.#state, offered, options, this.#nextOffset)
    if (wrong !== null) return this.#refuse(done, wrong)

    const nowMs = this.#state.host.env.clock.now()
    const place = { nextOffset: this.#nextOffset, nowMs }
    const headers = stamp(this.#state, sound, options, place)
    const first = headers[0]!
    const logAppendTimeMs =
      config.messageTimestampType === 'LogAppendTime' ? first.maxTimestamp : -1
    const result = {
      baseOffset: first.baseOffset,
      lastOffset: lastOffset(headers.at(-1)!),
      logAppendTimeMs,
      duplicate: false,
    }
    this.#stageBatches({ ...sound, headers }, nowMs, { result, done })
  }

  /**
   * One stage for each segment that they go into; the last one answers for all. Where a write fails, those before it stay: of
   * what a leader sent, some whole batches.
   */
  #stageBatches(
    { records, headers }: SoundBatches,
    nowMs: number,
    { result, done }: Pick<Stage, 'result' | 'done'>,
  ): void {
    const { epochs, producers } = this.#state
    let from = 0
    let to = 0
    let stage = { roll: null as Roll | null, epochsBefore: epochs.entries }
    let own: BatchHeader[] = []
    let undos: Undo[] = []
    const push = (told: Done) => {
      const bytes = records.subarray(from, to)
      this.#push({ ...stage, bytes, headers: own, undos, result, done: told })
    }
    for (const header of headers) {
      const roll = this.#tail.rollBefore(header, nowMs)
      if (roll !== null) {
        if (own.length > 0) push(() => {})
        stage = { roll, epochsBefore: epochs.entries }
        ;[from, own, undos] = [to, [], []]
      }
      epochs.assign(header.leaderEpoch, header.baseOffset)
      undos.push(producers.apply(header, header.baseOffset, nowMs))
      own.push(header)
      to += header.sizeBytes
      this.#nextOffset = lastOffset(header) + 1
    }
    push(done)
  }

  /** All of it was of a later epoch than a replica may have. */
  #stageNothing(done: Done): void {
    const { endOffset, startOffset: logStartOffset } = this.#state
    const last = { baseOffset: endOffset - 1, lastOffset: endOffset - 1, logAppendTimeMs: -1 }
    done({ ok: true, ...last, duplicate: false, logStartOffset })
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
    this.#tail.reset()
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
