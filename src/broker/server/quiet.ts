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

/**
 * While a connection starves its frame's time goes by so many times slower. It does go by: many that only begin a request would
 * hold, one after the other, the memory that everybody else waits for.
 */
const starvedFactor = 4

export type QuietVerdict = 'idle' | 'frame-timeout' | 'stuck-output'

/** Tells connections that are merely quiet from those that are dead, stuck, or slow on purpose (slowloris). */
export class Quiet {
  readonly #limits: QuietLimits
  #heardAtMs: number
  /** When the frame that is arriving was first seen; null between frames. */
  #partialSinceMs: number | null = null
  #judgedAtMs: number
  #sentBytes = 0
  #takenBytes = 0
  /** When the peer took something last, as far as was seen, or was first owed something. */
  #takenAtMs: number

  constructor(limits: QuietLimits, nowMs: number) {
    this.#limits = limits
    this.#heardAtMs = nowMs
    this.#takenAtMs = nowMs
    this.#judgedAtMs = nowMs
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
    if (view.partialBytes === 0 || view.isHeldBack) this.#partialSinceMs = null
    else if (this.#partialSinceMs === null) this.#partialSinceMs = nowMs
    else if (view.isStarved) {
      const sparedMs = (nowMs - this.#judgedAtMs) * (1 - 1 / starvedFactor)
      this.#partialSinceMs = Math.min(nowMs, this.#partialSinceMs + sparedMs)
    }
    this.#judgedAtMs = nowMs
    if (this.#partialSinceMs !== null && nowMs - this.#partialSinceMs >= frameTimeoutMs) {
      return 'frame-timeout'
    }
    const isBusy = view.isOwed || view.queuedBytes > 0 || view.partialBytes > 0
    if (isBusy || view.isHeldBack) this.#heardAtMs = Math.max(this.#heardAtMs, nowMs)
    return nowMs - this.#heardAtMs >= idleMsMax ? 'idle' : null
  }
}

/** What a client is told to have done, by the verdict. */
export const faultTexts = {
  'frame-timeout': 'a request began to arrive and was not complete in time',
  'stuck-output': 'the peer took none of its answers in time',
} as const
