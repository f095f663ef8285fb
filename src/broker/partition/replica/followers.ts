import type { FollowerFetch } from './events.ts'
import { brokerEpochOf, type PartitionRole } from './role.ts'

/** What a leader knows of one follower, in the present leader epoch. */
interface Position {
  /** Of the start whose fetches these are; -1 before the first. */
  brokerEpoch: number
  /** Everything below is in its log; -1 where that is not known. */
  fetchOffset: number
  logStartOffset: number
  /** When it last had all that there was, as far as anybody can tell (I-17). */
  lastCaughtUpMs: number
  /** When it fetched last, and where our log ended then. */
  fetchedMs: number
  leaderEndOffset: number
}

/** A follower that lacks something: where it reads on, and when it last lacked nothing; -1 and -Infinity: not known. */
export interface FollowerBehind {
  readonly brokerId: number
  readonly fetchOffset: number
  /** Monotonic milliseconds. */
  readonly lastCaughtUpMs: number
}

/**
 * The followers of a leader: how far each has fetched in this epoch, and since when it lags. A position of another start
 * than the registered one counts nowhere (KIP-903, I-11).
 */
export class Followers {
  readonly #positions = new Map<number, Position>()
  #tickedMs = -Infinity

  get isEmpty(): boolean {
    return this.#positions.size === 0
  }

  /** @internal */
  get state(): unknown {
    return [this.#tickedMs, ...this.#positions]
  }

  ids(): Iterable<number> {
    return this.#positions.keys()
  }

  /** A new epoch: nothing is known any more. Who is in sync has as long as any to show it. */
  reset(role: PartitionRole, brokerId: number, nowMs: number): void {
    this.#positions.clear()
    this.#tickedMs = nowMs
    this.keep(role, brokerId, nowMs)
  }

  /** The replicas of `role`, and what is known of them; nothing of a start that is over. */
  keep(role: PartitionRole, brokerId: number, nowMs: number): void {
    for (const [id, { brokerEpoch }] of this.#positions) {
      const isOver = brokerEpoch !== -1 && brokerEpoch < brokerEpochOf(role, id)
      if (!role.replicas.includes(id) || isOver) this.#positions.delete(id)
    }
    for (const id of role.replicas) {
      if (id === brokerId || this.#positions.has(id)) continue
      this.#positions.set(id, unknownPosition(role.isr.includes(id) ? nowMs : -Infinity))
    }
  }

  /** I-17: caught up with this fetch where it reaches our end, else with the last one, where it reaches the end of then. */
  fetched(fetch: FollowerFetch, endOffset: number, nowMs: number): void {
    const position = this.#positions.get(fetch.brokerId)
    if (position === undefined || fetch.brokerEpoch < Math.max(0, position.brokerEpoch)) return
    // What was seen of an earlier start says nothing of this one.
    if (fetch.brokerEpoch > position.brokerEpoch) position.leaderEndOffset = Infinity
    if (fetch.fetchOffset >= endOffset) position.lastCaughtUpMs = nowMs
    else if (fetch.fetchOffset >= position.leaderEndOffset) {
      position.lastCaughtUpMs = Math.max(position.lastCaughtUpMs, position.fetchedMs)
    }
    position.brokerEpoch = fetch.brokerEpoch
    position.fetchOffset = fetch.fetchOffset
    position.logStartOffset = fetch.logStartOffset
    position.fetchedMs = nowMs
    position.leaderEndOffset = endOffset
  }

  /**
   * Time went on: who has all that there is, has it now. Where the leader itself stood still for most of `lagTimeMaxMs`,
   * nobody could have caught up, and that time does not count.
   */
  tick(endOffset: number, nowMs: number, lagTimeMaxMs: number): void {
    const sinceMs = nowMs - this.#tickedMs
    const stoodMs = sinceMs > lagTimeMaxMs / 2 ? sinceMs : 0
    this.#tickedMs = nowMs
    for (const position of this.#positions.values()) {
      if (position.fetchOffset >= endOffset) position.lastCaughtUpMs = nowMs
      else position.lastCaughtUpMs = Math.min(nowMs, position.lastCaughtUpMs + stoodMs)
    }
  }

  /** Everything below is in its log; -1 where nothing is known of its present start. */
  endOf(role: PartitionRole, id: number): number {
    const position = this.#positions.get(id)
    if (position === undefined || position.brokerEpoch !== brokerEpochOf(role, id)) return -1
    return position.fetchOffset
  }

  /** Where its log begins; -1 where that is not known. */
  startOf(id: number): number {
    return this.#positions.get(id)?.logStartOffset ?? -1
  }

  *behind(endOffset: number): Iterable<FollowerBehind> {
    for (const [brokerId, { fetchOffset, lastCaughtUpMs }] of this.#positions) {
      if (fetchOffset < endOffset) yield { brokerId, fetchOffset, lastCaughtUpMs }
    }
  }

  /** I-17: has everything, or had it not longer than `lagTimeMaxMs` ago. Time alone decides. */
  isCaughtUp(id: number, endOffset: number, nowMs: number, lagTimeMaxMs: number): boolean {
    const position = this.#positions.get(id)
    if (position === undefined) return false
    return position.fetchOffset >= endOffset || nowMs - position.lastCaughtUpMs <= lagTimeMaxMs
  }
}

function unknownPosition(lastCaughtUpMs: number): Position {
  return {
    brokerEpoch: -1,
    fetchOffset: -1,
    logStartOffset: -1,
    lastCaughtUpMs,
    fetchedMs: -Infinity,
    leaderEndOffset: Infinity,
  }
}
