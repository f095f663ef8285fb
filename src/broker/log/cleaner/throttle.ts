import type { Clock } from '../../../env/env.ts'

/** Nobody waits for longer without a look whether the work is to end, and whether the rate is another one. */
const waitMsMax = 250

/**
 * Keeps the sum of what is read and written below a rate, on average. What is owed is bytes and not a time: a rate that
 * was a mistake is no longer waited for once it is corrected.
 */
export class IoThrottle {
  readonly #clock: Clock
  /** Bytes a second, asked for each time: it can be changed. */
  readonly #rate: () => number
  /** Spent, and not paid for with time at `#atMs` of the monotonic clock. */
  #owedBytes = 0
  #atMs = 0

  constructor(clock: Clock, rate: () => number) {
    this.#clock = clock
    this.#rate = rate
  }

  /** Resolves when `bytes` more may be followed by others. Rejects with what `check` throws, which is asked while it waits. */
  async spend(bytes: number, check: () => void): Promise<void> {
    this.#pay()
    this.#owedBytes += bytes
    for (;;) {
      const leftMs = this.#pay()
      // Less than a timer can tell: it adds up, and is waited for later.
      if (leftMs < 1) return
      check()
      await new Promise<void>(resolve => {
        this.#clock.after(Math.min(leftMs, waitMsMax), resolve)
      })
    }
  }

  /** Pays with the time that has passed, at the rate of now; tells how many milliseconds the rest takes. */
  #pay(): number {
    const rate = this.#rate()
    const nowMs = this.#clock.monotonic()
    const passedMs = nowMs - this.#atMs
    this.#atMs = nowMs
    // As in Kafka, any number is taken; one that is none means no limit.
    const isLimited = rate > 0 && rate < Infinity
    this.#owedBytes = isLimited ? Math.max(0, this.#owedBytes - (passedMs * rate) / 1000) : 0
    return isLimited ? (this.#owedBytes / rate) * 1000 : 0
  }
}
