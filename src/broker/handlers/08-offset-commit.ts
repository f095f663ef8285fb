import type { Clock } from '../../env/env.ts'
import type { Coordinator } from '../coordinator/coordinator.ts'
import type { OffsetCommit } from '../coordinator/groups/events.ts'
import type { MetadataImage } from '../metadata/image.ts'
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
 * OffsetCommit: v2-9 (G43). Partitions that cannot be committed are answered on their own; the others are stored
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
      for (const { name, partitions } of request.topics) {
        for (const partition of partitions) {
          const error = judge(deps, name, partition)
          if (error === 'NONE') offsets.push(offsetOf(deps, request, { name, partition }))
          else errors.set(partition, error)
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

function judge(deps: OffsetCommitDeps, topic: string, partition: PartitionRequest): ErrorName {
  const { partitionIndex, committedMetadata } = partition
  const known = deps.image().topicByName(topic)?.partitions[partitionIndex]
  if (known === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION'
  const isTooLong = (committedMetadata ?? '').length > deps.metadataLengthMax
  return isTooLong ? 'OFFSET_METADATA_TOO_LARGE' : 'NONE'
}

function offsetOf(
  { clock }: OffsetCommitDeps,
  { retentionTimeMs }: OffsetCommitRequest,
  { name, partition }: { readonly name: string; readonly partition: PartitionRequest },
): OffsetCommit {
  const commitTimeMs = clock.now()
  return {
    topic: name,
    partition: partition.partitionIndex,
    value: {
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
    topics: topics.filter(namesPartitions).map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(partition => ({
        partitionIndex: partition.partitionIndex,
        errorCode: errorCode(errorOf(partition)),
      })),
    })),
  }
}
