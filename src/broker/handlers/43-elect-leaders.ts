import { type Uuid, zeroUuid } from '../../lib/uuid.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type {
  ElectionResult,
  LogEnd,
  PartitionId,
  Refusal,
} from '../cluster/controller/commands.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  electLeaders,
  type ElectLeadersRequest,
  type ElectLeadersResponse,
} from '../wire/messages/index.ts'
import { changeTimeoutMs } from './change-timeout.ts'
import type { Handler } from './handler.ts'
import { logEnds, type LogEndsOptions } from './log-ends.ts'

type TopicResult = ElectLeadersResponse['replicaElectionResults'][number]
type Result = TopicResult['partitionResult'][number]
type Asked = NonNullable<ElectLeadersRequest['topicPartitions']>

/** Preferred, and unclean (KIP-460): of those that live the one with the most (R9). */
const kinds = ['preferred', 'longest'] as const

/**
 * ElectLeaders: v0-2. The controller elects; this broker gives it topics by their ids, and for an unclean election the ends of the logs.
 * Where the request names no partitions, those that need no election are left out, as in Kafka.
 */
export function electLeadersHandler(
  options: LogEndsOptions & { readonly cluster: Pick<Cluster, 'ask'> },
): Handler<ElectLeadersRequest, ElectLeadersResponse> {
  const { cluster } = options
  return {
    api: electLeaders,
    async handle({ electionType, topicPartitions, timeoutMs }) {
      const kind = electionType < 0 ? undefined : kinds[electionType]
      if (kind === undefined) return ofUnknownType(electionType, topicPartitions)
      const partitions = topicPartitions === null ? null : known(cluster, topicPartitions)
      const ends = kind === 'longest' ? await endsOf(options, partitions) : []
      const command = { type: 'electLeaders', kind, partitions, ends } as const
      const answer =
        partitions?.length === 0
          ? ({ type: 'leadersElected', results: [] } as const)
          : await cluster.ask(command, changeTimeoutMs(timeoutMs))
      if (answer.type === 'refused') return ofWhole(answer, topicPartitions)
      const elected = byTopic(answer.type === 'leadersElected' ? answer.results : [])
      const topics = topicPartitions ?? neededOf(cluster, elected)
      return response(
        'NONE',
        topics.map(({ topic, partitions }) => {
          const results = elected.get(cluster.image.topicByName(topic)?.id ?? zeroUuid)
          const one = (index: number): Result => results?.get(index) ?? absent(topic, index)
          return {
            topic,
            partitionResult: partitions.map(one).toSorted((a, b) => a.partitionId - b.partitionId),
          }
        }),
      )
    },
  }
}

/** Of those that nobody leads: the others need no election. */
function endsOf(
  options: LogEndsOptions,
  partitions: readonly PartitionId[] | null,
): Promise<readonly LogEnd[]> {
  const { image } = options.cluster
  const all = (): PartitionId[] =>
    Array.from(image.topics(), ({ id: topicId, partitions: of }) =>
      of.map(({ index }) => ({ topicId, index })),
    ).flat()
  const leaderless = (partitions ?? all()).filter(
    ({ topicId, index }) => image.topicById(topicId)?.partitions[index]?.leader === -1,
  )
  return logEnds(options, leaderless)
}

/** Every topic, with those of its partitions that needed an election. */
function neededOf({ image }: Pick<Cluster, 'image'>, elected: Elected): Asked {
  return Array.from(image.topics(), ({ id, name: topic }) => {
    return { topic, partitions: [...(elected.get(id)?.keys() ?? [])] }
  })
}

function known({ image }: Pick<Cluster, 'image'>, asked: Asked): PartitionId[] {
  return asked.flatMap(({ topic: name, partitions }) => {
    const topic = image.topicByName(name)
    if (topic === undefined) return []
    const there = partitions.filter(index => topic.partitions[index] !== undefined)
    return there.map(index => ({ topicId: topic.id, index }))
  })
}

type Elected = ReadonlyMap<Uuid, ReadonlyMap<number, Result>>

/** So that a partition costs the same however often a request names it. */
function byTopic(results: readonly ElectionResult[]): Elected {
  const topics = new Map<Uuid, Map<number, Result>>()
  for (const { topicId, index, error, message } of results) {
    const ofTopic = topics.get(topicId) ?? new Map<number, Result>()
    topics.set(topicId, ofTopic.set(index, result(index, error, message)))
  }
  return topics
}

function absent(name: string, index: number): Result {
  const message = `There is no partition ${index} of topic '${name}'.`
  return result(index, 'UNKNOWN_TOPIC_OR_PARTITION', message)
}

function ofUnknownType(type: number, asked: Asked | null): ElectLeadersResponse {
  const message = `There is no election of type ${type}: 0 is that of the preferred leader, 1 the unclean one.`
  return ofWhole({ error: 'INVALID_REQUEST', message }, asked)
}

/** At each partition too: v0 has no other place for it. */
function ofWhole(
  { error, message }: Pick<Refusal, 'error' | 'message'>,
  asked: Asked | null,
): ElectLeadersResponse {
  return response(
    error,
    (asked ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map(index => result(index, error, message)),
    })),
  )
}

function response(error: ErrorName, replicaElectionResults: TopicResult[]): ElectLeadersResponse {
  return { throttleTimeMs: 0, errorCode: errorCode(error), replicaElectionResults }
}

function result(partitionId: number, error: ErrorName, errorMessage: string | null): Result {
  return { partitionId, errorCode: errorCode(error), errorMessage }
}
