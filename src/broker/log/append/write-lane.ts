/** Where a write is done: on the event loop, or on a thread while the loop goes on. */
export type Lane = 'inline' | 'thread'

/** A write that takes longer is a stall (durability.md Q5, decision 0007). Milliseconds. */
export const stallMs = 5
/** So long after a stall a log's writes go to a thread (durability.md Q5, decision 0007). Milliseconds. */
const threadMs = 1000

/**
 * Which lane the next write of one log takes: inline, which costs less processor time, unless one stalled lately, in
 * either lane. So a device that stays slow is not tried on the loop again before it was quick for a second. Times are
 * monotonic milliseconds.
 */
export class WriteLane {
  #threadUntilMs = -Infinity

  /** For a write that begins at `nowMs`. */
  at(nowMs: number): Lane {
    return nowMs < this.#threadUntilMs ? 'thread' : 'inline'
  }

  /** A write stalled, which ended at `nowMs`. */
  stalled(nowMs: number): void {
    this.#threadUntilMs = nowMs + threadMs
  }
}
