import { AnsweredError, WireClientError } from '../../src/broker/wire/client/client-error.ts'
import { metadataOf } from '../../src/broker/wire/client/all-topics.ts'
import { errorCode, errorName } from '../../src/broker/wire/errors.ts'
import {
  alterPartitionReassignments,
  createTopics,
  deleteTopics,
  electLeaders,
  incrementalAlterConfigs,
} from '../../src/broker/wire/messages/index.ts'
import { freezeConfig } from '../../src/broker/metadata/decided-configs.ts'
import type { Uuid } from '../../src/lib/uuid.ts'
import type { World } from '../cluster/world.ts'
import { SimClient } from './sim-client.ts'

/** As IncrementalAlterConfigs numbers what has configs. */
const brokerConfigs = 4

export interface TopicWish {
  readonly name: string
  readonly partitions: number
  readonly replicas: number
  readonly minInsyncReplicas: number
}

/** Creates and deletes topics, each wish repeated until the cluster says that it is so. */
export class SimAdmin {
  readonly #world: World
  readonly #client: SimClient

  constructor(world: World, name = 'admin') {
    this.#world = world
    this.#client = new SimClient(world, name)
  }

  stop(): void {
    this.#client.stop()
  }

  create(wish: TopicWish): Promise<void> {
    return this.#retrying(async () => {
      const any = await this.#client.connections.any()
      const { topics } = await any.request(createTopics, {
        topics: [
          {
            name: wish.name,
            numPartitions: wish.partitions,
            replicationFactor: wish.replicas,
            assignments: [],
            configs: [{ name: 'min.insync.replicas', value: String(wish.minInsyncReplicas) }],
          },
        ],
        timeoutMs: 5000,
        validateOnly: false,
      })
      refuse(topics[0]!.errorCode, 'TOPIC_ALREADY_EXISTS', wish.name)
    })
  }

  /**
   * By its id: a request that lay in a process that stood still must not come to the next topic of that name. Nothing is done
   * where whoever is asked knows of none.
   */
  async delete(name: string): Promise<void> {
    let topicId: Uuid | null = null
    await this.#retrying(async () => {
      const any = await this.#client.connections.any()
      const [found] = (await metadataOf(any, [name])).topics
      topicId = found?.errorCode === errorCode('UNKNOWN_TOPIC_OR_PARTITION') ? null : found!.topicId
    })
    if (topicId === null) return
    const topics = [{ name: null, topicId }]
    await this.#retrying(async () => {
      const any = await this.#client.connections.any()
      const { responses } = await any.request(deleteTopics, {
        topics,
        topicNames: [],
        timeoutMs: 5000,
      })
      refuse(responses[0]!.errorCode, 'UNKNOWN_TOPIC_ID', name)
    })
  }

  pause(ms: number): Promise<void> {
    return this.#client.pause(ms)
  }

  /** Asked once: whether it is refused, or already under way, is all the same. */
  async reassign(name: string, partitionIndex: number, replicas: readonly number[]): Promise<void> {
    try {
      const any = await this.#client.connections.any()
      const partitions = [{ partitionIndex, replicas: [...replicas] }]
      const wish = { timeoutMs: 5000, topics: [{ name, partitions }] }
      const { errorCode, responses } = await any.request(alterPartitionReassignments, wish)
      const code = errorCode === 0 ? responses[0]!.partitions[0]!.errorCode : errorCode
      this.#world.trace.note(
        `${name}-${partitionIndex} to ${replicas.join(' ')}: ${errorName(code)}`,
      )
    } catch (error) {
      if (!(error instanceof AnsweredError) && !(error instanceof WireClientError)) throw error
      this.#world.trace.note(`admin: ${error.message}`)
    }
  }

  /** What a person asks for where nobody could be elected without his word (R9): again, while somebody has not said what he has. */
  electUnclean(): Promise<void> {
    return this.#retrying(async () => {
      const any = await this.#client.connections.any()
      const wish = { electionType: 1, topicPartitions: null, timeoutMs: 5000 }
      const { errorCode, replicaElectionResults } = await any.request(electLeaders, wish)
      refuse(errorCode, 'NONE', 'ElectLeaders')
      for (const { topic, partitionResult } of replicaElectionResults) {
        for (const result of partitionResult) refuse(result.errorCode, 'NONE', topic)
      }
    })
  }

  /** `hibernation.freeze.enable` of all brokers, set or taken back (decision 0016). */
  freeze(isWanted: boolean): Promise<void> {
    const config = isWanted
      ? { configOperation: 0, value: 'true' }
      : { configOperation: 1, value: null }
    const configs = [{ name: freezeConfig, ...config }]
    const resources = [{ resourceType: brokerConfigs, resourceName: '', configs }]
    return this.#retrying(async () => {
      const any = await this.#client.connections.any()
      const { responses } = await any.request(incrementalAlterConfigs, {
        resources,
        validateOnly: false,
      })
      refuse(responses[0]!.errorCode, 'NONE', freezeConfig)
    })
  }

  async #retrying(attempt: () => Promise<void>): Promise<void> {
    while (!this.#client.isStopped) {
      try {
        return await attempt()
      } catch (error) {
        if (!(error instanceof AnsweredError) && !(error instanceof WireClientError)) throw error
        this.#world.trace.note(`admin: ${error.message}`)
        await this.#client.pause(200)
      }
    }
  }
}

/** `fine`: also what it comes to where an earlier attempt did it. */
function refuse(code: number, fine: string, name: string): void {
  const error = errorName(code)
  if (error !== 'NONE' && error !== fine) throw new AnsweredError(error, name)
}
