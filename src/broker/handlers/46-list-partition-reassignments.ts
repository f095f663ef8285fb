import type { MetadataImage, TopicImage } from '../metadata/image.ts'
import { errorCode } from '../wire/errors.ts'
import {
  listPartitionReassignments,
  type ListPartitionReassignmentsRequest,
  type ListPartitionReassignmentsResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'
import { indexesOnce } from './named-once.ts'

type Topic = ListPartitionReassignmentsResponse['topics'][number]

/** ListPartitionReassignments: v0 (KIP-455). What is under way, as this broker knows it; partitions that are not moving are left out. */
export function listPartitionReassignmentsHandler(
  image: () => MetadataImage,
): Handler<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse> {
  return {
    api: listPartitionReassignments,
    handle: ({ topics: asked }) => {
      const now = image()
      const topics =
        asked === null
          ? Array.from(now.topics(), topic => moving(topic, null))
          : indexesOnce(asked).flatMap(({ name, partitionIndexes }) => {
              const topic = now.topicByName(name)
              return topic === undefined ? [] : [moving(topic, new Set(partitionIndexes))]
            })
      return {
        throttleTimeMs: 0,
        errorCode: errorCode('NONE'),
        errorMessage: null,
        topics: topics.filter(({ partitions }) => partitions.length > 0),
      }
    },
  }
}

function moving({ name, partitions }: TopicImage, indexes: ReadonlySet<number> | null): Topic {
  return {
    name,
    partitions: partitions
      .filter(({ index }) => indexes === null || indexes.has(index))
      .filter(each => each.addingReplicas.length > 0 || each.removingReplicas.length > 0)
      .map(({ index, replicas, addingReplicas, removingReplicas }) => ({
        partitionIndex: index,
        replicas: [...replicas],
        addingReplicas: [...addingReplicas],
        removingReplicas: [...removingReplicas],
      })),
  }
}
