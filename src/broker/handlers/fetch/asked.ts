import type { Clock } from '../../../env/env.ts'
import { zeroUuid } from '../../../lib/uuid.ts'
import type { Partition } from '../../partition/partition.ts'
import type { Partitions } from '../../partition/partitions.ts'
import type { PartitionWatcher } from '../../partition/requests.ts'
import type { ErrorName } from '../../wire/errors.ts'
import type { Found } from './fetch-result.ts'
import type { FetchSession, SessionPartition } from './sessions/fetch-session.ts'
import type { FetchSessionCache } from './sessions/session-cache.ts'
import type { Wish } from './sessions/wish.ts'

/** What one fetch asks for, on its own or as a step of a session. */
export interface Asked {
  /** Nothing at all: there is nothing to wait for. */
  readonly isEmpty: boolean
  /** What has to be looked at now, in the order in which it is served. */
  wishes(): readonly Wish[]
  /** The partition, or why there is none to be had. */
  find(wish: Wish): Partition | ErrorName
  /** What was found is not enough for an answer, and will be looked at once more. */
  settle(found: readonly Found[]): void
  /** Whether more came since the look that found `found`, while nobody waited for it. */
  isBehind(found: readonly Found[]): boolean
  /** `watcher` hears when more comes, until the function is called that this gives. */
  wait(found: readonly Found[], watcher: PartitionWatcher): () => void
  answer(found: readonly Found[]): Told
}

/** What an answer says. */
export interface Told {
  readonly error: ErrorName
  readonly sessionId: number
  readonly found: readonly Found[]
}

/** Who asks: who waits hears of other news. */
type Reads = 'consumer' | 'follower'

export interface AskedDeps {
  readonly partitions: Partitions
  readonly sessions: FetchSessionCache
  readonly clock: Clock
}

/** A fetch that is answered with everything that it asks for. */
export class FullFetch implements Asked {
  readonly #deps: AskedDeps
  readonly #reads: Reads
  readonly #wishes: readonly Wish[]
  readonly #session: { readonly isPrivileged: boolean; readonly usesTopicIds: boolean } | null

  /** `session`: what one has that begins with the answer; null where none does. */
  constructor(
    deps: AskedDeps,
    reads: Reads,
    wishes: readonly Wish[],
    session: { readonly isPrivileged: boolean; readonly usesTopicIds: boolean } | null,
  ) {
    this.#deps = deps
    this.#reads = reads
    this.#wishes = wishes
    this.#session = session
  }

  get isEmpty(): boolean {
    return this.#wishes.length === 0
  }

  wishes(): readonly Wish[] {
    return this.#wishes
  }

  find(wish: Wish): Partition | ErrorName {
    return partitionOf(this.#deps.partitions, wish)
  }

  settle(): void {}

  isBehind(found: readonly Found[]): boolean {
    return found.some(({ partition, result }) => {
      return partition !== null && partition.readableOffset(this.#reads) > result.readableOffset
    })
  }

  wait(found: readonly Found[], watcher: PartitionWatcher): () => void {
    // More of what is withheld is nothing to look at.
    const unmoved: PartitionWatcher = {
      grew: () => {},
      changed: () => watcher.changed(),
      startMoved: () => watcher.startMoved(),
    }
    const watching = found.map(({ partition, result }) => {
      const told = result.isWithheld === true ? unmoved : watcher
      return { watchers: partition?.newsFor(this.#reads).watchers, told }
    })
    for (const { watchers, told } of watching) watchers?.add(told)
    return () => {
      for (const { watchers, told } of watching) watchers?.delete(told)
    }
  }

  answer(found: readonly Found[]): Told {
    const { sessions, clock } = this.#deps
    const session =
      this.#session === null ? null : sessions.begin(found, this.#session, clock.monotonic())
    return { error: 'NONE', sessionId: session?.traits.id ?? 0, found }
  }
}

/** A fetch that goes on with a session: only what is new is looked at, and answered. */
export class SessionFetch implements Asked {
  readonly isEmpty = false
  readonly #partitions: Partitions
  readonly #reads: Reads
  readonly #session: FetchSession
  /** Of the session, as long as no other request goes on with it. */
  readonly #epoch: number
  #newsCount = 0

  constructor(partitions: Partitions, reads: Reads, session: FetchSession, epoch: number) {
    this.#partitions = partitions
    this.#reads = reads
    this.#session = session
    this.#epoch = epoch
  }

  wishes(): readonly SessionPartition[] {
    this.#newsCount = this.#session.newsCount
    return this.#session.take()
  }

  find(wish: SessionPartition): Partition | ErrorName {
    wish.topic ??= this.#partitions.topicName(wish.topicId) ?? null
    const found = partitionOf(this.#partitions, wish)
    wish.follow(typeof found === 'string' ? null : found.newsFor(this.#reads))
    return found
  }

  settle(found: readonly Found<SessionPartition>[]): void {
    this.#session.settle(found)
  }

  isBehind(): boolean {
    return this.#session.newsCount !== this.#newsCount
  }

  wait(_: readonly Found[], watcher: PartitionWatcher): () => void {
    return this.#session.wait(watcher)
  }

  answer(found: readonly Found<SessionPartition>[]): Told {
    const sessionId = this.#session.traits.id
    if (this.#session.epoch === this.#epoch) {
      return { error: 'NONE', sessionId, found: this.#session.tell(found) }
    }
    // Another request went on with the session while this one waited: that one is told.
    this.#session.settle(found)
    return { error: 'INVALID_FETCH_SESSION_EPOCH', sessionId, found: [] }
  }
}

function partitionOf(partitions: Partitions, wish: Wish): Partition | ErrorName {
  const { topic, topicId, partition } = wish
  if (topic === null) return 'UNKNOWN_TOPIC_ID'
  const found = partitions.find(topic, partition)
  if (found === undefined) return partitions.absence(topic, partition)
  const isOther = topicId !== zeroUuid && topicId !== found.id.topicId
  return isOther ? 'INCONSISTENT_TOPIC_ID' : found
}
