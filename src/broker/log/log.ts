import { assert } from '../../lib/assert.ts'
import { deferred, type Deferred } from '../../lib/deferred.ts'
import type { AppendOptions, Done } from './append/result.ts'
import { Appender } from './append/appender.ts'
import { backlogOf, type Backlog } from './append/backlog.ts'
import type { LogConfig } from './log-config.ts'
import type { Flushable, FlushMark } from './log-host.ts'
import type { LogId } from './log-id.ts'
import { readFailed, readLog, type ReadOptions, type ReadResult } from './read/read.ts'
import { refusal, type LogState } from './log-state.ts'
import type { ProducerStates } from './producers/states.ts'
import type { CleanLine } from './recovery/recovery.ts'
import { applyRetention, moveStart, removeBelowStart, type RetentionTarget } from './retention.ts'
import { leaveCaches, saveEpochs } from './append/sealing.ts'
import { findByTime, findMaxTimestamp, type TimedOffset } from './read/time-lookup.ts'

export type { AppendOptions, AppendResult } from './append/result.ts'
export type { ReadOptions, ReadResult } from './read/read.ts'
export type { TimedOffset } from './read/time-lookup.ts'

/**
 * One partition's records on disk: appended at the end, read from anywhere, removed from the beginning.
 * The files are described in FORMAT.md. Made by `LogDirectory.openLog`.
 */
export class Log implements Flushable {
  readonly #state: LogState
  readonly #appender: Appender
  #waiters: { readonly offset: number; readonly until: Deferred<void> }[] = []
  /** Retention and start-offset moves of one log run one after the other. */
  #housekeeping: Promise<void> = Promise.resolve()

  constructor(state: LogState) {
    this.#state = state
    this.#appender = new Appender(this, state)
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
    return this.#state.durableOffset
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
    return this.#state.offline
  }

  /**
   * Appends one batch of a client or coordinator, or the batches that a leader sent. Offsets are given in the
   * order of calls; `done` is called once: at once for what is refused, else after the write of this turn of the
   * event loop. `records` are stamped in place and must stay as they are until then. `done` must not throw.
   */
  append(records: Uint8Array, options: AppendOptions, done: Done): void {
    this.#appender.append(records, options, done)
  }

  /** See `readLog`. */
  read(fromOffset: number, options: ReadOptions): ReadResult | Promise<ReadResult> {
    return readLog(this.#state, fromOffset, options)
  }

  /** G36: the first record at or after `timestampMs` below `upToOffset`, or null. @throws DiskError */
  findByTime(timestampMs: number, upToOffset: number): Promise<TimedOffset | null> {
    return this.#lookingUp(findByTime(this.#state, timestampMs, upToOffset))
  }

  /** KIP-734: the first record that has the greatest timestamp below `upToOffset`, or null. @throws DiskError */
  findMaxTimestamp(upToOffset: number): Promise<TimedOffset | null> {
    return this.#lookingUp(findMaxTimestamp(this.#state, upToOffset))
  }

  /** What lies between `offset` and the end, estimated without reading: for consumer lag. */
  backlog(offset: number): Backlog {
    return backlogOf(this.#state, offset)
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

  /**
   * Resolves when everything below `offset` is on the device, and sees to it that this is soon.
   * Rejects with the directory's DiskError where it never will be.
   */
  whenDurable(offset: number): Promise<void> {
    const { durableOffset, host } = this.#state
    if (host.failure !== null) return Promise.reject(host.failure)
    if (offset <= durableOffset) return Promise.resolve()
    const until = deferred<void>()
    this.#waiters.push({ offset, until })
    host.flushSoon(this)
    return until.promise
  }

  /** Records below `offset` are no longer there (DeleteRecords); durable when it resolves. @throws DiskError */
  raiseStartOffset(offset: number): Promise<void> {
    assert(offset <= this.endOffset, 'the start of a log is not behind its end')
    return this.#keepHouse(async target => {
      await moveStart(target, offset)
      await removeBelowStart(target)
    })
  }

  /** Removes what the config no longer keeps; nothing at or above `upToOffset`. @throws DiskError */
  applyRetention(nowMs: number, upToOffset = Infinity): Promise<void> {
    return this.#keepHouse(target => applyRetention(target, nowMs), upToOffset)
  }

  /** New settings for everything that happens from now on. */
  configure(config: LogConfig): void {
    this.#state.config = config
    this.#state.host.flushPolicyChanged(this)
  }

  /** Gives back memory and descriptors of closed segments that nobody read since `sinceMs` (monotonic). */
  restIdleSegments(sinceMs: number): void {
    for (const segment of this.#state.segments) {
      if (segment === this.#state.segments.active) break
      if (segment.usedMs < sinceMs) segment.rest()
    }
  }

  /** A flush of this log's files, seen by the flush scheduler: see `Flushable`. */
  get flushMs(): number {
    return this.#state.config.flushMs
  }

  get flushPolicy(): LogConfig['flushPolicy'] {
    return this.#state.config.flushPolicy
  }

  get dirtyFileCount(): number {
    let count = 0
    for (const segment of this.#state.segments) if (segment.unsyncedBytes > 0) count++
    return count
  }

  /** Bytes that no flush has covered. */
  get unflushedBytes(): number {
    let bytes = 0
    for (const segment of this.#state.segments) bytes += segment.unsyncedBytes
    return bytes
  }

  beginFlush(): FlushMark {
    const { segments, endOffset, isDirectoryDirty } = this.#state
    const files = Array.from(segments).flatMap(segment =>
      segment.unsyncedBytes > 0 ? [{ segment, sizeBytes: segment.sizeBytes }] : [],
    )
    this.#state.isDirectoryDirty = false
    return { endOffset, files, directory: isDirectoryDirty }
  }

  async sync({ files, directory }: FlushMark): Promise<void> {
    for (const { segment } of files) if (!segment.isRemoved) await segment.file.sync()
    if (directory) await this.#state.host.env.disk.syncDirectory(this.#state.path)
  }

  async endFlush({ files, endOffset }: FlushMark): Promise<void> {
    const state = this.#state
    for (const { segment, sizeBytes } of files) {
      segment.syncedBytes = Math.max(segment.syncedBytes, sizeBytes)
    }
    await saveEpochs(state)
    state.durableOffset = Math.max(state.durableOffset, endOffset)
    const isReached = ({ offset }: { readonly offset: number }) => offset <= state.durableOffset
    const reached = this.#waiters.filter(isReached)
    this.#waiters = this.#waiters.filter(waiter => !isReached(waiter))
    for (const { until } of reached) until.resolve()
  }

  abandonFlush({ directory }: FlushMark): void {
    if (directory) this.#state.isDirectoryDirty = true
  }

  /** The directory failed: nobody waits for what will not come. */
  giveUp(error: Error): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const { until } of waiters) until.reject(error)
  }

  /**
   * Writes everything, flushes it, leaves indexes and snapshot for a quick start, and closes the files. Returns
   * the log's line of the clean marker; null where it must be recovered at the next start.
   */
  async close(): Promise<CleanLine | null> {
    const state = this.#state
    await this.#housekeeping
    await this.#appender.drain()
    state.isClosed = true
    await this.#appender.drain()
    await state.sealing
    try {
      return state.host.failure === null && state.offline === null ? await this.#leaveClean() : null
    } finally {
      this.giveUp(new Error(`${state.name} was closed`))
      for (const segment of state.segments) segment.close()
    }
  }

  /** The log leaves the directory: what waits is refused, files are closed later by their last reader. */
  async retire(): Promise<void> {
    await this.#housekeeping
    this.#appender.writeNow()
    this.#state.isClosed = true
    await this.#appender.drain()
    await this.#state.sealing
    this.giveUp(new Error(`${this.#state.name} was removed`))
    for (const segment of this.#state.segments) {
      segment.isRemoved = true
      this.#state.host.forget(segment)
    }
  }

  /** Closes the files of a retired log. */
  closeFiles(): void {
    for (const segment of this.#state.segments) segment.close()
  }

  async #leaveClean(): Promise<CleanLine> {
    const state = this.#state
    const { active } = state.segments
    await leaveCaches(state)
    const mark = this.beginFlush()
    await this.sync(mark)
    await this.endFlush(mark)
    return {
      endOffset: state.endOffset,
      lastEpoch: state.epochs.latest,
      activeBase: active.baseOffset,
      activeBytes: active.sizeBytes,
    }
  }

  /** A read that fails takes the partition, whatever it was for. */
  async #lookingUp<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      readFailed(this.#state, error)
      throw error
    }
  }

  #keepHouse(
    act: (target: RetentionTarget) => Promise<void>,
    upToOffset = Infinity,
  ): Promise<void> {
    const target = { log: this, state: this.#state, appender: this.#appender, upToOffset }
    const done = this.#housekeeping.then(() =>
      refusal(this.#state) === null ? act(target) : undefined,
    )
    this.#housekeeping = done.catch(() => {})
    return done
  }
}
