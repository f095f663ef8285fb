interface Wait {
  readonly id: number
  readonly offset: number
}

/** Who waits for which offset, the lowest first; those of one offset in the order in which they came. */
export class Waits {
  readonly #byOffset: Wait[] = []

  add(id: number, offset: number): void {
    const waits = this.#byOffset
    let at = waits.length
    // Nearly always the last: only who asks for a batch once more waits for what is older.
    while (at > 0 && waits[at - 1]!.offset > offset) at--
    waits.splice(at, 0, { id, offset })
  }

  /** @internal */
  get state(): unknown {
    return this.#byOffset
  }

  delete(id: number): void {
    const at = this.#byOffset.findIndex(wait => wait.id === id)
    if (at >= 0) this.#byOffset.splice(at, 1)
  }

  /** Those who wait for no more than `offset`; they wait no longer. */
  takeUpTo(offset: number): readonly Wait[] {
    const waits = this.#byOffset
    let count = 0
    while (count < waits.length && waits[count]!.offset <= offset) count++
    return count === 0 ? none : waits.splice(0, count)
  }
}

const none: readonly Wait[] = []
