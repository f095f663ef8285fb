/** A timer that was asked for and can be called off. */
export interface Timer {
  cancel(): void
}

/** Time as the broker knows it. Twins: `real/clock.ts` and the simulator's. */
export interface Clock {
  /** Wall clock, whole milliseconds since 1970. May jump; never used to measure a span. */
  now(): number
  /** Monotonic milliseconds, fractional, from an arbitrary start. */
  monotonic(): number
  /** Runs `act` once, not sooner than after `delayMs`. Does not keep the process alive. */
  after(delayMs: number, act: () => void): Timer
  /** Runs `act` every `periodMs`. Does not keep the process alive. */
  every(periodMs: number, act: () => void): Timer
  /** Runs `act` when everything that this turn of the event loop has received was handled (`setImmediate`). */
  soon(act: () => void): void
}

/** Resolves after `delayMs` of `clock`. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise(resolve => clock.after(delayMs, resolve))
}
