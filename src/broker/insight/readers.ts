import type { Network, SendStream } from '../../env/env.ts'

/** One consumer of one partition: a connection that fetches from it. */
export interface ReaderId {
  readonly connectionId: number
  readonly clientId: string | null
  /** Address of the client. */
  readonly host: string
  readonly topic: string
  readonly partition: number
}

/** What is remembered of a reader from one fetch to the next. */
export interface Reader extends ReaderId {
  readonly stream: SendStream
  /** Last sent something cold from before the end of the log: such a one stays cold until it has caught up. */
  isLagging: boolean
  /** Where it reads next. */
  fetchOffset: number
}

/** What the readers of a topic that belong to one group, or to none (`''`), were sent. */
export interface SentBytes {
  readonly topic: string
  readonly group: string
  readonly sentBytes: number
  /** null where it could not be measured. */
  readonly hitBytes: number | null
}

/** The group that a reader reads for; '' where that is not certain. */
export type GroupOf = (reader: ReaderId) => string

export interface ReadersOptions {
  readonly groupOf?: GroupOf
  /** Whether totals of the topic and the group are worth keeping. */
  readonly isKept?: (topic: string, group: string) => boolean
  /** Totals by topic and group; who comes when there are as many counts for no group. */
  readonly groupTotalsMax?: number
}

interface OpenReader extends Reader {
  /** Whom what it is sent counts for. */
  group: string
  /** What of the stream's counts is in the totals already. */
  countedSent: number
  countedHit: number
}

interface Total {
  readonly topic: string
  readonly group: string
  sentBytes: number
  hitBytes: number | null
}

/**
 * Everybody who fetches: what they were sent by topic and group, how much of it the page cache had, how far they
 * are, and who lags. One stream for each connection and partition, because surplus read-ahead belongs to the reader
 * that caused it (data-path.md Q3).
 */
export class Readers {
  readonly #network: Pick<Network, 'openStream'>
  readonly #options: Required<ReadersOptions>
  /** By connection, then by topic and partition. */
  readonly #open = new Map<number, Map<string, OpenReader>>()
  readonly #totals = new Map<string, Total>()

  constructor(network: Pick<Network, 'openStream'>, options: ReadersOptions = {}) {
    this.#network = network
    const { groupOf = () => '', isKept = () => true, groupTotalsMax = Infinity } = options
    this.#options = { groupOf, isKept, groupTotalsMax }
  }

  /** The reader, known or new. Not to be asked for after `closeConnection`. */
  reader(id: ReaderId): Reader {
    let readers = this.#open.get(id.connectionId)
    if (readers === undefined) this.#open.set(id.connectionId, (readers = new Map()))
    const key = `${id.partition} ${id.topic}`
    const known = readers.get(key)
    if (known !== undefined) return this.#regroup(known)
    const reader: OpenReader = {
      ...id,
      stream: this.#network.openStream(),
      isLagging: false,
      fetchOffset: -1,
      group: this.#options.groupOf(id),
      countedSent: 0,
      countedHit: 0,
    }
    readers.set(key, reader)
    return reader
  }

  /** A connection ended: its counts stay in the totals. */
  closeConnection(connectionId: number): void {
    const readers = this.#open.get(connectionId)
    if (readers === undefined) return
    this.#open.delete(connectionId)
    for (const reader of readers.values()) {
      this.#count(reader)
      reader.stream.close()
    }
  }

  /** Totals since the start of the process; none ever falls. Those of what is gone are gone. */
  sent(): Iterable<SentBytes> {
    for (const [key, { topic, group }] of this.#totals) {
      if (!this.#options.isKept(topic, group)) this.#totals.delete(key)
    }
    for (const reader of this.#all()) this.#count(reader)
    return this.#totals.values()
  }

  /** Where everybody reads, with the group that he reads for. */
  *positions(): IterableIterator<Reader & { readonly group: string }> {
    for (const reader of this.#all()) if (reader.fetchOffset >= 0) yield this.#regroup(reader)
  }

  *#all(): IterableIterator<OpenReader> {
    for (const readers of this.#open.values()) yield* readers.values()
  }

  /** What it was sent until now counts for whom it read for until now. */
  #regroup(reader: OpenReader): OpenReader {
    const group = this.#options.groupOf(reader)
    if (group === reader.group) return reader
    this.#count(reader)
    reader.group = group
    return reader
  }

  #count(reader: OpenReader): void {
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
