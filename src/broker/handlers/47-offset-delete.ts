import type { Coordinator } from '../coordinator/coordinator.ts'
import type { TopicPartition } from '../coordinator/groups/events.ts'
import type { MetadataImage } from '../metadata/image.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  offsetDelete,
  type OffsetDeleteRequest,
  type OffsetDeleteResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'
import { namesPartitions } from './named-once.ts'

export interface OffsetDeleteDeps {
  readonly coordinator: Coordinator
  image(): MetadataImage
}

/** OffsetDelete: v0. Forgets offsets of topics that nobody in the group reads; each partition is answered on its own. */
export function offsetDeleteHandler(
  deps: OffsetDeleteDeps,
): Handler<OffsetDeleteRequest, OffsetDeleteResponse> {
  return {
    api: offsetDelete,
    async handle({ groupId, topics }) {
      const { coordinator } = deps
      const refusal = coordinator.refusal(groupId)
      if (refusal !== 'NONE') return refuse(refusal)
      const wanted = topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex }) => ({ topic: name, partition: partitionIndex })),
      )
      const known = wanted.filter(one => isKnown(deps, one))
      const answer = await coordinator.deleteOffsets(groupId, known)
      if (answer.error !== 'NONE') return refuse(answer.error)
      const errors = new Map(known.map((one, at) => [one, answer.errors[at] ?? 'NONE']))
      const told = wanted.map(one => errors.get(one) ?? 'UNKNOWN_TOPIC_OR_PARTITION').values()
      return {
        errorCode: errorCode('NONE'),
        throttleTimeMs: 0,
        topics: topics.filter(namesPartitions).map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex }) => ({
            partitionIndex,
            errorCode: errorCode(told.next().value ?? 'NONE'),
          })),
        })),
      }
    },
  }
}

function isKnown(deps: OffsetDeleteDeps, { topic, partition }: TopicPartition): boolean {
  return deps.image().topicByName(topic)?.partitions[partition] !== undefined
}

function refuse(error: ErrorName): OffsetDeleteResponse {
  return { errorCode: errorCode(error), throttleTimeMs: 0, topics: [] }
}
