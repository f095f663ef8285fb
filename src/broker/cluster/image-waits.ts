import type { Clock } from '../../env/clock.ts'

/** Who waits for the image to have a record: whoever asked the controller, and wants to see what came of it. */
export class ImageWaits {
  readonly #clock: Clock
  readonly #waiting = new Set<{ readonly sequence: number; end(): void }>()
  #sequence = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves when the image has record `sequence`, or after `timeoutMs`, where that is given. */
  until(sequence: number, timeoutMs?: number): Promise<void> {
    if (sequence <= this.#sequence) return Promise.resolve()
    return new Promise(resolve => {
      const end = (): void => {
        timer?.cancel()
        this.#waiting.delete(wait)
        resolve()
      }
      const timer = timeoutMs === undefined ? null : this.#clock.after(timeoutMs, end)
      const wait = { sequence, end }
      this.#waiting.add(wait)
    })
  }

  /** The image has all records up to `sequence`. */
  reached(sequence: number): void {
    this.#sequence = sequence
    for (const wait of this.#waiting) if (wait.sequence <= sequence) wait.end()
  }
}
