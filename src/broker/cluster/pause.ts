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
