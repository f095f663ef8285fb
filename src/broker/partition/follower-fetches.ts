/** A connection that fetched for the last time so long ago, in milliseconds, is over. */
const connectionMsMax = 60_000

/** What is known of one broker's, in monotonic milliseconds. */
interface Fetches {
  sentMs: number
  /** By connection: when its last one was read. */
  readonly readMs: Map<number, number>
}

/**
 * When followers fetched, as far as the leader can be sure. A fetch that is read now may have been sent long ago: it lay in the socket
 * while this process stood still, and its sender follows somebody else by now. But it was sent after the one before it on the same
 * connection was answered, since a follower asks for one thing at a time: that is when it was heard.
 */
export class FollowerFetches {
  readonly #byBroker = new Map<number, Fetches>()

  take(brokerId: number, connectionId: number, nowMs: number): void {
    let fetches = this.#byBroker.get(brokerId)
    if (fetches === undefined) this.#byBroker.set(brokerId, (fetches = noFetches()))
    const { readMs } = fetches
    const beforeMs = readMs.get(connectionId)
    if (beforeMs === undefined) forgetOld(readMs, nowMs - connectionMsMax)
    else fetches.sentMs = Math.max(fetches.sentMs, beforeMs)
    readMs.set(connectionId, nowMs)
  }

  /** No later than a broker sent its latest fetch; -Infinity where that is not known. */
  sentMs(brokerId: number): number {
    return this.#byBroker.get(brokerId)?.sentMs ?? -Infinity
  }
}

function noFetches(): Fetches {
  return { sentMs: -Infinity, readMs: new Map() }
}

function forgetOld(readMs: Map<number, number>, beforeMs: number): void {
  for (const [connectionId, atMs] of readMs) if (atMs < beforeMs) readMs.delete(connectionId)
}
