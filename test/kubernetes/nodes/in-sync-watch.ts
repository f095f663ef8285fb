import { setTimeout as sleep } from 'node:timers/promises'
import type { Several } from './several.ts'

const intervalMs = 50

/** Looks again and again, of whichever broker answers, whether any partition has fewer replicas in sync than replicas. */
export class InSyncWatch {
  readonly #orders: Several
  readonly #shrunk = new Set<string>()
  readonly #loop: Promise<void>
  #lookCount = 0
  #isStopping = false

  constructor(orders: Several) {
    this.#orders = orders
    this.#loop = this.#watch()
  }

  /** Looks that a broker has answered. */
  get lookCount(): number {
    return this.#lookCount
  }

  /** Ends it. Resolves to what was seen out of sync: `many-3: 1 of 0,1,2`. */
  async stop(): Promise<readonly string[]> {
    this.#isStopping = true
    await this.#loop
    return [...this.#shrunk]
  }

  async #watch(): Promise<void> {
    while (!this.#isStopping) {
      try {
        for (const { name, replicas, inSync } of await this.#orders.partitions()) {
          if (inSync.length < replicas.length)
            this.#shrunk.add(`${name}: ${inSync.join()} of ${replicas.join()}`)
        }
        this.#lookCount++
      } catch {
        // Nobody answers: all of them sleep.
      }
      await sleep(intervalMs)
    }
  }
}
