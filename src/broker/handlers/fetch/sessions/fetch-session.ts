import { SessionPartition, type Watcher } from './session-partition.ts'
import type { Looked, Wish } from './wish.ts'

export type { Watcher } from './session-partition.ts'
export { SessionPartition } from './session-partition.ts'

/** A partition of a request, as far as it takes to find it. */
export type PartitionName = Pick<Wish, 'topicId' | 'topic' | 'partition'>

export interface SessionTraits {
  readonly id: number
  /** Of a follower: kept before those of consumers. */
  readonly isPrivileged: boolean
  /** Began with a version that has ids of topics. */
  readonly usesTopicIds: boolean
  /** Monotonic. */
  readonly createdMs: number
}

/**
 * One session of fetches (KIP-227): what a reader asked for in all of its requests together. It knows which of its
 * partitions have to be looked at, those that the reader named and those that told news, so that a poll costs
 * nothing for the others.
 */
export class FetchSession {
  readonly traits: SessionTraits
  /** What the next request has to say. */
  #epoch = 1
  readonly #byTopic = new Map<string, Map<number, SessionPartition>>()
  #size = 0
  #lastTurn = 0
  readonly #marked = new Set<SessionPartition>()
  readonly #waiting = new Set<Watcher>()
  #newsCount = 0
  #connectionId: number | null = null

  constructor(traits: SessionTraits) {
    this.traits = traits
  }

  get epoch(): number {
    return this.#epoch
  }

  /** Partitions. */
  get size(): number {
    return this.#size
  }

  /** Another one whenever a partition told news. */
  get newsCount(): number {
    return this.#newsCount
  }

  /** What the answer that begins the session tells; the next one looks at all of it again, and from then on watches. */
  begin(answered: readonly Looked[]): void {
    for (const { wish, result } of answered) this.#add(wish).tell(result)
  }

  /**
   * A request that goes on with the session has come: the next has to say the next epoch. One that still waits is
   * answered at once, that it was overtaken: on one connection the answers keep the order of the requests.
   */
  advance(): void {
    this.#epoch = nextEpoch(this.#epoch)
    this.changed()
  }

  /** Takes in what a request asks for, and then drops what it forgets. */
  update(wishes: Iterable<Wish>, forgotten: Iterable<PartitionName>): void {
    for (const wish of wishes) {
      const known = this.#find(wish)
      if (known === undefined) this.#add(wish)
      else {
        known.ask(wish)
        this.#marked.add(known)
      }
    }
    for (const name of forgotten) this.#remove(name)
  }

  /** Who reads by another connection is another reader, who has not been seen at any of the partitions. */
  readBy(connectionId: number): void {
    if (connectionId === this.#connectionId) return
    if (this.#connectionId !== null) for (const each of this.#all()) this.#marked.add(each)
    this.#connectionId = connectionId
  }

  /** What has to be looked at, in the order in which it is served. Whoever takes it brings it back by `settle` or `tell`. */
  take(): SessionPartition[] {
    const taken = [...this.#marked]
    this.#marked.clear()
    return taken.length < 2 ? taken : taken.toSorted((a, b) => a.turn - b.turn)
  }

  /** A look was not enough for an answer: what it found is looked at once more, but where that would give nothing. */
  settle(looked: Iterable<Looked<SessionPartition>>): void {
    for (const { wish, result } of looked) this.#settle(wish, result)
  }

  /** The answer of a request: what of a look it has to tell. Who got records is served after all others next time. */
  tell<L extends Looked<SessionPartition>>(looked: readonly L[]): L[] {
    const told = looked.filter(({ wish, result }) => wish.isNews(result))
    for (const { wish, result } of told) {
      wish.tell(result)
      if (result.range !== null && result.range.length > 0) wish.turn = ++this.#lastTurn
    }
    this.settle(looked)
    return told
  }

  /** `watcher` hears of every partition's news, until the function is called that this gives. */
  wait(watcher: Watcher): () => void {
    this.#waiting.add(watcher)
    return () => this.#waiting.delete(watcher)
  }

  /** It is gone: nothing is watched any more, and who waits is told. */
  close(): void {
    for (const each of this.#all()) each.follow(null)
    this.changed()
  }

  mark(partition: SessionPartition): boolean {
    this.#newsCount++
    this.#marked.add(partition)
    return this.#waiting.size > 0
  }

  wake(bytes: number): void {
    for (const watcher of this.#waiting) watcher.grew(bytes)
  }

  changed(): void {
    for (const watcher of this.#waiting) watcher.changed()
  }

  #add(wish: Wish): SessionPartition {
    const key = this.#keyOf(wish)
    const added = new SessionPartition(wish, this)
    added.turn = ++this.#lastTurn
    let ofTopic = this.#byTopic.get(key)
    if (ofTopic === undefined) this.#byTopic.set(key, (ofTopic = new Map()))
    ofTopic.set(wish.partition, added)
    this.#size++
    this.#marked.add(added)
    return added
  }

  #remove(name: PartitionName): void {
    const found = this.#find(name)
    if (found === undefined) return
    found.follow(null)
    const key = this.#keyOf(name)
    const ofTopic = this.#byTopic.get(key)!
    ofTopic.delete(name.partition)
    if (ofTopic.size === 0) this.#byTopic.delete(key)
    this.#size--
    this.#marked.delete(found)
  }

  #settle(partition: SessionPartition, result: Looked['result']): void {
    partition.isWithheld = result.isWithheld === true
    // It may have been forgotten meanwhile, by a request that did not wait for this one.
    if (this.#find(partition) === partition && !partition.isQuietAfter(result)) {
      this.#marked.add(partition)
    }
  }

  #find(name: PartitionName): SessionPartition | undefined {
    return this.#byTopic.get(this.#keyOf(name))?.get(name.partition)
  }

  #keyOf({ topicId, topic }: PartitionName): string {
    return this.traits.usesTopicIds ? topicId : (topic ?? '')
  }

  *#all(): IterableIterator<SessionPartition> {
    for (const partitions of this.#byTopic.values()) yield* partitions.values()
  }
}

/** After the last comes 1: 0 begins a session. @internal */
export function nextEpoch(epoch: number): number {
  return epoch === 0x7fffffff ? 1 : epoch + 1
}
