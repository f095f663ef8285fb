import { Alarm } from '../../env/alarm.ts'
import type { Clock } from '../../env/env.ts'

/** How many lines alike may be written in how much time. */
export interface LineLimitOptions {
  readonly linesMax: number
  readonly periodMs: number
  /** Kinds of lines remembered at a time; beyond it all periods end, and new ones begin. */
  readonly kindsMax: number
}

const defaults: LineLimitOptions = { linesMax: 10, periodMs: 10_000, kindsMax: 1000 }

interface Period<Line> {
  readonly endMs: number
  readonly first: Line
  count: number
}

/**
 * Keeps lines that a client can cause at will from filling the disk: so many alike in a period, then silence. What was
 * left out is told when the period ends: no line goes without being counted.
 */
export class LineLimit<Line> {
  readonly #clock: Clock
  readonly #options: LineLimitOptions
  readonly #tell: (first: Line, leftOut: number) => void
  readonly #periods = new Map<string, Period<Line>>()
  readonly #alarm: Alarm

  /** `tell` gets the first line of a period, and how many like it were left out in it. */
  constructor(
    clock: Clock,
    tell: (first: Line, leftOut: number) => void,
    options: Partial<LineLimitOptions> = {},
  ) {
    this.#clock = clock
    this.#tell = tell
    this.#options = { ...defaults, ...options }
    this.#alarm = new Alarm(clock, () => this.#endPeriods(clock.monotonic()))
  }

  /** Whether a line of this kind may be written now. */
  admits(kind: string, line: Line): boolean {
    const { linesMax, periodMs, kindsMax } = this.#options
    const nowMs = this.#clock.monotonic()
    let period = this.#periods.get(kind)
    if (period !== undefined && period.endMs <= nowMs) this.#endPeriods(nowMs)
    period = this.#periods.get(kind)
    if (period === undefined) {
      if (this.#periods.size >= kindsMax) this.#endPeriods(Infinity)
      this.#periods.set(kind, (period = { endMs: nowMs + periodMs, first: line, count: 0 }))
    }
    period.count++
    if (period.count <= linesMax) return true
    this.#alarm.ringBy(period.endMs)
    return false
  }

  /** Tells what is not told yet: nothing comes any more. */
  stop(): void {
    this.#endPeriods(Infinity)
    this.#alarm.cancel()
  }

  #endPeriods(nowMs: number): void {
    for (const [kind, { endMs, first, count }] of this.#periods) {
      const leftOut = count - this.#options.linesMax
      if (endMs > nowMs) {
        if (leftOut > 0) this.#alarm.ringBy(endMs)
        continue
      }
      this.#periods.delete(kind)
      if (leftOut > 0) this.#tell(first, leftOut)
    }
  }
}
