/** How much the codecs may do on the event loop before others have their turn: bytes read or written, about a millisecond. */
const bytesPerTurn = 256 * 1024

/**
 * What all work of the codecs on the event loop shares. Work is written as generators that take what they do off
 * `bytesLeft`, and yield where nothing is left; whoever goes on first waits for a turn. So many batches at once do not
 * hold the loop longer than one.
 */
export class WorkMeter {
  bytesLeft = bytesPerTurn
  readonly #soon: (act: () => void) => void
  #lastTurn: Promise<void> = Promise.resolve()

  constructor(soon: (act: () => void) => void) {
    this.#soon = soon
  }

  /** One after the other: each turn of the loop goes to one that waits. */
  turn(): Promise<void> {
    this.#lastTurn = this.#lastTurn.then(() => this.#oneTurn())
    return this.#lastTurn
  }

  /** Runs `work` to its end. */
  async run<T>(work: Generator<void, T, void>): Promise<T> {
    for (;;) {
      const step = work.next()
      if (step.done === true) return step.value
      await this.turn()
    }
  }

  #oneTurn(): Promise<void> {
    return new Promise(resolve => {
      this.#soon(() => {
        this.bytesLeft = bytesPerTurn
        resolve()
      })
    })
  }
}

/** How far the work on one block has come. */
export interface BlockCursor {
  /** In the block. */
  at: number
  /** In what it becomes. */
  to: number
  isDone: boolean
}

/** Does `step` until the block is done. It may do about `bytesMax` bytes, and does something; it says how many. */
export function* inSteps(
  cursor: BlockCursor,
  meter: WorkMeter,
  step: (bytesMax: number) => number,
): Generator<void, void, void> {
  while (!cursor.isDone) {
    meter.bytesLeft -= step(Math.max(1, meter.bytesLeft))
    if (meter.bytesLeft < 0) yield
  }
}
