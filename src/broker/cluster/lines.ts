interface Line {
  readonly brokerId: number
  heardMs: number
}

/**
 * A broker says something each second by two connections at least. One that is open still and was silent for longer is no proof
 * of life: it may be of a process whose machine went without a word.
 */
const quietMsMax = 3_000

/**
 * By which connections each of the other brokers speaks to the controller. What a process sent before it ended may be read after
 * one of its connections was seen to close, but never after the last: so that one tells.
 */
export class Lines {
  readonly #byConnection = new Map<number, Line>()

  heard(connectionId: number, brokerId: number, nowMs: number): void {
    this.#byConnection.set(connectionId, { brokerId, heardMs: nowMs })
  }

  /** The broker that spoke by it, where it speaks by no other; else null. */
  closed(connectionId: number, nowMs: number): number | null {
    const line = this.#byConnection.get(connectionId)
    if (line === undefined) return null
    this.#byConnection.delete(connectionId)
    const { brokerId } = line
    const isLeft = [...this.#byConnection.values()].some(
      other => other.brokerId === brokerId && nowMs - other.heardMs <= quietMsMax,
    )
    return isLeft ? null : brokerId
  }
}
