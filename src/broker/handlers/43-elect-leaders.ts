import type { Cluster } from '../cluster/cluster.ts'
import type { Answer, ElectionKind, PartitionId } from '../cluster/controller/commands.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  electLeaders,
  type ElectLeadersRequest,
  type ElectLeadersResponse,
} from '../wire/messages/index.ts'
import { changeTimeoutMs } from './change-timeout.ts'
import type { Handler } from './handler.ts'

type TopicResult = ElectLeadersResponse['replicaElectionResults'][number]
type Result = TopicResult['partitionResult'][number]
type Asked = NonNullable<ElectLeadersRequest['topicPartitions']>

/** Preferred, and unclean (KIP-460). */
const kinds: readonly (ElectionKind | undefined)[] = ['preferred', 'unclean']

/**
 * ElectLeaders: v0-2. The controller elects; this broker gives it topics by their ids. Where the request names no partitions, those
 * that need no election are left out, as in Kafka.
 */
export function electLeadersHandler(
  cluster: Pick<Cluster, 'image' | 'ask'>,
): Handler<ElectLeadersRequest, ElectLeadersResponse> {
  return {
    api: electLeaders,
    async handle({ electionType, topicPartitions, timeoutMs }) {
      const kind = electionType < 0 ? undefined : kinds[electionType]
      if (kind === undefined) return ofUnknownType(electionType, topicPartitions)
      const partitions = topicPartitions === null ? null : known(cluster, topicPartitions)
      const command = { type: 'electLeaders', kind, partitions } as const
      const answer =
        partitions?.length === 0
          ? ({ type: 'leadersElected', results: [] } as const)
          : await cluster.ask(command, changeTimeoutMs(timeoutMs))
      if (answer.type === 'refused') return response(answer.error, [])
      const names = topicPartitions?.map(({ topic }) => topic) ?? topicNames(cluster)
      return response(
        'NONE',
        names.map(topic => ({
          topic,
          partitionResult: [
            ...electedOf(cluster, topic, answer),
            ...absentOf(cluster, topic, topicPartitions ?? []),
          ].toSorted((a, b) => a.partitionId - b.partitionId),
        })),
      )
    },
  }
}

function topicNames({ image }: Pick<Cluster, 'image'>): string[] {
  return Array.from(image.topics(), ({ name }) => name)
}

function known({ image }: Pick<Cluster, 'image'>, asked: Asked): PartitionId[] {
  return asked.flatMap(({ topic: name, partitions }) => {
    const topic = image.topicByName(name)
    if (topic === undefined) return []
    const there = partitions.filter(index => topic.partitions[index] !== undefined)
    return there.map(index => ({ topicId: topic.id, index }))
  })
}

function electedOf({ image }: Pick<Cluster, 'image'>, name: string, answer: Answer): Result[] {
  if (answer.type !== 'leadersElected') return []
  const id = image.topicByName(name)?.id
  return answer.results
    .filter(({ topicId }) => topicId === id)
    .map(({ index, error, message }) => result(index, error, message))
}

function absentOf({ image }: Pick<Cluster, 'image'>, name: string, asked: Asked): Result[] {
  const topic = image.topicByName(name)
  return asked
    .filter(each => each.topic === name)
    .flatMap(({ partitions }) => partitions)
    .filter(index => topic?.partitions[index] === undefined)
    .map(index => {
      const message = `There is no partition ${index} of topic '${name}'.`
      return result(index, 'UNKNOWN_TOPIC_OR_PARTITION', message)
    })
}

function ofUnknownType(type: number, asked: Asked | null): ElectLeadersResponse {
  const message = `There is no election of type ${type}: 0 is that of the preferred leader, 1 the unclean one.`
  return response(
    'INVALID_REQUEST',
    (asked ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map(index => result(index, 'INVALID_REQUEST', message)),
    })),
  )
}

function response(error: ErrorName, replicaElectionResults: TopicResult[]): ElectLeadersResponse {
  return { throttleTimeMs: 0, errorCode: errorCode(error), replicaElectionResults }
}

function result(partitionId: number, error: ErrorName, errorMessage: string | null): Result {
  return { partitionId, errorCode: errorCode(error), errorMessage }
}
