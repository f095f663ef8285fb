import {
  AnsweredError,
  refuseErrors,
  WireClientError,
} from '../../broker/wire/client/client-error.ts'
import type { WireClient } from '../../broker/wire/client/client.ts'
import { retrying } from '../../broker/wire/client/retrying.ts'
import { isLoginRefusal } from '../../broker/wire/client/scram-login.ts'
import { errorName } from '../../broker/wire/errors.ts'
import {
  createPartitions,
  createTopics,
  deleteTopics,
  describeConfigs,
  incrementalAlterConfigs,
  metadata,
} from '../../broker/wire/messages/index.ts'
import { brokerStatus } from '../../broker/wire/private/index.ts'
import { ScramError } from '../../broker/wire/sasl/scram-messages.ts'
import { zeroUuid } from '../../lib/uuid.ts'
import { BrokerConnections, type BrokerEnv, type ConnectionTimes } from './broker-connections.ts'
import { BrokerError } from './broker-error.ts'
import { askToForget, askToMove, readPlaces } from './partition-places.ts'
import { askToRetire } from './retire-directory.ts'
import type {
  BrokerAccess,
  Brokers,
  BrokerStatus,
  ClusterPlaces,
  ConfigChange,
  ConfigsOf,
  Created,
  DescribedConfig,
  Outcome,
  PeerAccess,
  Refusal,
  ReplicaMove,
  RetirementWish,
  TopicDescription,
  TopicWish,
} from './brokers.ts'
import {
  configsDescribed,
  inOrderOf,
  outcomeOf,
  resourceOf,
  topicDescribed,
  type AnsweredTopic,
} from './wire-answers.ts'

interface WireBrokersOptions extends ConnectionTimes {
  /** Milliseconds for all attempts of one request; whoever reconciles comes again by himself. */
  readonly attemptsMs: number
}

const defaults: WireBrokersOptions = {
  connectTimeoutMs: 3_000,
  requestTimeoutMs: 15_000,
  idleMs: 60_000,
  attemptsMs: 1_000,
}

/** Milliseconds that a broker may take for a change, which is less than the time for its answer. */
const changeTimeoutMs = 10_000

/** IncrementalAlterConfigs. */
const operations = { set: 0, reset: 1 } as const

/** Brokers over Kafka's protocol, by their private listeners. */
export class WireBrokers implements Brokers {
  readonly #env: BrokerEnv
  readonly #options: WireBrokersOptions
  readonly #connections: BrokerConnections

  constructor(env: BrokerEnv, options: Partial<WireBrokersOptions> = {}) {
    this.#env = env
    this.#options = { ...defaults, ...options }
    this.#connections = new BrokerConnections(env, this.#options)
  }

  status(broker: BrokerAccess): Promise<BrokerStatus> {
    return this.#ask(broker, async client => {
      const { errorCode, errorMessage: _, ...status } = await client.request(brokerStatus, {})
      refuseErrors(errorCode, 'BrokerStatus')
      return status
    })
  }

  async describeConfigs(
    broker: BrokerAccess,
    resources: readonly ConfigsOf[],
  ): Promise<readonly (ReadonlyMap<string, DescribedConfig> | Refusal)[]> {
    if (resources.length === 0) return []
    return await this.#ask(broker, async client => {
      const { results } = await client.request(describeConfigs, {
        resources: resources.map(each => ({ ...resourceOf(each), configurationKeys: null })),
        includeSynonyms: false,
        includeDocumentation: false,
      })
      return inOrderOf(resources, results).map(configsDescribed)
    })
  }

  async alterConfigs(
    broker: BrokerAccess,
    changes: readonly ConfigChange[],
  ): Promise<readonly Outcome[]> {
    if (changes.length === 0) return []
    return await this.#ask(broker, async client => {
      const resources = changes.map(({ of, configs }) => ({
        ...resourceOf(of),
        configs: Object.entries(configs).map(([name, value]) => {
          const configOperation = value === null ? operations.reset : operations.set
          return { name, value, configOperation }
        }),
      }))
      const wish = { resources, validateOnly: false }
      const { responses } = await client.request(incrementalAlterConfigs, wish)
      const asked = changes.map(({ of }) => of)
      return inOrderOf(asked, responses).map(outcomeOf)
    })
  }

  async listTopics(broker: BrokerAccess): Promise<readonly TopicDescription[]> {
    return (await this.#metadata(broker, null)).map(topicDescribed)
  }

  async describeTopics(
    broker: BrokerAccess,
    names: readonly string[],
  ): Promise<readonly (TopicDescription | null)[]> {
    if (names.length === 0) return []
    const topics = await this.#metadata(broker, names)
    const byName = new Map(topics.map(topic => [topic.name, topic]))
    return names.map(name => {
      const topic = byName.get(name)
      const isThere = topic !== undefined && errorName(topic.errorCode) === 'NONE'
      return isThere ? topicDescribed(topic) : null
    })
  }

  async createTopics(
    broker: BrokerAccess,
    topics: readonly TopicWish[],
  ): Promise<readonly Created[]> {
    if (topics.length === 0) return []
    return await this.#ask(broker, async client => {
      const answer = await client.request(createTopics, {
        topics: topics.map(({ name, partitionCount, replicationFactor, configs }) => ({
          name,
          numPartitions: partitionCount,
          replicationFactor,
          assignments: [],
          configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
        })),
        timeoutMs: changeTimeoutMs,
        validateOnly: false,
      })
      const byName = new Map(answer.topics.map(topic => [topic.name, topic]))
      return topics.map(({ name }) => {
        const created = byName.get(name)
        return outcomeOf(created) ?? { topicId: created?.topicId ?? zeroUuid }
      })
    })
  }

  async deleteTopics(
    broker: BrokerAccess,
    topicIds: readonly string[],
  ): Promise<readonly Outcome[]> {
    if (topicIds.length === 0) return []
    return await this.#ask(broker, async client => {
      const topics = topicIds.map(topicId => ({ name: null, topicId }))
      const wish = { topics, topicNames: [], timeoutMs: changeTimeoutMs }
      const { responses } = await client.request(deleteTopics, wish)
      const byId = new Map(responses.map(response => [response.topicId, response]))
      return topicIds.map(topicId => outcomeOf(byId.get(topicId)))
    })
  }

  async createPartitions(
    broker: BrokerAccess,
    topics: readonly Pick<TopicWish, 'name' | 'partitionCount'>[],
  ): Promise<readonly Outcome[]> {
    if (topics.length === 0) return []
    return await this.#ask(broker, async client => {
      const { results } = await client.request(createPartitions, {
        topics: topics.map(({ name, partitionCount }) => {
          return { name, count: partitionCount, assignments: null }
        }),
        timeoutMs: changeTimeoutMs,
        validateOnly: false,
      })
      const byName = new Map(results.map(result => [result.name, result]))
      return topics.map(({ name }) => outcomeOf(byName.get(name)))
    })
  }

  retireDirectory(broker: PeerAccess, wish: RetirementWish): Promise<Outcome> {
    return this.#ask(broker, client => askToRetire(client, wish, changeTimeoutMs))
  }

  places(broker: BrokerAccess, topics?: readonly string[]): Promise<ClusterPlaces> {
    return this.#ask(broker, client => readPlaces(client, topics ?? null))
  }

  async moveReplicas(
    broker: BrokerAccess,
    moves: readonly ReplicaMove[],
  ): Promise<readonly Outcome[]> {
    if (moves.length === 0) return []
    return await this.#ask(broker, client => askToMove(client, moves, changeTimeoutMs))
  }

  unregister(broker: BrokerAccess, brokerId: number): Promise<Outcome> {
    return this.#ask(broker, client => askToForget(client, brokerId))
  }

  close(): void {
    this.#connections.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** `names` null: every topic. Nothing is created by asking for it. */
  #metadata(broker: BrokerAccess, names: readonly string[] | null): Promise<AnsweredTopic[]> {
    return this.#ask(broker, async client => {
      const { topics, errorCode } = await client.request(metadata, {
        topics: names?.map(name => ({ name, topicId: zeroUuid })) ?? null,
        allowAutoTopicCreation: false,
        includeClusterAuthorizedOperations: false,
        includeTopicAuthorizedOperations: false,
      })
      refuseErrors(errorCode, 'Metadata')
      return topics
    })
  }

  /** Asks over the broker's connection, again where an error passes. @throws BrokerError */
  async #ask<T>(broker: BrokerAccess, request: (client: WireClient) => Promise<T>): Promise<T> {
    const { clock, random } = this.#env
    try {
      return await retrying({ clock, random, timeoutMs: this.#options.attemptsMs }, () =>
        this.#attempt(broker, request),
      )
    } catch (error) {
      throw brokerError(broker, error)
    }
  }

  async #attempt<T>(broker: BrokerAccess, request: (client: WireClient) => Promise<T>): Promise<T> {
    const client = await this.#connections.use(broker)
    try {
      return await request(client)
    } catch (error) {
      if (!(error instanceof WireClientError) || error.reason !== 'unsupported') throw error
      // A broker that starts serves little yet, and tells what once for a connection.
      await this.#connections.leave(broker, client)
      return await request(await this.#connections.use(broker))
    }
  }
}

function brokerError({ host, port }: BrokerAccess, error: unknown): BrokerError {
  const where = `${host}:${port}`
  if (isLoginRefusal(error) || error instanceof ScramError) {
    const message = `The broker at ${where} does not accept the operator's password: ${error.message}`
    return new BrokerError('refused', message, { cause: error })
  }
  if (error instanceof AnsweredError) {
    const { message, error: name } = error
    return new BrokerError('answered', `The broker at ${where} answered ${message}`, {
      cause: error,
      error: name,
    })
  }
  if (error instanceof WireClientError) {
    const kind = mayPass.has(error.reason) ? 'unreachable' : 'answered'
    return new BrokerError(kind, `The broker at ${where}: ${error.message}`, { cause: error })
  }
  throw error
}

/** What may be better the next time; the others are of software that does not fit. */
const mayPass: ReadonlySet<string> = new Set([
  'unreachable',
  'closed',
  'timeout',
  'local',
  'in-flight',
  // It has begun to start, and tells no more than its status.
  'unsupported',
])
