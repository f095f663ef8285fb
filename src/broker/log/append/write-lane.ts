/** Where a write is done: on the event loop, or on a thread while the loop goes on. */
export type Lane = 'inline' | 'thread'

/** A write that held the event loop for longer is a stall (durability.md Q5, decision 0007). Milliseconds. */
const stallMs = 5
/** So long after a stall a log's writes go to a thread (durability.md Q5). Milliseconds. */
const threadMs = 1000

/**
 * Which lane the next write of one log takes: inline, which costs a third of the processor time of a thread's, unless
 * one stalled lately. What a thread's write takes says nothing, since the loop may have been late to hear of its end;
 * so the first one after the time is inline again, and is the probe. Times are monotonic milliseconds.
 */
export class WriteLane {
  #threadUntilMs = -Infinity

  /** For a write that begins at `nowMs`. */
  at(nowMs: number): Lane {
    return nowMs < this.#threadUntilMs ? 'thread' : 'inline'
  }

  /** An inline write ended at `nowMs`, and took `elapsedMs`. Returns whether it was a stall. */
  ended(nowMs: number, elapsedMs: number): boolean {
    const isStall = elapsedMs > stallMs
    if (isStall) this.#threadUntilMs = nowMs + threadMs
    return isStall
  }
}
