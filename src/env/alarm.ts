import type { Clock, Timer } from './clock.ts'

/**
 * One timer for many due times: it rings at the earliest that it was given since it last rang, in whatever order
 * they came. A due time that is called off, or put off, may make it ring for nothing: who is rung looks for himself
 * what is due, and gives the next due time.
 */
export class Alarm {
  readonly #clock: Clock
  readonly #ring: () => void
  #timer: Timer | null = null
  #atMs = Infinity

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
  }

  /** Rings at `atMs` of the monotonic clock or, where an earlier time is set, before. Infinity: asks for nothing. */
  ringBy(atMs: number): void {
    if (atMs >= this.#atMs) return
    this.#timer?.cancel()
    this.#atMs = atMs
    this.#timer = this.#clock.after(Math.max(0, atMs - this.#clock.monotonic()), () => {
      this.#timer = null
      this.#atMs = Infinity
      this.#ring()
    })
  }

  /** Does not ring any more, until it is given another time. */
  cancel(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#atMs = Infinity
  }
}
