import { Versions } from '../../src/broker/wire/client/versions.ts'
import { WireClient, type WireClientOptions } from '../../src/broker/wire/client/client.ts'
import type { WireClientError } from '../../src/broker/wire/client/client-error.ts'
import type { Api, Draft, Fields, Infer } from '../../src/broker/wire/field.ts'
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
import { realClock } from '../../src/env/real/clock.ts'
import { NodeNetwork } from '../../src/env/real/network.ts'
import type { Int64 } from '../../src/lib/bytes.ts'
import { NetworkFrom } from './network-from.ts'

export interface BrokerClientOptions {
  readonly host?: string
  /** Where the connection comes from: see `NetworkFrom`. */
  readonly localAddress?: string
  readonly clientId?: string | null
  /** For a connection to come about, and for every answer; what takes longer fails. */
  readonly timeoutMs?: number
  /** Says nothing on its own: the broker is not asked for its versions. */
  readonly isSilent?: boolean
}

export interface PartitionId {
  readonly topic: string
  readonly partition: number
  /** For versions that have ids of topics in place of their names. */
  readonly topicId?: string
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

const network = new NodeNetwork()

/** The product's client with what tests say to a broker all the time, each in one call. */
export class BrokerClient {
  readonly wire: WireClient

  static async connect(port: number, options: BrokerClientOptions = {}): Promise<BrokerClient> {
    const { host = '127.0.0.1', clientId = 'broker-client', timeoutMs = 60_000 } = options
    const { localAddress, isSilent = false } = options
    const from = localAddress === undefined ? network : new NetworkFrom(localAddress)
    const limits: WireClientOptions = {
      clientId,
      connectTimeoutMs: timeoutMs,
      requestTimeoutMs: timeoutMs,
      // A test may ask as much as it likes.
      inFlightMax: Infinity,
    }
    const versions = isSilent ? { versions: Versions.assumed() } : {}
    const env = { clock: realClock, network: from }
    return new BrokerClient(
      await WireClient.connect(env, { host, port }, { ...limits, ...versions }),
    )
  }

  constructor(wire: WireClient) {
    this.wire = wire
  }

  get isOpen(): boolean {
    return this.wire.isOpen
  }

  get closed(): Promise<WireClientError> {
    return this.wire.closed
  }

  /** Of this end: what the broker's side knows it by. */
  get localPort(): number {
    return this.wire.local.port
  }

  /** Asks in the version that the test is about, not in the highest. */
  request<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    value: Draft<Request>,
  ): Promise<Infer<Response>> {
    return this.wire.request(api, value, { version })
  }

  /** Sends a request that is not answered: Produce with acks=0. */
  send<Request extends Fields>(api: Api<Request>, version: number, value: Draft<Request>): void {
    this.wire.send(api, value, { version })
  }

  close(): void {
    this.wire.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  apiVersions(): Promise<Infer<typeof apiVersions.response>> {
    const clientSoftwareName = 'logcluster-test'
    return this.request(apiVersions, 3, { clientSoftwareName, clientSoftwareVersion: '1' })
  }

  createTopics(
    topics: readonly {
      readonly name: string
      readonly partitions?: number
      /** 1 where left out. */
      readonly replicas?: number
      readonly configs?: Readonly<Record<string, string>>
    }[],
  ): Promise<Infer<typeof createTopics.response>> {
    const asked: CreateTopicsRequest['topics'] = topics.map(topic => ({
      name: topic.name,
      numPartitions: topic.partitions ?? 1,
      replicationFactor: topic.replicas ?? 1,
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
    if (partition === undefined) throw new Error('an answer without the partition')
    return partition
  }

  /** Fetches from one partition. */
  async fetch(from: PartitionId, offset: number, options?: FetchOptions): Promise<Fetched> {
    const request = fetchRequest(from, offset, options)
    const answer = await this.request(fetch, 12, request)
    const partition = answer.responses[0]?.partitions[0]
    if (partition === undefined) throw new Error(`fetch error ${answer.errorCode}`)
    return { ...partition, records: partition.records ?? new Uint8Array(0) }
  }

  /** The offset of a timestamp: -1 for the end, -2 for the start. */
  async listOffset(
    of: PartitionId,
    timestamp: Int64,
  ): Promise<{ readonly errorCode: number; readonly offset: number; readonly timestamp: Int64 }> {
    const answer = await this.request(listOffsets, 7, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: of.topic, partitions: [{ partitionIndex: of.partition, timestamp }] }],
      timeoutMs: 10_000,
    })
    const partition = answer.topics[0]?.partitions[0]
    if (partition === undefined) throw new Error('an answer without the partition')
    return partition
  }
}

export interface FetchOptions {
  /** Of the long poll. */
  readonly waitMs?: number
  readonly maxBytes?: number
}

export function fetchRequest(
  { topic, partition, topicId = noTopicId }: PartitionId,
  fetchOffset: number,
  { waitMs = 0, maxBytes = 1 << 20 }: FetchOptions = {},
): Draft<typeof fetch.request> {
  const partitions = [{ partition, fetchOffset, partitionMaxBytes: maxBytes }]
  return {
    maxWaitMs: waitMs,
    minBytes: 1,
    maxBytes,
    isolationLevel: 0,
    sessionId: 0,
    topics: [{ topic, topicId, partitions }],
    forgottenTopicsData: [],
    rackId: '',
  }
}

export function produceRequest(
  { topic, partition, topicId = noTopicId }: PartitionId,
  records: Uint8Array,
  acks: number,
): Draft<typeof produce.request> {
  const topicData = [{ name: topic, topicId, partitionData: [{ index: partition, records }] }]
  return { acks, timeoutMs: 30_000, topicData }
}

const noTopicId = 'AAAAAAAAAAAAAAAAAAAAAA'
