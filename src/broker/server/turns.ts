import type { Clock } from '../../env/env.ts'

/** So long connections are served without a look at who else has come. Milliseconds. */
const turnMsMax = 20

/**
 * Turns of the event loop. An answer that comes by a promise has the next request handled before the loop goes on, and so
 * would everything that lies there: two hundred clients that each ask 64 times for all of a thousand topics, and nobody else
 * for a minute. So when a turn has lasted long enough a connection takes no second request in it.
 */
export class Turns {
  readonly #clock: Clock
  #number = 0
  /** Of the turn that goes on; null where nobody asked in it yet. */
  #endMs: number | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Of one connection, which goes on by `goOn` in the next turn where it may not in this one. */
  share(goOn: () => void): TurnShare {
    return new TurnShare(this, goOn)
  }

  get number(): number {
    return this.#number
  }

  /** The turn that goes on, which begins when this is asked first, has lasted long enough. */
  get isLong(): boolean {
    const nowMs = this.#clock.monotonic()
    if (this.#endMs === null) {
      this.#endMs = nowMs + turnMsMax
      this.#clock.soon(() => this.#next())
    }
    return nowMs >= this.#endMs
  }

  /**
   * In the next turn, in the order in which it was asked for. Each by itself: between two of them promises are settled, so that no
   * more answers than one are in memory that are not encoded yet.
   */
  later(act: () => void): void {
    this.#clock.soon(act)
  }

  #next(): void {
    this.#number++
    this.#endMs = null
  }
}

/** What one connection may take in a turn: one request in any case. */
export class TurnShare {
  readonly #turns: Turns
  readonly #goOn: () => void
  #lastTurn = -1
  #isWaiting = false

  constructor(turns: Turns, goOn: () => void) {
    this.#turns = turns
    this.#goOn = goOn
  }

  /** Asked before each request. Where it is, the connection will be called. */
  get isOver(): boolean {
    const { isLong, number } = this.#turns
    const isFirst = this.#lastTurn !== number
    this.#lastTurn = number
    if (isFirst || !isLong) return false
    if (!this.#isWaiting) this.#turns.later(() => this.#call())
    this.#isWaiting = true
    return true
  }

  /** It will be called: until then it need not receive either. */
  get isWaiting(): boolean {
    return this.#isWaiting
  }

  #call(): void {
    this.#isWaiting = false
    this.#goOn()
  }
}
