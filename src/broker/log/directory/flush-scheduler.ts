import { DiskError, type Env, type Timer } from '../../../env/env.ts'
import { deferred, type Deferred } from '../../../lib/deferred.ts'
import type { Flushable, FlushMark } from '../log-host.ts'
import { isPassing } from '../shortage.ts'
import { Turnstile } from './turnstile.ts'

export interface FlushSchedulerOptions {
  readonly env: Env
  /** Path of the directory: names the file system for syncfs(2). */
  readonly path: string
  /** A log's flush ended; its durable offset has moved. */
  onFlushed(log: Flushable, mark: FlushMark): void
  /** An fsync failed: final, never tried again (reliability.md 3.4). */
  onFailure(error: DiskError): void
}

/** Logs that are flushed at the same time. */
const inFlightMax = 4
/** Time until a flush is begun again that found no room, or no descriptor, for a file that it needed. */
const retryDelayMs = 1000
/** Above so many dirty files one flush of the whole file system is cheaper. */
const singleFilesMax = 16

/** Flushes logs in the background: by age, when a segment was closed, or because somebody waits (reliability.md 3.6). */
export class FlushScheduler {
  readonly #options: FlushSchedulerOptions
  /** Logs with unflushed bytes, with the time of the oldest (monotonic). */
  readonly #dirtySinceMs = new Map<Flushable, number>()
  readonly #urgent = new Set<Flushable>()
  readonly #flushing = new Map<Flushable, Deferred<void>>()
  #isFlushingAll = false
  #timer: Timer | null = null
  #isPlanned = false
  #isStopped = false

  constructor(options: FlushSchedulerOptions) {
    this.#options = options
  }

  /** Age of the oldest byte that no flush has covered, 0 where there is none. */
  get unflushedAgeMs(): number {
    let since = Infinity
    for (const sinceMs of this.#dirtySinceMs.values()) since = Math.min(since, sinceMs)
    return since === Infinity ? 0 : this.#options.env.clock.monotonic() - since
  }

  get dirtyLogs(): Iterable<Flushable> {
    return this.#dirtySinceMs.keys()
  }

  /** The log has unflushed bytes. */
  noteDirty(log: Flushable): void {
    if (!this.#dirtySinceMs.has(log)) {
      this.#dirtySinceMs.set(log, this.#options.env.clock.monotonic())
      if (log.flushPolicy === 'interval') this.#arm(log.flushMs)
    }
    if (log.flushPolicy === 'ack') this.flushSoon(log)
  }

  /** Flushes the log at the end of this turn of the event loop: group commit for who waits. */
  flushSoon(log: Flushable): void {
    if (this.#isStopped) return
    this.#urgent.add(log)
    if (!this.#dirtySinceMs.has(log)) {
      this.#dirtySinceMs.set(log, this.#options.env.clock.monotonic())
    }
    this.#plan()
  }

  /** The log is closed or removed: no flush of it begins any more. Resolves when none is under way. */
  async remove(log: Flushable): Promise<void> {
    this.#dirtySinceMs.delete(log)
    this.#urgent.delete(log)
    await this.#flushing.get(log)?.promise
    this.#dirtySinceMs.delete(log)
    this.#urgent.delete(log)
  }

  /** Begins no flush any more, and resolves when none is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    for (const { promise } of Array.from(this.#flushing.values())) await promise
  }

  #plan(): void {
    if (this.#isPlanned || this.#isStopped) return
    this.#isPlanned = true
    this.#options.env.clock.soon(() => {
      this.#isPlanned = false
      this.#flushDue()
    })
  }

  /** Wakes when the oldest byte of some log may be due. */
  #arm(delayMs: number): void {
    if (this.#timer !== null || this.#isStopped) return
    this.#timer = this.#options.env.clock.after(delayMs, () => {
      this.#timer = null
      this.#flushDue()
    })
  }

  #flushDue(): void {
    if (this.#isStopped) return
    const nowMs = this.#options.env.clock.monotonic()
    const due: Flushable[] = []
    let nextMs = Infinity
    for (const [log, sinceMs] of this.#dirtySinceMs) {
      const dueInMs = log.flushPolicy === 'interval' ? sinceMs + log.flushMs - nowMs : Infinity
      const isDue = this.#urgent.has(log) || dueInMs <= 0
      if (isDue && !this.#flushing.has(log)) due.push(log)
      else if (!isDue) nextMs = Math.min(nextMs, dueInMs)
    }
    const fileCount = due.reduce((sum, log) => sum + log.dirtyFileCount, 0)
    if (fileCount > singleFilesMax) {
      if (!this.#isFlushingAll) void this.#flushAll()
    } else {
      for (const log of due) {
        if (this.#flushing.size < inFlightMax) void this.#flushOne(log, nowMs)
      }
    }
    if (nextMs < Infinity) this.#arm(nextMs)
  }

  async #flushOne(log: Flushable, nowMs: number): Promise<void> {
    const mark = this.#begin(log, nowMs)
    await this.#guard([log], [mark], async () => {
      await log.sync(mark)
      await this.#end(log, mark)
    })
  }

  /** One syncfs(2) for every dirty log that is not being flushed already. */
  async #flushAll(): Promise<void> {
    this.#isFlushingAll = true
    const nowMs = this.#options.env.clock.monotonic()
    const logs = Array.from(this.#dirtySinceMs.keys()).filter(log => !this.#flushing.has(log))
    const marks = logs.map(log => this.#begin(log, nowMs))
    await this.#guard(logs, marks, async () => {
      await this.#options.env.disk.syncFileSystem(this.#options.path)
      // Some have a leader-epoch checkpoint to write: not all at once.
      const turnstile = new Turnstile(inFlightMax)
      const ends = logs.map((log, at) => turnstile.pass(() => this.#end(log, marks[at]!)))
      await Promise.all(ends)
    })
    this.#isFlushingAll = false
  }

  #begin(log: Flushable, nowMs: number): FlushMark {
    this.#flushing.set(log, deferred())
    this.#urgent.delete(log)
    this.#dirtySinceMs.set(log, nowMs)
    return log.beginFlush()
  }

  async #end(log: Flushable, mark: FlushMark): Promise<void> {
    await log.endFlush(mark)
    this.#options.onFlushed(log, mark)
  }

  async #guard(
    logs: readonly Flushable[],
    marks: readonly FlushMark[],
    act: () => Promise<void>,
  ): Promise<void> {
    try {
      await act()
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      if (isPassing(error)) {
        logs.forEach((log, at) => log.abandonFlush(marks[at]!))
        this.#retryLater(logs)
        return
      }
      this.#isStopped = true
      this.#options.onFailure(error)
    }
    for (const log of logs) {
      if (log.dirtyFileCount === 0 && !this.#urgent.has(log)) this.#dirtySinceMs.delete(log)
      else if (log.flushPolicy === 'interval') this.#arm(log.flushMs)
      this.#flushing.get(log)?.resolve()
      this.#flushing.delete(log)
    }
    // Others may have waited for a free place, or for this very log.
    if (this.#urgent.size > 0 || this.#hasOverdue()) this.#plan()
  }

  /** There was no room for a small file, or no descriptor; the logs stay dirty, and durable as far as they were. */
  #retryLater(logs: readonly Flushable[]): void {
    for (const log of logs) {
      this.#urgent.add(log)
      this.#flushing.get(log)?.resolve()
      this.#flushing.delete(log)
    }
    this.#arm(retryDelayMs)
  }

  #hasOverdue(): boolean {
    const nowMs = this.#options.env.clock.monotonic()
    for (const [log, sinceMs] of this.#dirtySinceMs) {
      if (log.flushPolicy === 'interval' && sinceMs + log.flushMs <= nowMs) return true
    }
    return false
  }
}
