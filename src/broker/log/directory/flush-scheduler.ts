import { Alarm } from '../../../env/alarm.ts'
import { DiskError, type Env } from '../../../env/env.ts'
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
  /** An fsync failed: final, never tried again (durability.md 3.4). */
  onFailure(error: DiskError): void
}

/** Logs that are flushed at the same time. */
const inFlightMax = 4
/** Time until a flush is begun again that found no room, or no descriptor, for a file that it needed. */
const retryDelayMs = 1000
/** Above so many dirty files one flush of the whole file system is cheaper. */
const singleFilesMax = 16

/** Flushes logs in the background: by age, when a segment was closed, or because somebody waits (durability.md 3.6). */
export class FlushScheduler {
  readonly #options: FlushSchedulerOptions
  /** Logs with unflushed bytes, with the time of the oldest (monotonic). */
  readonly #dirtySinceMs = new Map<Flushable, number>()
  readonly #urgent = new Set<Flushable>()
  readonly #flushing = new Map<Flushable, Deferred<void>>()
  #isFlushingAll = false
  readonly #alarm: Alarm
  #isPlanned = false
  #isStopped = false

  constructor(options: FlushSchedulerOptions) {
    this.#options = options
    this.#alarm = new Alarm(options.env.clock, () => this.#flushDue())
  }

  /** Age of the oldest byte that no flush has covered, 0 where there is none. */
  get unflushedAgeMs(): number {
    let since = Infinity
    for (const sinceMs of this.#dirtySinceMs.values()) since = Math.min(since, sinceMs)
    return since === Infinity ? 0 : this.#options.env.clock.monotonic() - since
  }

  /** By how much the latest flush is late, 0 where none is: of what is left to the kernel none is planned. */
  get overdueMs(): number {
    let dueMs = Infinity
    for (const [log, sinceMs] of this.#dirtySinceMs) {
      const isWanted = this.#urgent.has(log) || this.#flushing.has(log)
      dueMs = Math.min(dueMs, isWanted ? sinceMs : this.#dueMs(log))
    }
    return Math.max(0, this.#options.env.clock.monotonic() - dueMs)
  }

  /** The log has unflushed bytes. */
  noteDirty(log: Flushable): void {
    if (!this.#dirtySinceMs.has(log)) {
      this.#dirtySinceMs.set(log, this.#options.env.clock.monotonic())
      this.#ringFor(log)
    }
    if (wantsFlush(log)) this.flushSoon(log)
  }

  /** The log's flush policy or interval is another one from now on, for what it has written already too. */
  policyChanged(log: Flushable): void {
    if (!this.#dirtySinceMs.has(log)) return
    if (wantsFlush(log)) this.flushSoon(log)
    else this.#ringFor(log)
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
    this.#alarm.cancel()
    for (const { promise } of Array.from(this.#flushing.values())) await promise
  }

  /** For whoever stopped it: flushes all of `logs`, and resolves when they are durable. @throws DiskError */
  async flushNow(logs: readonly Flushable[]): Promise<void> {
    const marks = logs.map(log => log.beginFlush())
    const syncCount = marks.reduce(
      (sum, { files, directory }) => sum + files.length + +directory,
      0,
    )
    const isTogether = syncCount > singleFilesMax
    if (isTogether) await this.#options.env.disk.syncFileSystem(this.#options.path)
    const turnstile = new Turnstile(inFlightMax)
    const flushed = logs.map((log, at) =>
      turnstile.pass(async () => {
        if (!isTogether) await log.sync(marks[at]!)
        await log.endFlush(marks[at]!)
      }),
    )
    // Nothing is at work any more when the first failure is told.
    await Promise.allSettled(flushed)
    await Promise.all(flushed)
  }

  #plan(): void {
    if (this.#isPlanned || this.#isStopped) return
    this.#isPlanned = true
    this.#options.env.clock.soon(() => {
      this.#isPlanned = false
      this.#flushDue()
    })
  }

  /** When the log's oldest unflushed byte has the age; never under another policy, or where nothing is unflushed. */
  #dueMs(log: Flushable): number {
    if (log.flushPolicy !== 'interval') return Infinity
    return (this.#dirtySinceMs.get(log) ?? Infinity) + log.flushMs
  }

  #ringFor(log: Flushable): void {
    if (!this.#isStopped) this.#alarm.ringBy(this.#dueMs(log))
  }

  #flushDue(): void {
    if (this.#isStopped) return
    const nowMs = this.#options.env.clock.monotonic()
    const due: Flushable[] = []
    for (const log of this.#dirtySinceMs.keys()) {
      const isDue = this.#urgent.has(log) || this.#dueMs(log) <= nowMs
      if (isDue && !this.#flushing.has(log)) due.push(log)
      else if (!isDue) this.#ringFor(log)
    }
    const fileCount = due.reduce((sum, log) => sum + log.dirtyFileCount, 0)
    if (fileCount > singleFilesMax) {
      if (!this.#isFlushingAll) void this.#flushAll()
    } else {
      for (const log of due) {
        if (this.#flushing.size < inFlightMax) void this.#flushOne(log, nowMs)
      }
    }
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
      // None of them is at work any more when the first failure is told.
      await Promise.allSettled(ends)
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
      else this.#ringFor(log)
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
    if (!this.#isStopped) this.#alarm.ringBy(this.#options.env.clock.monotonic() + retryDelayMs)
  }

  #hasOverdue(): boolean {
    const nowMs = this.#options.env.clock.monotonic()
    for (const log of this.#dirtySinceMs.keys()) if (this.#dueMs(log) <= nowMs) return true
    return false
  }
}

/** Whether a log is flushed as soon as it is written to, or because enough of it was written. */
function wantsFlush({ flushPolicy, hasFlushMessages }: Flushable): boolean {
  return flushPolicy === 'ack' || hasFlushMessages
}
