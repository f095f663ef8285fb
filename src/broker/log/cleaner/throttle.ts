import type { Clock } from '../../../env/env.ts'

/** Nobody waits for longer without a look whether the work is to end. */
const waitMsMax = 250

/** Keeps the sum of what is read and written below a rate, on average. */
export class IoThrottle {
  readonly #clock: Clock
  /** Bytes a second, asked for each time: it can be changed. */
  readonly #rate: () => number
  /** What was spent so far is paid for at this time of the monotonic clock. */
  #paidAtMs = 0

  constructor(clock: Clock, rate: () => number) {
    this.#clock = clock
    this.#rate = rate
  }

  /** Resolves when `bytes` more may be followed by others. Rejects with what `check` throws, which is asked while it waits. */
  async spend(bytes: number, check: () => void): Promise<void> {
    const rate = this.#rate()
    // As in Kafka, any number is taken; one that is none means no limit.
    if (!(rate > 0)) return
    const nowMs = this.#clock.monotonic()
    this.#paidAtMs = Math.max(this.#paidAtMs, nowMs) + (bytes / rate) * 1000
    for (;;) {
      const leftMs = this.#paidAtMs - this.#clock.monotonic()
      // Less than a timer can tell: it adds up, and is waited for later.
      if (leftMs < 1) return
      check()
      await new Promise<void>(resolve => {
        this.#clock.after(Math.min(leftMs, waitMsMax), resolve)
      })
    }
  }
}
