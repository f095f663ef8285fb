import { KnownTime } from '../../../lib/known-time.ts'
import { Alarm } from '../../../env/alarm.ts'
import { DiskError, type Clock } from '../../../env/env.ts'
import { deferred, type Deferred } from '../../../lib/deferred.ts'
import { isCompacted } from '../log-config.ts'
import { logIdText } from '../log-id.ts'
import type { Segment } from '../segment/segment.ts'
import { isPassing } from '../shortage.ts'
import { cleanLog } from './clean-log.ts'
import type { CleanableLog } from './cleanable-log.ts'
import type { CompactionLane } from './compaction-lane.ts'
import { firstTimeOf, learnFirstTimes } from './first-times.ts'
import { CleaningAborted, LaneError, Uncleanable, type CleaningNumbers } from './outcome.ts'
import { dirtOf, type Dirt } from './plan.ts'
import { IoThrottle } from './throttle.ts'

/** The broker's settings that concern cleaning, asked for when they are needed: most of them change while it runs. */
export interface LogCleanerSettings {
  readonly logCleanerEnable: boolean
  readonly logCleanerBackoffMs: number
  readonly logCleanerDedupeBufferSize: number
  readonly logCleanerIoBufferSize: number
  readonly logCleanerIoBufferLoadFactor: number
  readonly logCleanerIoMaxBytesPerSecond: number
}

export interface LogCleanerOptions {
  readonly clock: Clock
  readonly settings: LogCleanerSettings
  /** Where compaction works; one is made when there is something to do, and closed when there is nothing more. */
  readonly lane: () => CompactionLane
  /** Below it every in-sync replica has the log's records: the high watermark. */
  readonly committedOffset: (log: CleanableLog) => number
}

/** For telemetry. */
export interface LogCleanerNumbers {
  /** Logs that were cleaned, and bytes that were read and written for it. */
  readonly runs: number
  readonly readBytes: number
  readonly writtenBytes: number
  readonly lastRunSeconds: number
  /** Of the key map in the last run, 0 to 1. */
  readonly keyMapUtilization: number
  /** Share of dirty bytes of the dirtiest log, 0 to 1, as it was looked at last. */
  readonly maxDirtyRatio: number
  readonly uncleanablePartitions: number
  readonly uncleanableBytes: number
  /** Bytes of batches that were written anew in JavaScript. */
  readonly copiedBytes: number
  /** Times that the lane was of no use any more. */
  readonly threadFailures: number
}

/** A compacted log, and what is known of its dirt. */
interface Watched {
  readonly log: CleanableLog
  /** When to look at it (monotonic); Infinity: when something happens to it. */
  lookAtMs: number
  ratio: number
  cleanableBytes: number
  failures: number
  /** Why it is set aside. */
  problem: string | null
}

interface Current {
  readonly name: string
  readonly done: Deferred<void>
  isWanted: boolean
}

/** After a failure that may pass, twice as long each time, at most this. */
const retryMsMax = 10 * 60_000
const chunkBytesMin = 64 * 1024

/**
 * The front door of the room: compacted logs are cleaned in the background, one at a time, the dirtiest first.
 *
 * Promised is what Kafka promises of compaction: the last record of each key stays, and its offset; a tombstone stays
 * for `delete.retention.ms` after it was cleaned for the first time; what is active, younger than `min.compaction.lag.ms`, or not
 * everywhere yet stays as it is. A log that cannot be cleaned is set aside, and hurts nobody else; one for which there was no
 * room is tried again. Where nothing changes, nothing is looked at.
 */
export class LogCleaner {
  readonly #options: LogCleanerOptions
  readonly #throttle: IoThrottle
  readonly #alarm: Alarm
  readonly #watched = new Map<string, Watched>()
  /** The log that is being cleaned. */
  #current: Current | null = null
  /** Settles when no log is due any more. */
  #working: Promise<void> | null = null
  /** Logs whose end is being cut. */
  readonly #held = new Set<string>()
  readonly #time = new KnownTime()
  #isStopped = false
  #runs = 0
  #lastRunMs = 0
  readonly #totals = { readBytes: 0, writtenBytes: 0, copiedBytes: 0, threadFailures: 0 }
  #keyMapUtilization = 0

  constructor(options: LogCleanerOptions) {
    this.#options = options
    const { clock, settings } = options
    this.#throttle = new IoThrottle(clock, () => settings.logCleanerIoMaxBytesPerSecond)
    this.#alarm = new Alarm(clock, () => this.#look())
    this.#time.look(clock.now(), clock.monotonic())
  }

  numbers(): LogCleanerNumbers {
    const all = [...this.#watched.values()]
    const aside = all.filter(({ problem }) => problem !== null)
    return {
      ...this.#totals,
      runs: this.#runs,
      lastRunSeconds: this.#lastRunMs / 1000,
      keyMapUtilization: this.#keyMapUtilization,
      maxDirtyRatio: all.reduce((most, { ratio }) => Math.max(most, ratio), 0),
      uncleanablePartitions: aside.length,
      uncleanableBytes: aside.reduce((sum, { cleanableBytes }) => sum + cleanableBytes, 0),
    }
  }

  /** Something of a log changed, or it was opened: it is looked at within the backoff. One that was set aside is tried again. */
  note(log: CleanableLog): void {
    const { name, config } = log.state
    if (!isCompacted(config)) {
      this.#watched.delete(name)
      return
    }
    if (!this.#options.settings.logCleanerEnable || this.#isStopped) return
    let watched = this.#watched.get(name)
    if (watched === undefined) {
      watched = {
        log,
        lookAtMs: Infinity,
        ratio: 0,
        cleanableBytes: 0,
        failures: 0,
        problem: null,
      }
      this.#watched.set(name, watched)
    }
    watched.problem = null
    this.#lookAt(watched, this.#afterBackoff())
  }

  /** A log leaves: resolves when nothing is done with it any more. */
  async drop(log: CleanableLog): Promise<void> {
    const { name } = log.state
    this.#watched.delete(name)
    const current = this.#current
    if (current?.name !== name) return
    current.isWanted = false
    await current.done.promise
  }

  /** Resolves when the log of that name is not being cleaned; it is not looked at before the function returned is called. */
  async hold(name: string): Promise<() => void> {
    this.#held.add(name)
    if (this.#current?.name === name) {
      this.#current.isWanted = false
      await this.#current.done.promise
    }
    return () => {
      this.#held.delete(name)
      const watched = this.#watched.get(name)
      if (watched !== undefined) this.note(watched.log)
    }
  }

  /** Begins nothing any more, and resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#alarm.cancel()
    if (this.#current !== null) this.#current.isWanted = false
    await this.#working
  }

  #afterBackoff(): number {
    const { clock, settings } = this.#options
    return clock.monotonic() + settings.logCleanerBackoffMs
  }

  #lookAt(watched: Watched, atMs: number): void {
    watched.lookAtMs = Math.min(watched.lookAtMs, atMs)
    if (!this.#isStopped) this.#alarm.ringBy(watched.lookAtMs)
  }

  #look(): void {
    this.#working ??= this.#cleanAll()
  }

  /** One log after the other, as long as one is due. */
  async #cleanAll(): Promise<void> {
    let lane: CompactionLane | null = null
    for (let due = await this.#dirtiest(); due !== null; due = await this.#dirtiest()) {
      lane ??= this.#options.lane()
      const isSound = await this.#clean(due, lane)
      if (isSound) continue
      lane.close()
      lane = null
    }
    lane?.close()
    this.#working = null
    if (this.#isStopped) return
    for (const { log, lookAtMs } of this.#watched.values()) {
      if (!this.#held.has(log.state.name)) this.#alarm.ringBy(lookAtMs)
    }
  }

  /** Of the logs that are to be looked at and are due, the one with the greatest share of dirt. */
  async #dirtiest(): Promise<Due | null> {
    let dirtiest: Due | null = null
    for (const watched of Array.from(this.#watched.values())) {
      const isEarly = watched.lookAtMs > this.#options.clock.monotonic()
      if (isEarly || this.#held.has(watched.log.state.name)) continue
      const dirt = await this.#dirtOf(watched)
      if (dirt.isDue && dirt.ratio > (dirtiest?.dirt.ratio ?? -1)) dirtiest = { watched, dirt }
    }
    // It may have left meanwhile.
    const isThere = ({ watched }: Due) => {
      const { name } = watched.log.state
      return this.#watched.get(name) === watched && !this.#held.has(name)
    }
    return dirtiest !== null && isThere(dirtiest) && !this.#isStopped ? dirtiest : null
  }

  async #dirtOf(watched: Watched): Promise<Dirt<Segment>> {
    const { clock, committedOffset } = this.#options
    const { log } = watched
    const { segments, startOffset, endOffset, cleaned, config, durability } = log.state
    if (config.maxCompactionLagMs < Number.MAX_SAFE_INTEGER) await learnTimes(log)
    const nowMs = clock.now()
    const dirt = dirtOf(
      {
        segments: Array.from(segments),
        startOffset,
        endOffset,
        firstDirtyOffset: cleaned.dirtyFrom,
        safeOffset: Math.min(durability.offset, committedOffset(log)),
        config,
        firstBatchMs: firstTimeOf,
      },
      nowMs,
    )
    watched.ratio = dirt.ratio
    watched.cleanableBytes = dirt.cleanableBytes
    if (!dirt.isDue) {
      const inMs = dirt.lookAgainAtMs - nowMs
      watched.lookAtMs = Math.max(this.#afterBackoff(), clock.monotonic() + inMs)
    }
    return dirt
  }

  /** False where the lane is of no use any more. */
  async #clean({ watched, dirt }: Due, lane: CompactionLane): Promise<boolean> {
    const { clock, settings } = this.#options
    const { log } = watched
    const current = { name: log.state.name, isWanted: true, done: deferred<void>() }
    this.#current = current
    const startedMs = clock.monotonic()
    try {
      const numbers = await cleanLog(log, dirt, {
        lane,
        throttle: this.#throttle,
        keyMapBytes: settings.logCleanerDedupeBufferSize,
        loadFactor: settings.logCleanerIoBufferLoadFactor,
        chunkBytes: Math.max(chunkBytesMin, settings.logCleanerIoBufferSize),
        isTimeKnown: this.#time.look(clock.now(), clock.monotonic()),
        isWanted: () => current.isWanted,
      })
      this.#count(numbers, clock.monotonic() - startedMs)
      watched.failures = 0
    } catch (error) {
      return this.#failed(watched, error)
    } finally {
      this.#current = null
      current.done.resolve()
    }
    return true
  }

  #count(numbers: CleaningNumbers, elapsedMs: number): void {
    this.#runs++
    this.#lastRunMs = elapsedMs
    this.#totals.readBytes += numbers.readBytes
    this.#totals.writtenBytes += numbers.writtenBytes
    this.#totals.copiedBytes += numbers.copiedBytes
    this.#keyMapUtilization = numbers.keyMapUtilization
  }

  /** What a failure means, for the log and for the directory; whether the lane goes on. */
  #failed(watched: Watched, error: unknown): boolean {
    const { state } = watched.log
    if (error instanceof CleaningAborted || state.availability.refusal !== null) {
      // Where it serves no longer, it never will.
      watched.lookAtMs = state.availability.refusal === null ? this.#afterBackoff() : Infinity
      return true
    }
    if (error instanceof Uncleanable || isOfRead(error)) {
      this.#setAside(watched, error.message)
      return true
    }
    if (error instanceof DiskError && !isPassing(error)) {
      state.host.fail(error)
      watched.lookAtMs = Infinity
      return true
    }
    if (!(error instanceof DiskError) && !(error instanceof LaneError)) throw error
    const retryInMs = this.#retryLater(watched)
    state.host.warn('Could not clean a log; it is tried again', {
      log: logIdText(state.id),
      error: error.message,
      retryInMs,
    })
    if (error instanceof DiskError) return true
    this.#totals.threadFailures++
    return false
  }

  #setAside(watched: Watched, problem: string): void {
    const { id, host } = watched.log.state
    watched.problem = problem
    watched.lookAtMs = Infinity
    host.warn(
      'Set a log aside that cannot be cleaned: it is kept as it is, and grows. It is tried again after a restart or when its configs change',
      { log: logIdText(id), reason: problem },
    )
  }

  #retryLater(watched: Watched): number {
    const { clock, settings } = this.#options
    const firstMs = Math.max(1000, settings.logCleanerBackoffMs)
    const retryInMs = Math.min(firstMs * 2 ** watched.failures, Math.max(firstMs, retryMsMax))
    watched.failures++
    watched.lookAtMs = clock.monotonic() + retryInMs
    return retryInMs
  }
}

interface Due {
  readonly watched: Watched
  readonly dirt: Dirt<Segment>
}

/** A device that does not give a segment back; what was appended after it is another matter. */
function isOfRead(error: unknown): error is DiskError {
  return error instanceof DiskError && error.operation === 'readAsync' && !isPassing(error)
}

async function learnTimes({ state }: CleanableLog): Promise<void> {
  const from = state.cleaned.dirtyFrom ?? state.startOffset
  const closed = Array.from(state.segments).slice(0, -1)
  try {
    await learnFirstTimes(closed.filter(({ endOffset }) => endOffset > from))
  } catch (error) {
    // Cleaning comes to it again, and says so.
    if (!(error instanceof DiskError)) throw error
  }
}
