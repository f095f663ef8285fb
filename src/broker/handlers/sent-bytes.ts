import type { Network, SendStream } from '../../env/env.ts'

interface Reader {
  readonly connectionId: number
  readonly topic: string
  readonly partition: number
}

interface Totals {
  sentBytes: number
  /** null as soon as one stream could not measure: an unknown part makes the sum unknown. */
  hitBytes: number | null
}

/**
 * What consumers were sent, by topic, and how much of it the page cache had. One stream for each connection and
 * partition, because surplus read-ahead belongs to the reader that caused it (data-path.md Q3).
 */
export class SentBytes {
  readonly #network: Pick<Network, 'openStream'>
  /** By connection, then by topic and partition. */
  readonly #open = new Map<number, Map<string, { topic: string; stream: SendStream }>>()
  readonly #closed = new Map<string, Totals>()

  constructor(network: Pick<Network, 'openStream'>) {
    this.#network = network
  }

  stream({ connectionId, topic, partition }: Reader): SendStream {
    let streams = this.#open.get(connectionId)
    if (streams === undefined) this.#open.set(connectionId, (streams = new Map()))
    const key = `${partition} ${topic}`
    const known = streams.get(key)
    if (known !== undefined) return known.stream
    const stream = this.#network.openStream()
    streams.set(key, { topic, stream })
    return stream
  }

  /** A connection ended: its counts move to the topics. */
  closeConnection(connectionId: number): void {
    const streams = this.#open.get(connectionId)
    if (streams === undefined) return
    this.#open.delete(connectionId)
    for (const { topic, stream } of streams.values()) {
      add(this.#closed, topic, stream)
      stream.close()
    }
  }

  byTopic(): ReadonlyMap<string, Readonly<Totals>> {
    const totals = new Map<string, Totals>()
    for (const [topic, closed] of this.#closed) totals.set(topic, { ...closed })
    for (const streams of this.#open.values()) {
      for (const { topic, stream } of streams.values()) add(totals, topic, stream)
    }
    return totals
  }
}

function add(totals: Map<string, Totals>, topic: string, stream: SendStream): void {
  let total = totals.get(topic)
  if (total === undefined) totals.set(topic, (total = { sentBytes: 0, hitBytes: 0 }))
  const hitBytes = stream.hitBytes()
  total.sentBytes += stream.sentBytes()
  total.hitBytes = hitBytes === null || total.hitBytes === null ? null : total.hitBytes + hitBytes
}
