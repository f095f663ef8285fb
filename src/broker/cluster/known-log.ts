import type { Clock } from '../../env/clock.ts'
import { assert } from '../../lib/assert.ts'
import { chainHash, genesisHash } from '../metadata/chain.ts'
import type { MetadataCopy } from '../metadata/copy/metadata-copy.ts'
import { MetadataImage } from '../metadata/image.ts'
import { decodeBatch, encodeBatch, type MetadataRecord } from '../metadata/records.ts'
import type { Cursor, Snapshot, StoredLog, StoredRecord } from '../metadata/store.ts'
import { MetadataFeed, type FeedRecord } from './metadata-feed.ts'
import { replay } from './replay.ts'

/** What somebody told of the log: records, or a state and the records after it. */
export interface ToldLog {
  readonly snapshot: Snapshot | null
  readonly records: readonly FeedRecord[]
}

/** What was told does not follow what this broker knows: it is not taken, and the store must be asked. */
export class BrokenChain extends Error {
  override readonly name = 'BrokenChain'
}

export interface KnownLogOptions {
  readonly clock: Clock
  readonly copy?: MetadataCopy | undefined
  /** Records after which the copy is made short by a snapshot. */
  readonly snapshotIntervalMax: number
  readonly image: () => MetadataImage
  readonly publish: (image: MetadataImage, records: readonly MetadataRecord[]) => void
}

/**
 * The metadata log as far as this broker knows it to be committed, whoever told: each record is checked against the hash of the
 * one before, durable in the copy, and only then published (durability.md 1.4, 1.7). One thing happens to it at a time.
 */
export class KnownLog {
  readonly feed: MetadataFeed
  readonly #options: KnownLogOptions
  #cursor: Cursor = { nextSequence: 1, lastHash: genesisHash }
  #sinceSnapshot = 0
  /** This broker writes the log, or tries to: what others tell is not taken. */
  #isOwned = false
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: KnownLogOptions) {
    this.#options = options
    this.feed = new MetadataFeed(options.clock)
  }

  /** What was published last. */
  get image(): MetadataImage {
    return this.#options.image()
  }

  /** Where it ends. */
  get cursor(): Cursor {
    return this.#cursor
  }

  setOwned(isOwned: boolean): void {
    this.#isOwned = isOwned
  }

  /** Nothing else happens to it until what `act` gives has settled. */
  alone<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#last.then(act)
    this.#last = done.catch(() => {})
    return done
  }

  /** At the start: the image is that of `log`. */
  begin(log: StoredLog): void {
    const { snapshot, tail, cursor } = log
    this.feed.reset(cursorAfter(snapshot))
    for (const record of tail) this.feed.append({ ...record, isNote: false })
    if (this.feed.end.nextSequence !== cursor.nextSequence) this.feed.reset(cursor)
    this.#cursor = cursor
    this.#sinceSnapshot = tail.length
  }

  /**
   * What was read from the store, which goes on from what is known; the copy has it. The news are published at once.
   * @throws StoreError `damaged`
   */
  catchUp(log: StoredLog): void {
    const { image, publish } = this.#options
    const before = image()
    const known = this.#cursor.nextSequence - 1
    const isUnbroken = (log.snapshot?.sequence ?? 0) <= known
    const after = replay(log)
    this.begin(log)
    if (after.sequence <= before.sequence) return
    const news = log.tail.filter(({ sequence }) => sequence > before.sequence)
    const records = news.flatMap(({ payload }) => decodeBatch(payload))
    publish(after, isUnbroken ? records : [...deletionsIn(before, after), ...records])
  }

  /** The store committed a record of this broker's, and the copy has it; `publish` is the caller's. */
  committed(record: FeedRecord): void {
    assert(record.sequence === this.#cursor.nextSequence, 'a record follows the last one')
    this.#move(record)
  }

  /**
   * Takes what is new of `told`, and publishes it. Nothing while this broker writes itself.
   * @throws BrokenChain, RecordFormatError; DiskError where the copy has no room: what was durable by then is published
   */
  take(told: ToldLog): Promise<void> {
    return this.alone(async () => {
      if (this.#isOwned) return
      if (told.snapshot !== null) await this.#takeSnapshot(told.snapshot)
      await this.#takeRecords(told.records)
    })
  }

  async #takeSnapshot(snapshot: Snapshot): Promise<void> {
    const { copy, image, publish } = this.#options
    if (snapshot.sequence < this.#cursor.nextSequence) return
    const before = image()
    const records = decodeBatch(snapshot.payload)
    const after = MetadataImage.empty.applyBatch(snapshot.sequence, records)
    if (after.controllerEpoch < before.controllerEpoch) {
      throw new BrokenChain(
        `a snapshot of record ${snapshot.sequence} is of controller epoch ${after.controllerEpoch}, and epoch ${before.controllerEpoch} is known`,
      )
    }
    const cursor = cursorAfter(snapshot)
    if (!isCopied(copy, cursor)) await copy?.replace({ snapshot, tail: [], cursor })
    this.#cursor = cursor
    this.feed.reset(cursor)
    this.#sinceSnapshot = 0
    publish(after, deletionsIn(before, after))
  }

  async #takeRecords(told: readonly FeedRecord[]): Promise<void> {
    const { image, publish } = this.#options
    let after = image()
    const records: MetadataRecord[] = []
    try {
      for (const record of told) {
        if (!this.#isNews(record)) continue
        const batch = record.isNote ? [] : decodeBatch(record.payload)
        const next = record.isNote ? after : after.applyBatch(record.sequence, batch)
        await this.#keep(record, next)
        this.#move(record)
        after = next
        records.push(...batch)
      }
    } finally {
      if (after !== image()) publish(after, records)
    }
  }

  /** @throws BrokenChain */
  #isNews(record: FeedRecord): boolean {
    const { nextSequence: sequence, lastHash: previousHash } = this.#cursor
    if (record.sequence < sequence) {
      const known = this.feed.hashOf(record.sequence)
      if (known === null || known === record.hash) return false
      throw new BrokenChain(`record ${record.sequence} is another one than this broker knows`)
    }
    if (record.sequence > sequence) {
      throw new BrokenChain(`record ${record.sequence} came where record ${sequence} was due`)
    }
    if (chainHash({ ...record, previousHash }) === record.hash) return true
    throw new BrokenChain(`record ${sequence} does not follow what this broker knows`)
  }

  /** Durably, before anybody acts by it. */
  async #keep(record: FeedRecord, after: MetadataImage): Promise<void> {
    const { copy, snapshotIntervalMax } = this.#options
    const ends = cursorAfter(record)
    if (copy === undefined || isCopied(copy, ends)) return
    if (!record.isNote && this.#sinceSnapshot < snapshotIntervalMax) return copy.append(record)
    const { sequence, epoch, hash } = record
    const snapshot = { sequence, epoch, hash, payload: encodeBatch(after.records()) }
    await copy.replace({ snapshot, tail: [], cursor: ends })
    this.#sinceSnapshot = 0
  }

  #move(record: FeedRecord): void {
    this.#cursor = cursorAfter(record)
    this.#sinceSnapshot++
    this.feed.append(record)
  }
}

function cursorAfter(record: Pick<StoredRecord, 'sequence' | 'hash'> | null): Cursor {
  if (record === null) return { nextSequence: 1, lastHash: genesisHash }
  return { nextSequence: record.sequence + 1, lastHash: record.hash }
}

/**
 * The copy has it, and perhaps more: a last append of this broker's own, of which its office did not learn any more, or what was
 * read from the store by somebody who had to stop before it was published.
 * @throws BrokenChain where the copy ends with another record at that place
 */
function isCopied(copy: MetadataCopy | undefined, ends: Cursor): boolean {
  const found = copy?.cursor ?? null
  if (found === null || found.nextSequence < ends.nextSequence) return false
  if (found.nextSequence > ends.nextSequence || found.lastHash === ends.lastHash) return true
  throw new BrokenChain(
    `record ${ends.nextSequence - 1} is another one than this broker's copy ends with`,
  )
}

/** Topics that a later state says were deleted, as their records would have said it. */
function deletionsIn(before: MetadataImage, after: MetadataImage): MetadataRecord[] {
  const gone = [...before.topics()].filter(({ id }) => after.wasDeleted(id))
  return gone.map(({ id: topicId }) => ({ type: 'topicDeleted', topicId }))
}
