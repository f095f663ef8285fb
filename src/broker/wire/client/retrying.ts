import { sleep, type Clock } from '../../../env/clock.ts'
import type { Random } from '../../../env/env.ts'
import { Backoff, type BackoffOptions } from './backoff.ts'
import { errorClassOf } from './client-error.ts'

export interface RetryOptions extends BackoffOptions {
  readonly clock: Clock
  readonly random: Random
  /** Milliseconds for all attempts and the pauses between them; then the last error is thrown. */
  readonly timeoutMs: number
  /** Learns anew where things are; a part of the next attempt, after an error of class `moved`. */
  readonly relocate?: () => Promise<void>
}

/**
 * Runs `attempt` until it succeeds, fails for good, or its time is over. An attempt that is under way when the time is
 * over is not cut off: its own requests have deadlines. What is not idempotent may happen more often than once.
 * @throws the last attempt's error
 */
export async function retrying<T>(options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
  const { clock, random, timeoutMs, relocate } = options
  const untilMs = clock.monotonic() + timeoutMs
  const backoff = new Backoff(random, options)
  for (let hasMoved = false; ;) {
    try {
      if (hasMoved) await relocate?.()
      return await attempt()
    } catch (error) {
      const errorClass = errorClassOf(error)
      const delayMs = backoff.next()
      if (errorClass === 'final' || clock.monotonic() + delayMs > untilMs) throw error
      hasMoved = errorClass === 'moved'
      await sleep(clock, delayMs)
    }
  }
}
