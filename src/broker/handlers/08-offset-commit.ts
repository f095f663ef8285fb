import type { Clock } from '../../env/env.ts'
import type { Coordinator } from '../coordinator/coordinator.ts'
import type { OffsetCommit } from '../coordinator/groups/events.ts'
import type { MetadataImage, TopicImage } from '../metadata/image.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  offsetCommit,
  type OffsetCommitRequest,
  type OffsetCommitResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'
import { namesPartitions } from './named-once.ts'

type PartitionRequest = OffsetCommitRequest['topics'][number]['partitions'][number]

export interface OffsetCommitDeps {
  readonly coordinator: Coordinator
  readonly clock: Clock
  readonly metadataLengthMax: number
  image(): MetadataImage
}

/**
 * OffsetCommit: v2-10 (G43); by topic id since v10, where one that no topic has is UNKNOWN_TOPIC_ID. Partitions that cannot be committed are answered on their own; the others are stored
 * together, and answered when they are committed. Before v5 a client could say how long its offset is kept; before v9
 * it knew of no group that is not there, and hears that its generation is over.
 */
export function offsetCommitHandler(
  deps: OffsetCommitDeps,
): Handler<OffsetCommitRequest, OffsetCommitResponse> {
  return {
    api: offsetCommit,
    async handle(request, { apiVersion }) {
      const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch } = request
      const { coordinator } = deps
      const refusal = coordinator.refusal(groupId)
      if (refusal !== 'NONE') return answer(request, () => refusal)
      const offsets: OffsetCommit[] = []
      const errors = new Map<PartitionRequest, ErrorName>()
      for (const asked of request.topics) {
        const topic = topicOf(deps.image(), asked, apiVersion)
        for (const partition of asked.partitions) {
          const error = typeof topic === 'string' ? topic : judge(deps, topic, partition)
          if (error !== 'NONE' || typeof topic === 'string') errors.set(partition, error)
          else offsets.push(offsetOf(deps, request, { topic, partition }))
        }
      }
      const claim = { memberId, instanceId: groupInstanceId, generation: generationIdOrMemberEpoch }
      const outcome = await coordinator.commit(groupId, claim, offsets)
      const isUntold = outcome === 'GROUP_ID_NOT_FOUND' && apiVersion < 9
      const error = isUntold ? 'ILLEGAL_GENERATION' : outcome
      return answer(request, partition => {
        const own = errors.get(partition)
        // As in Kafka the group is looked at before the text is.
        return own === undefined || (own === 'OFFSET_METADATA_TOO_LARGE' && error !== 'NONE')
          ? error
          : own
      })
    },
  }
}

/** The first version that has ids of topics in place of their names (KIP-848). */
const idVersionMin = 10

function topicOf(
  image: MetadataImage,
  { name, topicId }: OffsetCommitRequest['topics'][number],
  apiVersion: number,
): TopicImage | ErrorName {
  if (apiVersion < idVersionMin) return image.topicByName(name) ?? 'UNKNOWN_TOPIC_OR_PARTITION'
  return image.topicById(topicId) ?? 'UNKNOWN_TOPIC_ID'
}

function judge(
  deps: Pick<OffsetCommitDeps, 'metadataLengthMax'>,
  topic: TopicImage,
  { partitionIndex, committedMetadata }: PartitionRequest,
): ErrorName {
  const known = topic.partitions[partitionIndex]
  if (known === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION'
  const isTooLong = (committedMetadata ?? '').length > deps.metadataLengthMax
  return isTooLong ? 'OFFSET_METADATA_TOO_LARGE' : 'NONE'
}

function offsetOf(
  { clock }: OffsetCommitDeps,
  { retentionTimeMs }: OffsetCommitRequest,
  { topic, partition }: { readonly topic: TopicImage; readonly partition: PartitionRequest },
): OffsetCommit {
  const commitTimeMs = clock.now()
  return {
    topic: topic.name,
    partition: partition.partitionIndex,
    value: {
      topicId: topic.id,
      offset: partition.committedOffset,
      leaderEpoch: partition.committedLeaderEpoch,
      metadata: partition.committedMetadata ?? '',
      commitTimeMs,
      expireTimeMs: retentionTimeMs < 0 ? -1 : commitTimeMs + retentionTimeMs,
    },
  }
}

function answer(
  { topics }: OffsetCommitRequest,
  errorOf: (partition: PartitionRequest) => ErrorName,
): OffsetCommitResponse {
  return {
    throttleTimeMs: 0,
    topics: topics.filter(namesPartitions).map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(partition => ({
        partitionIndex: partition.partitionIndex,
        errorCode: errorCode(errorOf(partition)),
      })),
    })),
  }
}
