interface Sample {
  readonly startMs: number
  bytes: number
}

/**
 * A rate over the last windows as Kafka's quotas measure it: what was recorded in all of them over the time since the
 * oldest began, at least one window. One that nothing was recorded in is none. Times are monotonic milliseconds.
 */
export class WindowRate {
  readonly #windowMs: number
  readonly #windowsMax: number
  /** The oldest first. */
  #samples: Sample[] = []

  constructor({ windowMs, windowsMax }: { windowMs: number; windowsMax: number }) {
    this.#windowMs = windowMs
    this.#windowsMax = windowsMax
  }

  record(bytes: number, nowMs: number): void {
    this.#forget(nowMs)
    const last = this.#samples.at(-1)
    if (last !== undefined && nowMs - last.startMs < this.#windowMs) last.bytes += bytes
    else this.#samples.push({ startMs: nowMs, bytes })
  }

  /** Bytes per second. */
  at(nowMs: number): number {
    this.#forget(nowMs)
    const [oldest] = this.#samples
    if (oldest === undefined) return 0
    const bytes = this.#samples.reduce((sum, sample) => sum + sample.bytes, 0)
    return (bytes * 1000) / Math.max(nowMs - oldest.startMs, this.#windowMs)
  }

  #forget(nowMs: number): void {
    const oldestMs = nowMs - this.#windowMs * this.#windowsMax
    while (this.#samples.length > 0 && this.#samples[0]!.startMs <= oldestMs) this.#samples.shift()
  }
}
