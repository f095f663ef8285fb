/** A connection that fetched for the last time so long ago, in milliseconds, is over. */
const connectionMsMax = 60_000

/**
 * When followers fetched, as far as the leader can be sure. A fetch that is read now may have been sent long ago: it lay in the socket
 * while this process stood still, and its sender follows somebody else by now. But it was sent after the one before it on the same
 * connection was answered, since a follower asks for one thing at a time: that is when it was heard.
 */
export class FollowerFetches {
  /** By broker: when the last fetch of each connection was read, monotonic. */
  readonly #readMs = new Map<number, Map<number, number>>()
  readonly #sentMs = new Map<number, number>()

  take(fetch: {
    readonly brokerId: number
    readonly connectionId: number
    readonly nowMs: number
  }): void {
    const { brokerId, connectionId, nowMs } = fetch
    const readMs = this.#ofBroker(brokerId)
    const beforeMs = readMs.get(connectionId)
    if (beforeMs === undefined) forgetOld(readMs, nowMs - connectionMsMax)
    else this.#sentMs.set(brokerId, Math.max(beforeMs, this.sentMs(brokerId)))
    readMs.set(connectionId, nowMs)
  }

  /** No later than a broker sent its latest fetch; -Infinity where that is not known. */
  sentMs(brokerId: number): number {
    return this.#sentMs.get(brokerId) ?? -Infinity
  }

  #ofBroker(brokerId: number): Map<number, number> {
    const known = this.#readMs.get(brokerId)
    if (known !== undefined) return known
    const added = new Map<number, number>()
    this.#readMs.set(brokerId, added)
    return added
  }
}

function forgetOld(readMs: Map<number, number>, beforeMs: number): void {
  for (const [connectionId, atMs] of readMs) if (atMs < beforeMs) readMs.delete(connectionId)
}
