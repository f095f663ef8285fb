import { pauseMs, type PauseBounds } from './pause.ts'

/** A key that a worker took, and how long it was due before. */
export interface Taken {
  readonly key: string
  readonly waitedMs: number
}

/** What has happened since the start, for metrics. */
export interface QueueCounts {
  readonly adds: number
  readonly retries: number
}

interface Waiting {
  readonly atMs: number
}

/** Between the failures of one key. */
const defaultBounds: PauseBounds = { msMin: 200, msMax: 30_000 }

/**
 * Keys that want a pass. A key is in it once however often it is added; it is never taken twice at a time, and what is
 * added while it is being worked on comes again after that. After a failure it waits, longer each time in a row. Pure:
 * times are given, in milliseconds of one monotonic clock.
 */
export class WorkQueue {
  readonly #bounds: PauseBounds
  readonly #chance: () => number
  /** Due, in order, with the time since when. */
  readonly #due = new Map<string, number>()
  readonly #waiting = new Map<string, Waiting>()
  readonly #running = new Map<string, number>()
  /** Added while running. */
  readonly #dirty = new Set<string>()
  readonly #failures = new Map<string, number>()
  #adds = 0
  #retries = 0

  constructor(chance: () => number, bounds = defaultBounds) {
    this.#chance = chance
    this.#bounds = bounds
  }

  /** Wants a pass for `key` as soon as there is a worker. */
  add(key: string, nowMs: number): void {
    this.#adds++
    this.#waiting.delete(key)
    if (this.#running.has(key)) this.#dirty.add(key)
    else if (!this.#due.has(key)) this.#due.set(key, nowMs)
  }

  /** The next key whose turn it is; null where none is due. The worker says `succeeded` or `failed` when it is through. */
  take(nowMs: number): Taken | null {
    this.#wake(nowMs)
    const [first] = this.#due
    if (first === undefined) return null
    const [key, sinceMs] = first
    this.#due.delete(key)
    this.#running.set(key, nowMs)
    return { key, waitedMs: nowMs - sinceMs }
  }

  /** The pass is over; another after `againAfterMs`, where that is not null. */
  succeeded(key: string, nowMs: number, againAfterMs: number | null): void {
    this.#failures.delete(key)
    this.#over(key, nowMs, againAfterMs)
  }

  /** The pass failed: it comes again after a pause, whose milliseconds are returned, or at once where it was added meanwhile. */
  failed(key: string, nowMs: number): number {
    const count = (this.#failures.get(key) ?? 0) + 1
    this.#failures.set(key, count)
    this.#retries++
    const delayMs = pauseMs(count, this.#bounds, this.#chance())
    this.#over(key, nowMs, delayMs)
    return delayMs
  }

  /** When the next waiting key is due; Infinity where none waits. */
  get nextAtMs(): number {
    let earliest = Infinity
    for (const { atMs } of this.#waiting.values()) earliest = Math.min(earliest, atMs)
    return earliest
  }

  /** Due and not taken. */
  get depth(): number {
    return this.#due.size
  }

  get runningCount(): number {
    return this.#running.size
  }

  /** Keys whose last pass failed. */
  get failingCount(): number {
    return this.#failures.size
  }

  /** Since when, on the caller's clock, each key that is being worked on is. */
  get running(): ReadonlyMap<string, number> {
    return this.#running
  }

  get counts(): QueueCounts {
    return { adds: this.#adds, retries: this.#retries }
  }

  #over(key: string, nowMs: number, againAfterMs: number | null): void {
    this.#running.delete(key)
    if (this.#dirty.delete(key)) this.#due.set(key, nowMs)
    else if (againAfterMs !== null) this.#waiting.set(key, { atMs: nowMs + againAfterMs })
  }

  #wake(nowMs: number): void {
    for (const [key, { atMs }] of this.#waiting) {
      if (atMs > nowMs) continue
      this.#waiting.delete(key)
      this.#due.set(key, atMs)
    }
  }
}
