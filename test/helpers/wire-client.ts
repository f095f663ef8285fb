import { connect, type Socket } from 'node:net'
import { concat, readInt32 } from '../../src/lib/bytes.ts'
import type { Api, Draft, Fields, Infer } from '../../src/broker/wire/field.ts'
import { readCorrelationId, readResponse, requestFrame } from '../../src/broker/wire/frame.ts'
import {
  apiVersions,
  createTopics,
  deleteTopics,
  fetch,
  initProducerId,
  listOffsets,
  metadata,
  produce,
  type CreateTopicsRequest,
} from '../../src/broker/wire/messages/index.ts'

export interface WireClientOptions {
  readonly host?: string
  /** Where the connection comes from: any 127.0.0.0/8 address will do, and tells its lines in the broker's log from others. */
  readonly localAddress?: string
  readonly clientId?: string | null
  /** For a connection to come about, and for every answer; what takes longer fails. */
  readonly timeoutMs?: number
}

/** The connection ended before the answer came, or no answer came in time. */
export class WireClientError extends Error {
  override readonly name = 'WireClientError'
}

export interface PartitionId {
  readonly topic: string
  readonly partition: number
}

/** What one partition of a produce answered. */
export interface Produced {
  readonly errorCode: number
  readonly baseOffset: number
  readonly logStartOffset: number
  readonly errorMessage: string | null
}

/** What one partition of a fetch answered. */
export interface Fetched {
  readonly errorCode: number
  readonly highWatermark: number
  readonly logStartOffset: number
  readonly records: Uint8Array
}

type Pending = {
  /** null where the answer is wanted as bytes, whatever it is. */
  readonly correlationId: number | null
  readonly answered: (frame: Uint8Array) => void
  readonly failed: (error: WireClientError) => void
}

/**
 * One connection that speaks Kafka's protocol with our own codecs. Requests may be pipelined: each call sends at
 * once, in the order of the calls. Rejects with a WireClientError, never with anything else; never reconnects.
 */
export class WireClient {
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #localPort: number
  readonly #clientId: string | null
  readonly #timeoutMs: number
  readonly #pending: Pending[] = []
  #received: Uint8Array[] = []
  #receivedBytes = 0
  #neededBytes = 4
  #lastCorrelationId = 0
  #end: WireClientError | null = null

  static async connect(port: number, options: WireClientOptions = {}): Promise<WireClient> {
    const { host = '127.0.0.1', timeoutMs = 10_000 } = options
    const { localAddress } = options
    const from = localAddress === undefined ? {} : { localAddress }
    const socket = connect({ port, host, noDelay: true, ...from })
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => {
        clearTimeout(timer)
        socket.destroy()
        reject(new WireClientError(why))
      }
      const timer = setTimeout(() => fail(`no connection within ${timeoutMs} ms`), timeoutMs)
      socket.once('error', error => fail(error.message))
      socket.once('connect', () => {
        clearTimeout(timer)
        resolve()
      })
    })
    return new WireClient(socket, options)
  }

  private constructor(socket: Socket, options: WireClientOptions) {
    const { clientId = 'wire-client', timeoutMs = 10_000 } = options
    this.#socket = socket
    this.#localPort = socket.localPort ?? 0
    this.#clientId = clientId
    this.#timeoutMs = timeoutMs
    this.closed = new Promise(resolve => socket.once('close', () => resolve()))
    socket.on('data', chunk => this.#take(chunk))
    socket.on('error', error => this.#fail(`the connection broke: ${error.message}`))
    socket.on('close', () => this.#fail('the connection was closed'))
  }

  get isOpen(): boolean {
    return this.#end === null
  }

  /** Of this end: what the broker's side knows it by. */
  get localPort(): number {
    return this.#localPort
  }

  /** Requests that have no answer yet. */
  get openCount(): number {
    return this.#pending.length
  }

  request<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    value: Draft<Request>,
  ): Promise<Infer<Response>> {
    const correlationId = this.#nextCorrelationId()
    const answer = this.#await(correlationId).then(frame => {
      return readResponse(api, version, frame).value
    })
    this.sendRaw(this.frame(api, version, value, correlationId))
    return answer
  }

  /** Sends a request that is not answered: Produce with acks=0. */
  send<Request extends Fields>(api: Api<Request>, version: number, value: Draft<Request>): void {
    this.sendRaw(this.frame(api, version, value, this.#nextCorrelationId()))
  }

  /** A whole request frame, length prefix included, not sent. */
  frame<Request extends Fields>(
    api: Api<Request>,
    version: number,
    value: Draft<Request>,
    correlationId = this.#nextCorrelationId(),
  ): Uint8Array {
    const header = { correlationId, clientId: this.#clientId }
    return concat(requestFrame(api, version, header, value) as Uint8Array[])
  }

  /** Sends bytes as they are. */
  sendRaw(bytes: Uint8Array): void {
    if (this.#end === null) this.#socket.write(bytes)
  }

  /** Sends bytes as they are; resolves to the next frame that comes, without its length prefix. */
  exchangeRaw(bytes: Uint8Array): Promise<Uint8Array> {
    const answer = this.nextFrame()
    this.sendRaw(bytes)
    return answer
  }

  /** The next frame that comes and that nobody else waits for, without its length prefix. */
  nextFrame(): Promise<Uint8Array> {
    return this.#await(null)
  }

  /** As `exchangeRaw`, but null where the broker closed the connection instead. Throws where it did neither. */
  async answerOrClose(bytes: Uint8Array): Promise<Uint8Array | null> {
    try {
      return await this.exchangeRaw(bytes)
    } catch (error) {
      if (this.#socket.closed || this.#socket.destroyed) return null
      throw error
    }
  }

  /** Stops reading; what the broker sends stays in the kernel. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Says that nothing more will be sent; what the broker still sends is taken. */
  finish(): void {
    this.#socket.end()
  }

  /** Ends the connection at once; open requests fail. */
  close(): void {
    this.#fail('the client closed the connection')
    this.#socket.destroy()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #nextCorrelationId(): number {
    this.#lastCorrelationId = (this.#lastCorrelationId + 1) & 0x7fffffff
    return this.#lastCorrelationId
  }

  #await(correlationId: number | null): Promise<Uint8Array> {
    if (this.#end !== null) return Promise.reject(this.#end)
    return new Promise((resolve, reject) => {
      const late = (): void => this.#fail(`no answer within ${this.#timeoutMs} ms`)
      const timer = setTimeout(late, this.#timeoutMs)
      this.#pending.push({
        correlationId,
        answered: frame => {
          clearTimeout(timer)
          resolve(frame)
        },
        failed: error => {
          clearTimeout(timer)
          reject(error)
        },
      })
    })
  }

  #take(chunk: Uint8Array): void {
    this.#received.push(chunk)
    this.#receivedBytes += chunk.length
    if (this.#receivedBytes < this.#neededBytes) return
    const bytes = concat(this.#received)
    let at = 0
    this.#neededBytes = 4
    while (bytes.length - at >= 4) {
      const size = readInt32(bytes, at)
      this.#neededBytes = 4 + size
      if (bytes.length - at < 4 + size) break
      this.#answer(bytes.subarray(at + 4, at + 4 + size))
      at += 4 + size
      this.#neededBytes = 4
    }
    this.#received = at < bytes.length ? [bytes.subarray(at)] : []
    this.#receivedBytes = bytes.length - at
  }

  #answer(frame: Uint8Array): void {
    const pending = this.#pending.shift()
    if (pending === undefined) return this.#fail('an answer came that nobody asked for')
    const { correlationId } = pending
    if (correlationId !== null && readCorrelationId(frame) !== correlationId) {
      this.#pending.unshift(pending)
      return this.#fail(`answer ${readCorrelationId(frame)} came in place of ${correlationId}`)
    }
    pending.answered(frame)
  }

  #fail(why: string): void {
    if (this.#end !== null) return
    this.#end = new WireClientError(why)
    for (const { failed } of this.#pending.splice(0)) failed(this.#end)
    if (!this.#socket.destroyed) this.#socket.destroy()
  }

  apiVersions(): Promise<Infer<typeof apiVersions.response>> {
    const clientSoftwareName = 'logcluster-test'
    return this.request(apiVersions, 3, { clientSoftwareName, clientSoftwareVersion: '1' })
  }

  createTopics(
    topics: readonly {
      readonly name: string
      readonly partitions?: number
      readonly configs?: Readonly<Record<string, string>>
    }[],
  ): Promise<Infer<typeof createTopics.response>> {
    const asked: CreateTopicsRequest['topics'] = topics.map(topic => ({
      name: topic.name,
      numPartitions: topic.partitions ?? 1,
      replicationFactor: 1,
      assignments: [],
      configs: Object.entries(topic.configs ?? {}).map(([name, value]) => ({ name, value })),
    }))
    return this.request(createTopics, 7, { topics: asked, validateOnly: false })
  }

  deleteTopics(names: readonly string[]): Promise<Infer<typeof deleteTopics.response>> {
    const topics = names.map(name => ({ name, topicId: noTopicId }))
    return this.request(deleteTopics, 6, { topics, topicNames: [], timeoutMs: 30_000 })
  }

  /** All topics, or those named; none is created. */
  metadata(names: readonly string[] | null = null): Promise<Infer<typeof metadata.response>> {
    return this.request(metadata, 12, {
      topics: names?.map(name => ({ name, topicId: noTopicId })) ?? null,
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
  }

  initProducerId(
    transactionalId: string | null = null,
  ): Promise<Infer<typeof initProducerId.response>> {
    const rest = { enable2Pc: false, keepPreparedTxn: false, transactionTimeoutMs: 60_000 }
    return this.request(initProducerId, 4, { transactionalId, ...rest })
  }

  /** Produces to one partition and resolves to its answer. */
  async produce(to: PartitionId, records: Uint8Array, acks: -1 | 1 = -1): Promise<Produced> {
    const answer = await this.request(produce, 9, produceRequest(to, records, acks))
    const partition = answer.responses[0]?.partitionResponses[0]
    if (partition === undefined) throw new WireClientError('an answer without the partition')
    return partition
  }

  /** Fetches from one partition, with a long poll of `waitMs`. */
  async fetch(
    from: PartitionId,
    offset: number,
    options: { readonly waitMs?: number; readonly maxBytes?: number } = {},
  ): Promise<Fetched> {
    const { waitMs = 0, maxBytes = 1 << 20 } = options
    const answer = await this.request(fetch, 12, {
      maxWaitMs: waitMs,
      minBytes: 1,
      maxBytes,
      isolationLevel: 0,
      sessionId: 0,
      topics: [
        {
          topic: from.topic,
          partitions: [
            { partition: from.partition, fetchOffset: offset, partitionMaxBytes: maxBytes },
          ],
        },
      ],
      forgottenTopicsData: [],
      rackId: '',
    })
    const partition = answer.responses[0]?.partitions[0]
    if (partition === undefined) throw new WireClientError(`fetch error ${answer.errorCode}`)
    return { ...partition, records: partition.records ?? new Uint8Array(0) }
  }

  /** The offset of a timestamp: -1 for the end, -2 for the start. */
  async listOffset(
    of: PartitionId,
    timestamp: number,
  ): Promise<{ readonly errorCode: number; readonly offset: number; readonly timestamp: number }> {
    const answer = await this.request(listOffsets, 7, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: of.topic, partitions: [{ partitionIndex: of.partition, timestamp }] }],
      timeoutMs: 10_000,
    })
    const partition = answer.topics[0]?.partitions[0]
    if (partition === undefined) throw new WireClientError('an answer without the partition')
    return partition
  }
}

export function produceRequest(
  { topic, partition }: PartitionId,
  records: Uint8Array,
  acks: number,
): Draft<typeof produce.request> {
  const topicData = [{ name: topic, partitionData: [{ index: partition, records }] }]
  return { acks, timeoutMs: 30_000, topicData }
}

const noTopicId = 'AAAAAAAAAAAAAAAAAAAAAA'
