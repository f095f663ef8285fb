export interface QuietLimits {
  /** Time for a frame that has begun. */
  readonly frameTimeoutMs: number
  /** Time without a request, and time without a byte taken by the peer. */
  readonly idleMsMax: number
}

/** What can be seen of a connection from outside. */
export interface QuietView {
  /** Bytes of a frame that has begun. */
  readonly partialBytes: number
  /** Bytes of answers that the peer has not taken. */
  readonly queuedBytes: number
  /** Requests are being answered. */
  readonly isOwed: boolean
  /** We do not read it, so that it cannot complete a frame. */
  readonly isHeldBack: boolean
  /** Nor do we here, because others hold all the memory for requests. */
  readonly isStarved: boolean
}

export type QuietVerdict = 'idle' | 'frame-timeout' | 'stuck-output'

/** Tells connections that are merely quiet from those that are dead, stuck, or slow on purpose (slowloris). */
export class Quiet {
  readonly #limits: QuietLimits
  #heardAtMs: number
  /** When the frame that is arriving was first seen; null between frames. */
  #partialSinceMs: number | null = null
  #sentBytes = 0
  #takenBytes = 0
  /** When the peer took something last, as far as was seen, or was first owed something. */
  #takenAtMs: number

  constructor(limits: QuietLimits, nowMs: number) {
    this.#limits = limits
    this.#heardAtMs = nowMs
    this.#takenAtMs = nowMs
  }

  /** A whole request came. A frame that is partial now began after it. */
  heard(nowMs: number): void {
    this.#heardAtMs = nowMs
    this.#partialSinceMs = null
  }

  /** `bytes` of answers were queued. */
  sent(bytes: number, nowMs: number): void {
    // As far as is known, nothing was: the peer's time begins now, and not when somebody looked last.
    if (this.#takenBytes === this.#sentBytes) this.#takenAtMs = nowMs
    this.#sentBytes += bytes
  }

  /** null: nothing is wrong. */
  judge(nowMs: number, view: QuietView): QuietVerdict | null {
    const { frameTimeoutMs, idleMsMax } = this.#limits
    const takenBytes = this.#sentBytes - view.queuedBytes
    if (takenBytes > this.#takenBytes) this.#takenAtMs = nowMs
    this.#takenBytes = takenBytes
    if (view.queuedBytes > 0 && nowMs - this.#takenAtMs >= idleMsMax) return 'stuck-output'
    const isRead = !view.isHeldBack && !view.isStarved
    if (view.partialBytes === 0 || !isRead) this.#partialSinceMs = null
    else this.#partialSinceMs ??= nowMs
    if (this.#partialSinceMs !== null && nowMs - this.#partialSinceMs >= frameTimeoutMs) {
      return 'frame-timeout'
    }
    // Who starves is let go after the idle time, as in Kafka: it may hold what the others wait for.
    const isArriving = view.partialBytes > 0 && !view.isStarved
    const isBusy = view.isOwed || view.queuedBytes > 0 || isArriving
    if (isBusy || view.isHeldBack) this.#heardAtMs = Math.max(this.#heardAtMs, nowMs)
    return nowMs - this.#heardAtMs >= idleMsMax ? 'idle' : null
  }
}

/** What a client is told to have done, by the verdict. */
export const faultTexts = {
  'frame-timeout': 'a request began to arrive and was not complete in time',
  'stuck-output': 'the peer took none of its answers in time',
} as const
