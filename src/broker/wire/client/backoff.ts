import type { Random } from '../../../env/env.ts'

export interface BackoffOptions {
  /** Milliseconds before the second attempt; each further pause is twice the one before. */
  readonly delayMsMin?: number
  readonly delayMsMax?: number
}

/** Share of a pause by which chance makes it longer or shorter, so that many who failed together come apart. */
const jitter = 0.2

/** Pauses between attempts that fail: exponential, with jitter (KIP-580). */
export class Backoff {
  readonly #random: Random
  readonly #delayMsMin: number
  readonly #delayMsMax: number
  #failureCount = 0

  constructor(random: Random, { delayMsMin = 100, delayMsMax = 1000 }: BackoffOptions = {}) {
    this.#random = random
    this.#delayMsMin = delayMsMin
    this.#delayMsMax = delayMsMax
  }

  /** An attempt failed: milliseconds until the next. */
  next(): number {
    const delayMs = Math.min(this.#delayMsMin * 2 ** this.#failureCount++, this.#delayMsMax)
    const chance = this.#random.bytes(1)[0]! / 255
    return delayMs * (1 + jitter * (2 * chance - 1))
  }
}
