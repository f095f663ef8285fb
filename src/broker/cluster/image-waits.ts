import type { Clock } from '../../env/clock.ts'

/** Who waits for the image to have a record: whoever asked the controller, and wants to see what came of it. */
export class ImageWaits {
  readonly #clock: Clock
  readonly #waiting = new Set<{ readonly sequence: number; end(isThere: boolean): void }>()
  #sequence = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** True when the image has record `sequence`; false after `timeoutMs`, where that is given, or when `stop` comes first. */
  until(sequence: number, timeoutMs?: number): Promise<boolean> {
    if (sequence <= this.#sequence) return Promise.resolve(true)
    return new Promise(resolve => {
      const end = (isThere: boolean): void => {
        timer?.cancel()
        this.#waiting.delete(wait)
        resolve(isThere)
      }
      const late = (): void => end(false)
      const timer = timeoutMs === undefined ? null : this.#clock.after(timeoutMs, late)
      const wait = { sequence, end }
      this.#waiting.add(wait)
    })
  }

  /** The image has all records up to `sequence`. */
  reached(sequence: number): void {
    this.#sequence = sequence
    for (const wait of this.#waiting) if (wait.sequence <= sequence) wait.end(true)
  }

  stop(): void {
    for (const wait of this.#waiting) wait.end(false)
  }
}
