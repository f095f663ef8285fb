import type { Clock } from '../../env/clock.ts'

/**
 * What was looked at a moment ago, for what changes rarely and is no cache's: a Secret, a volume. It is asked for anew when it is old,
 * and when it is forgotten.
 */
export class Memory<Value> {
  readonly #clock: Clock
  readonly #maxAgeMs: number
  readonly #values = new Map<string, { readonly value: Value; readonly atMs: number }>()

  constructor(clock: Clock, maxAgeMs: number) {
    this.#clock = clock
    this.#maxAgeMs = maxAgeMs
  }

  async get(key: string, look: () => Promise<Value>): Promise<Value> {
    const found = this.#values.get(key)
    if (found !== undefined && this.#clock.monotonic() - found.atMs < this.#maxAgeMs) {
      return found.value
    }
    const value = await look()
    this.#values.set(key, { value, atMs: this.#clock.monotonic() })
    return value
  }

  forget(key: string): void {
    this.#values.delete(key)
  }

  forgetAll(): void {
    this.#values.clear()
  }
}
