import type { Clock } from '../../env/env.ts'

/** How many lines alike may be written in how much time. */
export interface LineLimitOptions {
  readonly linesMax: number
  readonly periodMs: number
  /** Kinds of lines remembered at a time; beyond it a new period begins for all. */
  readonly kindsMax: number
}

const defaults: LineLimitOptions = { linesMax: 10, periodMs: 10_000, kindsMax: 1000 }

/**
 * Keeps lines that a client can cause at will from filling the disk: so many alike in a period, then silence,
 * then the next line tells how many were left out.
 */
export class LineLimit {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #options: LineLimitOptions
  readonly #kinds = new Map<string, { fromMs: number; count: number }>()

  constructor(clock: Pick<Clock, 'monotonic'>, options: Partial<LineLimitOptions> = {}) {
    this.#clock = clock
    this.#options = { ...defaults, ...options }
  }

  /** null: leave the line out. Else write it; the number is of lines like it that were left out before. */
  take(kind: string): number | null {
    const { linesMax, periodMs, kindsMax } = this.#options
    const nowMs = this.#clock.monotonic()
    const known = this.#kinds.get(kind)
    if (known !== undefined && nowMs - known.fromMs < periodMs) {
      known.count++
      return known.count <= linesMax ? 0 : null
    }
    if (known === undefined && this.#kinds.size >= kindsMax) this.#kinds.clear()
    this.#kinds.set(kind, { fromMs: nowMs, count: 1 })
    return Math.max(0, (known?.count ?? 0) - linesMax)
  }
}
