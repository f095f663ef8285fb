import type { Cluster, TopicResult, TopicWish } from '../cluster/cluster.ts'
import { describeTopicConfigs } from '../config/describe.ts'
import type { LiveConfiguration } from '../config/live-configuration.ts'
import { zeroUuid } from '../../lib/uuid.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  createTopics,
  type CreateTopicsRequest,
  type CreateTopicsResponse,
} from '../wire/messages/index.ts'
import { changeTimeoutMs } from './change-timeout.ts'
import { configsOfCluster } from './configs-of-cluster.ts'
import type { Handler } from './handler.ts'

type TopicRequest = CreateTopicsRequest['topics'][number]
type TopicResponse = CreateTopicsResponse['topics'][number]

export interface CreateTopicsDeps {
  readonly cluster: Cluster
  readonly configuration: LiveConfiguration
  /** Resolves when the logs of created topics are open. */
  readonly settled: () => Promise<void>
}

/**
 * CreateTopics: v2-7. Each topic is answered on its own, with what is wrong and how to mend it; `validateOnly`
 * changes nothing. The answer waits until the metadata log has the topic and its partitions can be written.
 */
export function createTopicsHandler(
  deps: CreateTopicsDeps,
): Handler<CreateTopicsRequest, CreateTopicsResponse> {
  return {
    api: createTopics,
    async handle({ topics, validateOnly, timeoutMs }) {
      const waitMsMax = changeTimeoutMs(timeoutMs)
      const results = await deps.cluster.createTopics(topics.map(wishOf), validateOnly, waitMsMax)
      if (!validateOnly) await deps.settled()
      const requests = new Map(topics.map(topic => [topic.name, topic]))
      return {
        throttleTimeMs: 0,
        topics: results.map(result => {
          return answer(deps, result, requests.get(result.name))
        }),
      }
    },
  }
}

function wishOf(topic: TopicRequest): TopicWish {
  return {
    name: topic.name,
    partitionCount: topic.numPartitions,
    replicationFactor: topic.replicationFactor,
    assignments: topic.assignments.map(({ partitionIndex, brokerIds }) => ({
      partition: partitionIndex,
      brokers: brokerIds,
    })),
    configs: topic.configs,
  }
}

function answer(
  deps: CreateTopicsDeps,
  result: TopicResult,
  request: TopicRequest | undefined,
): TopicResponse {
  const isCreated = result.error === 'NONE'
  return {
    name: result.name,
    topicId: isCreated ? (result.id ?? zeroUuid) : zeroUuid,
    errorCode: errorCode(result.error as ErrorName),
    errorMessage: result.message,
    topicConfigErrorCode: errorCode('NONE'),
    numPartitions: isCreated ? result.partitionCount : -1,
    replicationFactor: isCreated ? result.replicationFactor : -1,
    configs: isCreated ? configsOf(deps, result, request) : [],
  }
}

function configsOf(
  { cluster, configuration }: CreateTopicsDeps,
  { name: topic }: TopicResult,
  request: TopicRequest | undefined,
): NonNullable<TopicResponse['configs']> {
  const overrides = new Map<string, string>()
  for (const { name, value } of request?.configs ?? [])
    if (value !== null) overrides.set(name, value)
  const ofCluster = configsOfCluster(cluster.image.topicByName(topic))
  return describeTopicConfigs(configuration, overrides, ofCluster).map(row => ({
    name: row.name,
    value: row.value,
    readOnly: row.isReadOnly,
    configSource: row.source,
    isSensitive: row.isSensitive,
  }))
}
