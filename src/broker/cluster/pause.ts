import type { Clock, Timer } from '../../env/clock.ts'

/** Pauses of one loop, that something may cut short. */
export class Pause {
  readonly #clock: Clock
  #end: (() => void) | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves after `delayMs`, or with the next `cut`. */
  wait(delayMs: number): Promise<void> {
    return new Promise(resolve => {
      let timer: Timer | null = null
      this.#end = () => {
        timer?.cancel()
        this.#end = null
        resolve()
      }
      timer = this.#clock.after(delayMs, this.#end)
    })
  }

  cut(): void {
    this.#end?.()
  }
}

/** What `wait` is given is waited for until `cut`, whichever comes first. */
export class Interruption {
  #cut: (() => void) | null = null

  /** null where it was cut. What is waited for goes on all the same, and its failure is nobody's then. */
  async wait<T>(waited: Promise<T>): Promise<T | null> {
    waited.catch(() => {})
    const cut = new Promise<null>(resolve => (this.#cut = () => resolve(null)))
    const result = await Promise.race([waited, cut])
    this.#cut = null
    return result
  }

  cut(): void {
    this.#cut?.()
  }
}
