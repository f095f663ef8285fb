import { zeroUuid } from '../../lib/uuid.ts'
import type { MetadataImage, PartitionImage, TopicImage } from '../metadata/image.ts'
import { brokersOf } from '../metadata/replicas.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  describeTopicPartitions,
  type DescribeTopicPartitionsRequest,
  type DescribeTopicPartitionsResponse,
} from '../wire/messages/index.ts'
import { topicOperations, withheldOperations } from './authorized-operations.ts'
import type { Endpoints } from './endpoints.ts'
import type { Handler, RequestContext } from './handler.ts'
import { nameError } from './name-error.ts'

type Topic = DescribeTopicPartitionsResponse['topics'][number]

/** Kafka's `max.request.partition.size.limit`. */
const partitionsMax = 2000

export interface DescribeTopicPartitionsDeps {
  readonly image: () => MetadataImage
  readonly endpoints: Endpoints
}

/**
 * DescribeTopicPartitions: v0. Topics by name, page by page: the answer ends when it has as many partitions as the
 * request, or we, allow, and says where to go on. A cursor before the first partition is refused (KIP-966).
 */
export function describeTopicPartitionsHandler(
  deps: DescribeTopicPartitionsDeps,
): Handler<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse> {
  return {
    api: describeTopicPartitions,
    handle(request, context) {
      const { topics, cursor } = request
      if (cursor !== null && cursor.partitionIndex < 0) {
        const refused = topics.map(({ name }) => absent(name, 'INVALID_REQUEST'))
        return { throttleTimeMs: 0, topics: refused, nextCursor: null }
      }
      return { throttleTimeMs: 0, ...page(request, deps.image(), tellOf(deps, context)) }
    },
  }
}

function page(
  { topics, cursor, responsePartitionLimit }: DescribeTopicPartitionsRequest,
  image: MetadataImage,
  tell: Tell,
): Pick<DescribeTopicPartitionsResponse, 'topics' | 'nextCursor'> {
  const isAll = topics.length === 0
  const asked = isAll ? Array.from(image.topics(), ({ name }) => name) : topics.map(one => one.name)
  const from = cursor?.topicName ?? ''
  const names = [...new Set(asked)].filter(name => name >= from).toSorted(byCodeUnit)
  const found: Topic[] = []
  let left = Math.min(Math.max(responsePartitionLimit, 1), partitionsMax)
  for (const topicName of names) {
    if (left === 0) return { topics: found, nextCursor: { topicName, partitionIndex: 0 } }
    const topic = image.topicByName(topicName)
    if (topic === undefined) {
      found.push({
        ...absent(topicName, nameError(topicName)),
        topicAuthorizedOperations: topicOperations,
      })
      continue
    }
    const first = topicName === cursor?.topicName ? cursor.partitionIndex : 0
    const partitions = topic.partitions.slice(first, first + left)
    found.push(described(topic, partitions.map(tell)))
    left -= partitions.length
    const partitionIndex = first + partitions.length
    if (partitionIndex < topic.partitions.length) {
      return { topics: found, nextCursor: { topicName, partitionIndex } }
    }
  }
  return { topics: found, nextCursor: null }
}

type Tell = (partition: PartitionImage) => Topic['partitions'][number]

/** As Kafka does it says that there is no leader without an error. */
function tellOf({ image, endpoints }: DescribeTopicPartitionsDeps, context: RequestContext): Tell {
  const seen = endpoints.look(context)
  const brokers = (directoryIds: PartitionImage['isr']): number[] =>
    brokersOf(image(), directoryIds)
  return partition => ({
    errorCode: errorCode('NONE'),
    partitionIndex: partition.index,
    leaderId: seen.has(partition.leader) ? partition.leader : -1,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: [...partition.replicas],
    isrNodes: brokers(partition.isr),
    eligibleLeaderReplicas: brokers(partition.elr),
    lastKnownElr: brokers(partition.lastKnownElr),
    offlineReplicas: partition.replicas.filter(id => seen.isOffline(id)),
  })
}

function described(topic: TopicImage, partitions: Topic['partitions']): Topic {
  return {
    errorCode: errorCode('NONE'),
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.isInternal,
    partitions,
    topicAuthorizedOperations: topicOperations,
  }
}

function absent(name: string, error: ErrorName): Topic {
  return {
    errorCode: errorCode(error),
    name,
    topicId: zeroUuid,
    isInternal: false,
    partitions: [],
    topicAuthorizedOperations: withheldOperations,
  }
}

/** Java's order of strings, in which cursors go on. */
function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
