import { assert } from '../../lib/assert.ts'
import type { Int64 } from '../../lib/bytes.ts'
import { Appender } from './append/appender.ts'
import { backlogOf, type Backlog } from './append/backlog.ts'
import type { AppendOptions, Done } from './append/result.ts'
import { Sealer } from './append/sealing.ts'
import type { CleanableLog } from './cleaner/cleanable-log.ts'
import type { LogConfig } from './log-config.ts'
import type { LogId } from './log-id.ts'
import type { ProducerStates } from './producers/states.ts'
import {
  isOfClosedFile,
  readFailed,
  readLog,
  type ReadOptions,
  type ReadResult,
} from './read/read.ts'
import { findByTime, findMaxTimestamp, type TimedOffset } from './read/time-lookup.ts'
import type { CleanLine } from './recovery/recovery.ts'
import { Retention } from './retention.ts'
import type { Durability } from './state/durability.ts'
import type { LogState } from './state/log-state.ts'
import { Truncation } from './truncation/truncation.ts'

export type { AppendOptions, AppendResult, Refusal } from './append/result.ts'
export { UnwrittenBatches } from './producers/unwritten-batches.ts'
export type { Backlog } from './append/backlog.ts'
export { CutError } from './state/durability.ts'
export { NotCutError } from './truncation/truncation.ts'
export type { ReadOptions, ReadResult } from './read/read.ts'
export type { TimedOffset } from './read/time-lookup.ts'

/**
 * The front door of the room: one partition's records on disk, appended at the end, read from anywhere, removed from the
 * beginning. It puts the rooms of `log/` together and holds nothing itself: `append/` moves the end, `read/` finds what is asked for,
 * `retention.ts` moves the start, `truncation/` cuts the end, and `LogState` is what they share. The files are described in FORMAT.md. Made by
 * `LogDirectory.openLog`.
 */
export class Log {
  readonly #state: LogState
  readonly #sealer: Sealer
  readonly #appender: Appender
  readonly #retention: Retention
  readonly #truncation: Truncation
  readonly #cleanable: CleanableLog

  constructor(state: LogState) {
    this.#state = state
    this.#sealer = new Sealer(state)
    this.#appender = new Appender(state, this.#sealer)
    this.#retention = new Retention(state, this.#appender, this.#sealer)
    const rooms = { appender: this.#appender, retention: this.#retention, sealer: this.#sealer }
    this.#truncation = new Truncation(state, rooms)
    this.#cleanable = { state, retention: this.#retention, sealer: this.#sealer }
  }

  get id(): LogId {
    return this.#state.id
  }

  get name(): string {
    return this.#state.name
  }

  /** First offset that may be read; never falls. */
  get startOffset(): number {
    return this.#state.startOffset
  }

  /** The offset after the last record whose write returned. */
  get endOffset(): number {
    return this.#state.endOffset
  }

  /** Everything below is on the device. */
  get durableOffset(): number {
    return this.#state.durability.offset
  }

  get sizeBytes(): number {
    return this.#state.segments.sizeBytes
  }

  get segmentCount(): number {
    return this.#state.segments.count
  }

  get config(): LogConfig {
    return this.#state.config
  }

  /** What is known of idempotent producers, staged appends included. */
  get producers(): ProducerStates {
    return this.#state.producers
  }

  /** Why this log is out of service while its directory is not: damage or EIO on read; null where it serves. */
  get offline(): string | null {
    return this.#state.availability.offline
  }

  /** The log as the cleaner cleans it. */
  get cleanable(): CleanableLog {
    return this.#cleanable
  }

  /** The log as its directory flushes it. */
  get durability(): Durability {
    return this.#state.durability
  }

  /**
   * Appends one batch of a client or coordinator, or the batches that a leader sent. Offsets are given in the
   * order of calls; `done` is called once: at once for what is refused, else after the write of this turn of the
   * event loop, or of what a thread had still to write before. `records` are stamped in place and must stay as they
   * are until then. `done` must not throw.
   */
  append(records: Uint8Array, options: AppendOptions, done: Done): void {
    this.#appender.append(records, options, done)
  }

  /** See `readLog`. */
  read(fromOffset: number, options: ReadOptions): ReadResult | Promise<ReadResult> {
    return readLog(this.#state, fromOffset, options)
  }

  /** G36: the first record at or after `timestampMs` below `upToOffset`, or null. @throws DiskError */
  findByTime(timestampMs: Int64, upToOffset: number): Promise<TimedOffset | null> {
    return this.#lookingUp(() => findByTime(this.#state, timestampMs, upToOffset))
  }

  /** KIP-734: the first record that has the greatest timestamp below `upToOffset`, or null. @throws DiskError */
  findMaxTimestamp(upToOffset: number): Promise<TimedOffset | null> {
    return this.#lookingUp(() => findMaxTimestamp(this.#state, upToOffset))
  }

  /** What lies between `offset` and the end, estimated without reading: for consumer lag. */
  backlog(offset: number): Backlog {
    return backlogOf(this.#state.segments, offset)
  }

  /** G38; -1 and -1 where the epoch is not known. */
  endOfEpoch(epoch: number): { readonly epoch: number; readonly endOffset: number } {
    return this.#state.epochs.endOf(epoch, this.#state.endOffset)
  }

  /** The newest leader epoch, -1 in a log that never had one. */
  get latestEpoch(): number {
    return this.#state.epochs.latest
  }

  /** The leader epoch of the record at `offset`, -1 where unknown. */
  epochAt(offset: number): number {
    return this.#state.epochs.epochAt(offset)
  }

  /** I-14: a leader begins its epoch at the end of its log, with or without data. */
  noteEpoch(epoch: number): void {
    this.#appender.noteEpoch(epoch)
  }

  /** See `Durability.reached`. */
  whenDurable(offset: number): Promise<void> {
    return this.#state.durability.reached(offset)
  }

  /** Records below `offset` are no longer there (DeleteRecords); durable when it resolves. @throws DiskError */
  raiseStartOffset(offset: number): Promise<void> {
    assert(offset <= this.endOffset, 'the start of a log is not behind its end')
    return this.#retention.raiseStart(offset)
  }

  /**
   * Batches that reach `offset` go, durably when it resolves; the end falls to `offset`, or to where a batch begins that
   * spans it. For a follower whose leader has another log (durability.md 3.8).
   * @throws NotCutError where the log is out of service, DiskError
   */
  truncateTo(offset: number): Promise<void> {
    return this.#truncation.to(offset)
  }

  /** Nothing stays, and the log begins and ends at `offset`: its leader's log begins there. @throws as `truncateTo` */
  truncateFullyAndStartAt(offset: number): Promise<void> {
    return this.#truncation.fullyTo(offset)
  }

  /**
   * Removes what the config no longer keeps; nothing at or above `upToOffset`. `nowMs`: the wall clock, -Infinity where
   * nobody knows the time: then nothing is too old. @throws DiskError
   */
  applyRetention(nowMs: number, upToOffset = Infinity): Promise<void> {
    return this.#retention.apply(nowMs, upToOffset)
  }

  /** See `LogState.configure`. */
  configure(config: LogConfig, inForce?: () => void): void {
    this.#state.configure(config, inForce)
  }

  /** Gives back memory and descriptors of closed segments that nobody read since `sinceMs` (monotonic). */
  restIdleSegments(sinceMs: number): void {
    for (const segment of this.#state.segments) {
      if (segment === this.#state.segments.active) break
      if (segment.usedMs < sinceMs) segment.rest()
    }
  }

  /** Writes everything that was taken, takes no more, and leaves indexes and snapshot for a quick start. */
  async finish(): Promise<void> {
    const { availability } = this.#state
    await this.#retention.settled()
    await this.#appender.drain()
    availability.close()
    await this.#appender.drain()
    await this.#sealer.settled()
    if (this.isSound) await this.#sealer.leaveCaches()
  }

  /** Neither the log nor its directory has failed: what was flushed is what there is. */
  get isSound(): boolean {
    const { availability, host } = this.#state
    return host.failure === null && availability.offline === null
  }

  /**
   * Closes the files of a log that was finished. Returns its line of the clean marker, which is true if it was flushed
   * since; null where it must be recovered at the next start.
   */
  close(): CleanLine | null {
    const { segments, epochs, durability, name } = this.#state
    const { active } = segments
    durability.giveUp(new Error(`${name} was closed`))
    this.closeFiles()
    if (!this.isSound) return null
    return {
      endOffset: segments.endOffset,
      lastEpoch: epochs.latest,
      activeBase: active.baseOffset,
      activeBytes: active.sizeBytes,
    }
  }

  /** The log leaves the directory: what waits is refused, files are closed later by their last reader. */
  async retire(): Promise<void> {
    const { availability, durability, host, name, segments } = this.#state
    await this.#retention.settled()
    this.#appender.writeNow()
    availability.close()
    await this.#appender.drain()
    await this.#sealer.settled()
    durability.giveUp(new Error(`${name} was removed`))
    for (const segment of segments) {
      segment.remove()
      host.forget(segment)
    }
  }

  /** Closes the files of a retired log. Nobody begins to write them back any more. */
  closeFiles(): void {
    const { segments, host } = this.#state
    for (const segment of segments) {
      host.forget(segment)
      segment.close()
    }
  }

  /** A read that fails takes the partition, whatever it was for; not where only the segment was another one by then. */
  async #lookingUp<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (isOfClosedFile(error) && !this.#state.availability.isClosed) return this.#lookingUp(work)
      readFailed(this.#state, error)
      throw error
    }
  }
}
