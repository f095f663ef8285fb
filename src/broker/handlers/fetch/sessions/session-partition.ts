import type { Uuid } from '../../../../lib/uuid.ts'
import type { Outcome, Wish } from './wish.ts'

/** Who is told the news of a partition. */
export interface Watcher {
  grew(bytes: number): void
  changed(): void
  startMoved(): void
}

/** Where the news of a partition come from. */
export interface Source {
  readonly watchers: { add(watcher: Watcher): void; delete(watcher: Watcher): void }
}

/** The session, as its partitions see it. */
interface Home {
  /** There is news of `partition`: it has to be looked at. Tells whether anybody waits. */
  mark(partition: SessionPartition): boolean
  /** And whoever waits is told: of bytes, or of something else that he is answered with at once. */
  wake(bytes: number): void
  changed(): void
}

/**
 * One partition of a session: what the reader asked for last, and what it was told last. It watches its partition from
 * a look on, so that nobody need look again as long as nothing comes of it. Where nobody waits one piece of news is
 * enough until the next look: sessions of readers that are gone cost no more than that.
 */
export class SessionPartition implements Wish, Watcher {
  readonly topicId: Uuid
  topic: string | null
  readonly partition: number
  fetchOffset!: number
  partitionMaxBytes!: number
  currentLeaderEpoch!: number
  lastFetchedEpoch!: number
  logStartOffset!: number
  /** Partitions are served by their turns; who was given records gets the last one. */
  turn = 0
  readonly #home: Home
  #source: Source | null = null
  /** -1: it was told none, or an error since. */
  #toldHighWatermark = -1
  #toldLogStartOffset = -1
  /** By the last look its records are withheld: more of them is nothing to look at. */
  isWithheld = false

  constructor(wish: Wish, home: Home) {
    this.topicId = wish.topicId
    this.topic = wish.topic
    this.partition = wish.partition
    this.#home = home
    this.ask(wish)
  }

  /** The reader asks for something else. */
  ask(wish: Wish): void {
    this.fetchOffset = wish.fetchOffset
    this.partitionMaxBytes = wish.partitionMaxBytes
    this.currentLeaderEpoch = wish.currentLeaderEpoch
    this.lastFetchedEpoch = wish.lastFetchedEpoch
    this.logStartOffset = wish.logStartOffset
  }

  /** News come from `source` from now on: a topic made anew is another one. Null: from nowhere. */
  follow(source: Source | null): void {
    if (source === this.#source) return
    this.#source?.watchers.delete(this)
    this.#source = source
    source?.watchers.add(this)
  }

  /** Whether an answer has to tell `outcome`: records, an error, or another beginning or end than it was told (KIP-227). */
  isNews({ error, highWatermark, logStartOffset, range, diverging }: Outcome): boolean {
    return (
      error !== 'NONE' ||
      diverging !== null ||
      (range !== null && range.length > 0) ||
      highWatermark !== this.#toldHighWatermark ||
      logStartOffset !== this.#toldLogStartOffset
    )
  }

  /** The reader is told `outcome`. After an error it is told everything anew. */
  tell({ error, highWatermark, logStartOffset }: Outcome): void {
    this.#toldHighWatermark = error === 'NONE' ? highWatermark : -1
    this.#toldLogStartOffset = logStartOffset
  }

  /** Whether another look would give nothing new, until the partition says that there is news. */
  isQuietAfter(outcome: Outcome): boolean {
    const isAtEnd = outcome.range === null && this.fetchOffset >= outcome.readableOffset
    return isAtEnd && !this.isNews(outcome)
  }

  grew(bytes: number): void {
    if (!this.#home.mark(this)) this.follow(null)
    else if (!this.isWithheld) this.#home.wake(bytes)
  }

  changed(): void {
    if (this.#home.mark(this)) this.#home.changed()
    else this.follow(null)
  }

  startMoved(): void {
    if (!this.#home.mark(this)) this.follow(null)
  }
}
