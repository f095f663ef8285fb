import type { Network, SendStream } from '../../env/env.ts'

/** One consumer of one partition. */
export interface Reader {
  readonly connectionId: number
  readonly topic: string
  readonly partition: number
}

interface Open {
  readonly topic: string
  readonly stream: SendStream
  isLagging: boolean
}

interface Totals {
  sentBytes: number
  /** null as soon as one stream could not measure: an unknown part makes the sum unknown. */
  hitBytes: number | null
}

/**
 * What consumers were sent, by topic, how much of it the page cache had, and who lags. One stream for each
 * connection and partition, because surplus read-ahead belongs to the reader that caused it (data-path.md Q3).
 */
export class SentBytes {
  readonly #network: Pick<Network, 'openStream'>
  /** By connection, then by topic and partition. */
  readonly #open = new Map<number, Map<string, Open>>()
  readonly #closed = new Map<string, Totals>()

  constructor(network: Pick<Network, 'openStream'>) {
    this.#network = network
  }

  stream(reader: Reader): SendStream {
    return this.#openOf(reader).stream
  }

  /** Whether the reader was last sent something cold from before the end of the log: such a one stays cold. */
  isLagging(reader: Reader): boolean {
    return this.#find(reader)?.isLagging ?? false
  }

  setLagging(reader: Reader, isLagging: boolean): void {
    this.#openOf(reader).isLagging = isLagging
  }

  #find({ connectionId, topic, partition }: Reader): Open | undefined {
    return this.#open.get(connectionId)?.get(`${partition} ${topic}`)
  }

  #openOf(reader: Reader): Open {
    const known = this.#find(reader)
    if (known !== undefined) return known
    const { connectionId, topic, partition } = reader
    let streams = this.#open.get(connectionId)
    if (streams === undefined) this.#open.set(connectionId, (streams = new Map()))
    const open = { topic, stream: this.#network.openStream(), isLagging: false }
    streams.set(`${partition} ${topic}`, open)
    return open
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
