import type { ObjectEvent } from './events.ts'

/** An event that is known by the text of its cause, and how often it was told. */
interface Series {
  /** The Event object's name, once it is written. */
  readonly name: string
  count: number
  writtenAtMs: number
  toldAtMs: number
}

/** What is to be written of an event that was told. */
export type EventWrite =
  | { readonly do: 'create'; readonly name: string }
  /** It was told before: its series counts up. */
  | { readonly do: 'count'; readonly name: string; readonly count: number }

/** A repeated event is written again when this long has gone by, so that a state that lasts does not write for ever. */
const rewriteAfterMs = 6 * 60_000
/** A series that was not told for this long is over: it is a new event then. */
const overAfterMs = 30 * 60_000
const seriesMax = 4096

/**
 * Room for a burst, and how fast it comes back: the limits of client-go's spam filter, for each reason. One that says much, such as
 * every restart of a large cluster, silences no other, such as the loss of a disk.
 */
const burst = 25
const refillMs = 5 * 60_000

interface Bucket {
  tokens: number
  atMs: number
}

/** Decides which events are written: alike ones as one series, and of one object for no reason more than it can tell. Pure. */
export class EventSeries {
  readonly #newName: (event: ObjectEvent) => string
  readonly #series = new Map<string, Series>()
  readonly #buckets = new Map<string, Bucket>()

  constructor(newName: (event: ObjectEvent) => string) {
    this.#newName = newName
  }

  /** What to write for `event`; null where nothing is: it is counted and written later, or its object told too much. */
  tell(event: ObjectEvent, nowMs: number): EventWrite | null {
    this.#sweep(nowMs)
    const key = causeOf(event)
    const known = this.#series.get(key)
    if (known !== undefined && nowMs - known.toldAtMs < overAfterMs) return repeat(known, nowMs)
    if (!this.#admits(event, nowMs)) return null
    const name = this.#newName(event)
    this.#series.set(key, { name, count: 1, writtenAtMs: nowMs, toldAtMs: nowMs })
    return { do: 'create', name }
  }

  /** The Event object of the series is gone (they live for an hour): told again, it is a new one. */
  forget(event: ObjectEvent): void {
    this.#series.delete(causeOf(event))
  }

  #admits({ regarding, reason }: ObjectEvent, nowMs: number): boolean {
    const key = `${regarding.metadata.uid} ${reason}`
    const bucket = this.#buckets.get(key) ?? { tokens: burst, atMs: nowMs }
    this.#buckets.set(key, bucket)
    bucket.tokens = Math.min(burst, bucket.tokens + (nowMs - bucket.atMs) / refillMs)
    bucket.atMs = nowMs
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }

  #sweep(nowMs: number): void {
    if (this.#series.size < seriesMax) return
    for (const [key, { toldAtMs }] of this.#series) {
      const isOver = nowMs - toldAtMs >= overAfterMs
      if (isOver || this.#series.size >= seriesMax) this.#series.delete(key)
    }
    for (const [key, { atMs }] of this.#buckets) {
      if (nowMs - atMs > overAfterMs) this.#buckets.delete(key)
    }
  }
}

function repeat(series: Series, nowMs: number): EventWrite | null {
  series.count++
  series.toldAtMs = nowMs
  if (nowMs - series.writtenAtMs < rewriteAfterMs) return null
  series.writtenAtMs = nowMs
  return { do: 'count', name: series.name, count: series.count }
}

function causeOf({ regarding, related, type, reason, action, note }: ObjectEvent): string {
  return [regarding.metadata.uid, related?.metadata.uid ?? '', type, reason, action, note].join(
    '\0',
  )
}
