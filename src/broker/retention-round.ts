import type { Clock } from '../env/env.ts'
import { KnownTime } from '../lib/known-time.ts'
import type { Partition } from './partition/partition.ts'
import type { Logger } from './telemetry/logger.ts'

/** Removes what may go from the beginning of each log, one round after the other. */
export class RetentionRounds {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #time = new KnownTime()
  #isTimeKnown = true

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock
    this.#logger = logger
  }

  /** One that fails holds up no other. */
  async run(partitions: Iterable<Partition>): Promise<void> {
    const nowMs = this.#nowMs()
    const runs = Array.from(partitions, async each => {
      try {
        await each.applyRetention(nowMs)
      } catch (error) {
        const { topic, partition } = each.id
        this.#logger.error({ topic, partition, reason: String(error) }, 'Retention failed')
      }
    })
    await Promise.all(runs)
  }

  /** The wall clock; where it cannot be believed, a time at which nothing is old. */
  #nowMs(): number {
    const nowMs = this.#clock.now()
    const isKnown = this.#time.look(nowMs, this.#clock.monotonic())
    if (isKnown !== this.#isTimeKnown) {
      this.#isTimeKnown = isKnown
      const message = isKnown
        ? 'The wall clock is believed again: records expire by time'
        : 'The wall clock jumped: no record expires by time until it is back, or has stood by its new time for an hour'
      this.#logger.warn({ wallClockMs: nowMs }, message)
    }
    return isKnown ? nowMs : -Infinity
  }
}
