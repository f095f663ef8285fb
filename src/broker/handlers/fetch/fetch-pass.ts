import { lagNow } from '../../insight/lagging.ts'
import type { Reader, Readers } from '../../insight/readers.ts'
import type { Partition } from '../../partition/partition.ts'
import type {
  PartitionRead,
  PartitionReader,
  PartitionReadResult,
} from '../../partition/requests.ts'
import type { ErrorName } from '../../wire/errors.ts'
import type { RequestContext } from '../handler.ts'
import type { Asked } from './asked.ts'
import type { CarryDeps } from './carried.ts'
import { unread, type Found, type FoundResult } from './fetch-result.ts'
import type { Follower } from './follower.ts'
import type { FollowerTraffic } from './follower-traffic.ts'
import type { Wish } from './sessions/wish.ts'

export interface PassDeps extends CarryDeps {
  readonly readers: Readers
  readonly followerTraffic: FollowerTraffic
  /** The broker's own limit of one answer, in bytes (`fetch.max.bytes`). */
  readonly answerBytesMax: number
}

/** What one look at all that has to be looked at gave. */
export interface Look {
  /** In the order of the answer: as in Kafka what is not there comes last. */
  readonly found: readonly Found[]
  readonly bytes: number
  /**
   * The client is answered at once: with an error, with the news that its log parts from ours (G30), or with a range
   * that ends before what is readable (at a segment's end, or at the answer's limit), so that waiting adds nothing.
   */
  readonly urgent: boolean
}

interface Passing {
  /** The broker that asks; null where a consumer does. */
  readonly follower: Follower | null
  /** The same request was looked at before. */
  readonly isRepeated: boolean
  readonly context: RequestContext
  /** The most that the answer may have. */
  readonly bytesMax: number
  isClosed(): boolean
}

type Later<T> = T | Promise<T>

export class FetchPass {
  readonly #deps: PassDeps
  readonly #asked: Asked
  readonly #passing: Passing
  readonly #found: Found[] = []
  readonly #missing: Found[] = []
  #bytes = 0
  #urgent = false

  constructor(deps: PassDeps, asked: Asked, passing: Passing) {
    this.#deps = deps
    this.#asked = asked
    this.#passing = passing
  }

  run(): Later<Look> {
    return this.#goOn(this.#asked.wishes(), 0)
  }

  #goOn(wishes: readonly Wish[], from: number): Later<Look> {
    for (let at = from; at < wishes.length; at++) {
      const later = this.#visit(wishes[at]!)
      if (later !== null) return later.then(() => this.#goOn(wishes, at + 1))
    }
    const found = this.#missing.length === 0 ? this.#found : [...this.#found, ...this.#missing]
    return { found, bytes: this.#bytes, urgent: this.#urgent }
  }

  /** Null where it is done. */
  #visit(wish: Wish): Promise<void> | null {
    const partition = this.#passing.isClosed()
      ? 'UNKNOWN_TOPIC_OR_PARTITION'
      : this.#asked.find(wish)
    if (typeof partition === 'string') {
      this.#refuse(wish, partition)
      return null
    }
    const { context } = this.#passing
    const reader = this.#deps.readers.reader(context, partition.id.topic, wish.partition)
    reader.isFollower = this.#passing.follower !== null
    const visited = { wish, partition, reader }
    const result = partition.read(this.#readOf(wish, reader))
    if (result instanceof Promise) return result.then(later => this.#take(visited, later))
    this.#take(visited, result)
    return null
  }

  #readOf(wish: Wish, reader: Reader): PartitionRead {
    // Where followers are is told elsewhere.
    if (this.#passing.follower === null) reader.fetchOffset = wish.fetchOffset
    const bytesLeft = this.#passing.bytesMax - this.#bytes
    return {
      reader: this.#readerOf(wish),
      fetchOffset: wish.fetchOffset,
      maxBytes: Math.max(0, Math.min(wish.partitionMaxBytes, bytesLeft)),
      minOneBatch: this.#bytes === 0,
      // Any negative one says here that the client does not know it.
      currentLeaderEpoch: Math.max(-1, wish.currentLeaderEpoch),
      lastFetchedEpoch: wish.lastFetchedEpoch,
      isLagging: (reader.lag = lagNow(reader.lag, reader.stream)) !== null,
    }
  }

  #readerOf({ logStartOffset }: Wish): PartitionReader {
    const { follower, isRepeated } = this.#passing
    if (follower === null) return consumer
    return { kind: 'follower', ...follower, logStartOffset, isRepeated }
  }

  #refuse(wish: Wish, error: ErrorName): void {
    this.#urgent = true
    // Of a topic that is another one now Kafka tells where it stands among the others, which it has read.
    const list = error === 'INCONSISTENT_TOPIC_ID' ? this.#found : this.#missing
    list.push({ wish, partition: null, reader: null, result: unread(error) })
  }

  #take({ wish, partition, reader }: Visited, found: PartitionReadResult): void {
    const isWithheld = found.range !== null && this.#isWithheld(partition)
    const read: FoundResult = isWithheld ? { ...found, range: null, isWithheld } : found
    const bytesMax = Math.min(wish.partitionMaxBytes, this.#passing.bytesMax)
    // As in Kafka there is no less than nothing to be had of what is there.
    const result = read.range !== null && bytesMax < 0 ? unread('UNKNOWN_SERVER_ERROR') : read
    const isCut = result.range !== null && !result.range.isCaughtUp
    if (result.error !== 'NONE' || result.diverging !== null || isCut) this.#urgent = true
    this.#bytes += result.range?.length ?? 0
    this.#found.push({ wish, partition, reader, result })
  }

  /** KIP-73: a follower that is not in sync, and has had enough for now. */
  #isWithheld(partition: Partition): boolean {
    const { follower } = this.#passing
    return follower !== null && this.#deps.followerTraffic.withholds(partition, follower.brokerId)
  }
}

interface Visited {
  readonly wish: Wish
  readonly partition: Partition
  readonly reader: Reader
}

const consumer: PartitionReader = { kind: 'consumer' }
