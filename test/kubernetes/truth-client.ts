import {
  batchOverheadBytes,
  encodeBatch,
  readBatchHeader,
} from '../../src/broker/log/batch/batch.ts'
import { readRecords } from '../../src/broker/log/batch/records.ts'
import {
  AnsweredError,
  refuseErrors,
  WireClientError,
} from '../../src/broker/wire/client/client-error.ts'
import { errorCode, errorName } from '../../src/broker/wire/errors.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import type { ClusterNames } from './cluster-names.ts'

export interface TruthClientOptions {
  /** `host:port` of the bootstrap Service. */
  readonly bootstrap: string
  readonly topic: string
  readonly names: Pick<ClusterNames, 'resolve'>
}

/**
 * A client that does not try again by itself: each attempt goes the way of a new one, if it must, from the bootstrap
 * Service over the metadata to the leader, and is given up after `attemptMsMax`.
 */
export class TruthClient {
  readonly #options: TruthClientOptions
  #leader: BrokerClient | null = null

  constructor(options: TruthClientOptions) {
    this.#options = options
  }

  /** Resolves when the record is acknowledged. */
  async produce(value: string): Promise<void> {
    await this.#attempt(async leader => {
      const batch = encodeBatch({ records: [{ value }], baseTimestamp: Date.now() })
      refuseErrors((await leader.produce(this.#partition, batch)).errorCode, 'produce')
    })
  }

  /** The values from `offset` on, as far as one answer has them, and the offset after them. */
  fetch(offset: number): Promise<{ readonly values: readonly string[]; readonly next: number }> {
    return this.#attempt(async leader => {
      const fetched = await leader.fetch(this.#partition, offset)
      refuseErrors(fetched.errorCode, 'fetch')
      return valuesOf(fetched.records, offset)
    })
  }

  close(): void {
    this.#leader?.close()
    this.#leader = null
  }

  get #partition(): { topic: string; partition: number } {
    return { topic: this.#options.topic, partition: 0 }
  }

  async #attempt<Result>(act: (leader: BrokerClient) => Promise<Result>): Promise<Result> {
    let late: NodeJS.Timeout | undefined
    const tooLate = new Promise<never>((_, reject) => {
      late = setTimeout(
        () => reject(new WireClientError('timeout', 'no answer in time')),
        attemptMsMax,
      )
    })
    try {
      this.#leader ??= await Promise.race([this.#connect(), tooLate])
      return await Promise.race([act(this.#leader), tooLate])
    } catch (error) {
      this.close()
      throw error
    } finally {
      clearTimeout(late)
    }
  }

  /** A connection to the leader; the topic is made where it is not there, with as many copies as the cluster gives by itself. */
  async #connect(): Promise<BrokerClient> {
    const { bootstrap, topic } = this.#options
    using first = await this.#connectTo(bootstrap)
    const { topics, brokers } = await first.metadata([topic])
    const answer = errorName(topics[0]?.errorCode ?? errorCode('UNKNOWN_TOPIC_OR_PARTITION'))
    if (answer === 'UNKNOWN_TOPIC_OR_PARTITION') await this.#make(first)
    if (answer !== 'NONE') throw new AnsweredError(answer, topic)
    const leader = brokers.find(({ nodeId }) => nodeId === topics[0]!.partitions[0]?.leaderId)
    if (leader === undefined) throw new AnsweredError('LEADER_NOT_AVAILABLE', topic)
    return await this.#connectTo(`${leader.host}:${leader.port}`)
  }

  /** Does nothing where another client was first. */
  async #make(client: BrokerClient): Promise<void> {
    const { topic } = this.#options
    const made = await client.createTopics([{ name: topic, replicas: -1 }])
    const answer = errorName(made.topics[0]!.errorCode)
    if (answer !== 'NONE' && answer !== 'TOPIC_ALREADY_EXISTS') {
      throw new AnsweredError(answer, `to make ${topic}`)
    }
  }

  async #connectTo(address: string): Promise<BrokerClient> {
    const { hostname, port } = new URL(`tcp://${address}`)
    const host = await this.#options.names.resolve(hostname)
    return BrokerClient.connect(Number(port), { host, timeoutMs: attemptMsMax })
  }
}

const attemptMsMax = 2000

function valuesOf(bytes: Uint8Array, offset: number): { values: string[]; next: number } {
  const values: string[] = []
  const text = new TextDecoder()
  let next = offset
  for (let at = 0; at + batchOverheadBytes <= bytes.length;) {
    const header = readBatchHeader(bytes, at)
    const end = at + header.sizeBytes
    // The last one may be cut short.
    if (end > bytes.length) break
    const payload = bytes.subarray(at + batchOverheadBytes, end)
    for (const record of readRecords(payload, header)) {
      values.push(text.decode(record.value ?? undefined))
    }
    next = header.baseOffset + header.lastOffsetDelta + 1
    at = end
  }
  return { values, next }
}
