/** How far the wall clock may move against the monotonic one from one look to the next, by adjustment or a little sleep. */
const toleranceMs = 60_000
/** A wall clock that moved is believed again when it has gone on evenly for so long. */
const settledMs = 3_600_000

/**
 * Whether the wall clock may be gone by, judged by the monotonic one. A clock that was set a year ahead makes all records
 * old at once, and what was removed for it does not come back when it is set right: so whoever removes by age asks here, and waits
 * where the two clocks went apart, until the wall clock is back or has stood by its new time for an hour.
 */
export class KnownTime {
  /** Wall clock less monotonic clock, as it was believed last; null before the first look. */
  #believedMs: number | null = null
  /** The same as it was seen since the clocks went apart, and since when (monotonic). */
  #doubted: { readonly differenceMs: number; readonly sinceMs: number } | null = null

  /** Both clocks at one moment; false where nobody knows the time. */
  look(wallMs: number, monotonicMs: number): boolean {
    const differenceMs = wallMs - monotonicMs
    if (this.#believedMs === null || isNear(differenceMs, this.#believedMs)) {
      return this.#believe(differenceMs)
    }
    const doubted = this.#doubted
    if (doubted === null || !isNear(differenceMs, doubted.differenceMs)) {
      this.#doubted = { differenceMs, sinceMs: monotonicMs }
      return false
    }
    this.#doubted = { differenceMs, sinceMs: doubted.sinceMs }
    return monotonicMs - doubted.sinceMs >= settledMs && this.#believe(differenceMs)
  }

  #believe(differenceMs: number): true {
    this.#believedMs = differenceMs
    this.#doubted = null
    return true
  }
}

function isNear(oneMs: number, otherMs: number): boolean {
  return Math.abs(oneMs - otherMs) <= toleranceMs
}
