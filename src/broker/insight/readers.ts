import type { Address, Clock, SendStream } from '../../env/env.ts'
import type { Fetcher } from './attribution.ts'
import type { Lag } from './lagging.ts'
import type { SentNumbers } from './numbers.ts'

/** The connection that fetches, as a request knows it. */
export interface Fetching {
  readonly connectionId: number
  readonly clientId: string | null
  readonly remote: Address
  /** Of the network that the connection belongs to: another one cannot count what is sent there. */
  openStream(): SendStream
}

/** One consumer of one partition: what is remembered from one of its fetches to the next. */
export interface Reader extends Fetcher {
  readonly connectionId: number
  /** Whom what it is sent counts for; '' where that is not certain. */
  readonly group: string
  readonly stream: SendStream
  /** Not null: what it reads may have to come from the device, and goes by the cold lane. */
  lag: Lag | null
  /** Where it reads next; -1 where that is told elsewhere. */
  fetchOffset: number
  /** Another broker: what it is sent is not counted here. */
  isFollower: boolean
  /** Has not asked for long (`awayRounds`), as of when positions were last told. */
  isAway: boolean
}

/** Tells the group that a reader reads for, '' where that is not certain; the same ones while `revision` stays. */
export interface Attribution {
  readonly revision: number
  groupOf(reader: Fetcher): string
}

export interface ReadersOptions {
  readonly clock: Pick<Clock, 'monotonic'>
  /** null as long as groups are not known: then a reader counts for none. */
  attribution(): Attribution | null
  /** Whether totals of the topic and the group are worth keeping. */
  isKept(topic: string, group: string): boolean
  /** Totals by topic and group; who comes when there are as many counts for no group. */
  readonly groupTotalsMax: number
}

interface OpenReader extends Reader {
  group: string
  /** The attribution's that said so. */
  revision: number
  /** When it last asked. */
  round: number
  /** What of the stream's counts is in the totals already. */
  countedSent: number
  countedHit: number
}

interface Total extends SentNumbers {
  sentBytes: number
  hitBytes: number | null
}

/**
 * Everybody who fetches: what they were sent by topic and group, how much of it the page cache had, how far they
 * are, and who lags. One stream for each connection and partition, because surplus read-ahead belongs to the reader
 * that caused it (durability.md Q3).
 */
export class Readers {
  readonly #options: ReadersOptions
  /** By connection, topic and partition: names as they come, so that a fetch makes no keys. */
  readonly #open = new Map<number, Map<string, Map<number, OpenReader>>>()
  readonly #totals = new Map<string, Total>()
  /** Time as fetches are stamped with it: a fetch asks no clock. It goes on when somebody looks. */
  #round = 0
  #roundSinceMs: number

  constructor(options: ReadersOptions) {
    this.#options = options
    this.#roundSinceMs = options.clock.monotonic()
  }

  /** The reader, known or new. Not to be asked for after `closeConnection`. */
  reader(by: Fetching, topic: string, partition: number): Reader {
    const known = this.#open.get(by.connectionId)?.get(topic)?.get(partition)
    if (known === undefined) return this.#add(by, topic, partition)
    known.round = this.#round
    return this.#regroup(known)
  }

  /** A connection ended: its counts stay in the totals. */
  closeConnection(connectionId: number): void {
    const topics = this.#open.get(connectionId)
    if (topics === undefined) return
    this.#open.delete(connectionId)
    for (const reader of readersOf(topics)) {
      this.#count(reader)
      reader.stream.close()
    }
  }

  /** Everybody who reads a partition, but who is away. A look at every connection. */
  *of(topic: string, partition: number): IterableIterator<Reader> {
    this.#look()
    for (const topics of this.#open.values()) {
      const reader = topics.get(topic)?.get(partition)
      if (reader !== undefined && !this.#isAway(reader)) yield reader
    }
  }

  /** Totals since the start of the process; none ever falls. Those of what is gone are gone. */
  sent(): Iterable<SentNumbers> {
    this.#look()
    this.#closeGone()
    for (const [key, { topic, group }] of this.#totals) {
      if (!this.#options.isKept(topic, group)) this.#totals.delete(key)
    }
    for (const reader of this.#all()) this.#count(reader)
    return this.#totals.values()
  }

  /** Where everybody reads, with the group that he reads for. */
  *positions(): IterableIterator<Reader> {
    this.#look()
    for (const reader of this.#all()) {
      reader.isAway = this.#isAway(reader)
      if (reader.fetchOffset >= 0) yield this.#regroup(reader)
    }
  }

  #look(): void {
    const nowMs = this.#options.clock.monotonic()
    if (nowMs - this.#roundSinceMs < roundMs) return
    // By one, however long nobody looked: who asked meanwhile was stamped with the round before.
    this.#round++
    this.#roundSinceMs = nowMs
  }

  #isAway({ round }: OpenReader): boolean {
    return this.#round - round > awayRounds
  }

  #isAsking(topics: ReadonlyMap<string, ReadonlyMap<number, OpenReader>>): boolean {
    for (const { round } of readersOf(topics)) if (this.#round - round <= 1) return true
    return false
  }

  /**
   * A connection may outlive any number of topics. Only who is away on a connection that goes on asking: an answer to a
   * client that stands still may have the stream yet.
   */
  #closeGone(): void {
    for (const topics of this.#open.values()) {
      if (!this.#isAsking(topics)) continue
      for (const [topic, readers] of topics) {
        if (this.#options.isKept(topic, '')) continue
        for (const [partition, reader] of readers) {
          if (!this.#isAway(reader)) continue
          readers.delete(partition)
          reader.stream.close()
        }
        if (readers.size === 0) topics.delete(topic)
      }
    }
  }

  *#all(): IterableIterator<OpenReader> {
    for (const topics of this.#open.values()) yield* readersOf(topics)
  }

  #add(by: Fetching, topic: string, partition: number): OpenReader {
    const attribution = this.#options.attribution()
    const who = { clientId: by.clientId, host: by.remote.host, topic, partition }
    const reader: OpenReader = {
      ...who,
      connectionId: by.connectionId,
      stream: by.openStream(),
      lag: null,
      fetchOffset: -1,
      isFollower: false,
      isAway: false,
      round: this.#round,
      group: attribution?.groupOf(who) ?? '',
      revision: attribution?.revision ?? unattributed,
      countedSent: 0,
      countedHit: 0,
    }
    let topics = this.#open.get(by.connectionId)
    if (topics === undefined) this.#open.set(by.connectionId, (topics = new Map()))
    let readers = topics.get(topic)
    if (readers === undefined) topics.set(topic, (readers = new Map()))
    readers.set(partition, reader)
    return reader
  }

  /** What it was sent until now counts for whom it read for until now. */
  #regroup(reader: OpenReader): OpenReader {
    const attribution = this.#options.attribution()
    if (attribution === null || reader.revision === attribution.revision) return reader
    reader.revision = attribution.revision
    const group = attribution.groupOf(reader)
    if (group === reader.group) return reader
    this.#count(reader)
    reader.group = group
    return reader
  }

  #count(reader: OpenReader): void {
    if (reader.isFollower) return
    const { stream } = reader
    const total = this.#totalOf(reader)
    const sent = stream.sentBytes()
    const hit = stream.hitBytes()
    total.sentBytes += sent - reader.countedSent
    // One unknown part makes the sum unknown.
    if (hit === null || total.hitBytes === null) total.hitBytes = null
    else total.hitBytes += hit - reader.countedHit
    reader.countedSent = sent
    reader.countedHit = hit ?? 0
  }

  #totalOf({ topic, group }: Pick<OpenReader, 'topic' | 'group'>): Total {
    const key = `${group}\u0000${topic}`
    const known = this.#totals.get(key)
    if (known !== undefined) return known
    // There are as many topics as an administrator made, but as many groups as clients thought of.
    const isTooMany = group !== '' && this.#totals.size >= this.#options.groupTotalsMax
    if (isTooMany) return this.#totalOf({ topic, group: '' })
    const total = { topic, group, sentBytes: 0, hitBytes: 0 }
    this.#totals.set(key, total)
    return total
  }
}

/** A minute of the broker's, or longer where nobody looks. */
const roundMs = 60_000
/**
 * Five minutes: `max.poll.interval.ms` of clients, who leave their group when they poll less often. Less would give up who
 * works on what it has, or, as librdkafka does, asks for a partition only when its queue has room.
 */
const awayRounds = 5

/** The revision of a reader whose group nobody has looked up. */
const unattributed = -1

function* readersOf(
  topics: ReadonlyMap<string, ReadonlyMap<number, OpenReader>>,
): IterableIterator<OpenReader> {
  for (const readers of topics.values()) yield* readers.values()
}
