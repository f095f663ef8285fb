import type { Coordinator } from '../coordinator/coordinator.ts'
import type { OffsetValue } from '../coordinator/groups/records.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  offsetFetch,
  type OffsetFetchRequest,
  type OffsetFetchResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

interface TopicWish {
  readonly name: string
  readonly partitionIndexes: readonly number[]
}

type TopicAnswer = NonNullable<OffsetFetchResponse['topics']>[number]

/**
 * OffsetFetch: v1-9, one group until v7, many from v8 (G11). null asks for every partition that the group has an
 * offset for (G10). A partition without one, and a group that is not there, answer -1 without an error (G43).
 * `requireStable` finds everything stable: there are no transactions yet.
 */
export function offsetFetchHandler(
  coordinator: Coordinator,
): Handler<OffsetFetchRequest, OffsetFetchResponse> {
  return {
    api: offsetFetch,
    handle({ groupId, topics, groups }, { apiVersion }) {
      if (apiVersion >= 8) {
        const answers = groups.map(group => ({
          groupId: group.groupId,
          ...look(coordinator, group),
        }))
        return { throttleTimeMs: 0, topics: [], errorCode: errorCode('NONE'), groups: answers }
      }
      const found = look(coordinator, { groupId, topics })
      // Version 1 has no place for an error of the whole.
      const told =
        apiVersion === 1 && found.error !== 'NONE' ? fail(topics ?? [], found.error) : found.topics
      return { throttleTimeMs: 0, topics: told, errorCode: found.errorCode, groups: [] }
    },
  }
}

function look(
  coordinator: Coordinator,
  { groupId, topics }: { readonly groupId: string; readonly topics: readonly TopicWish[] | null },
): { readonly topics: TopicAnswer[]; readonly error: ErrorName; readonly errorCode: number } {
  const error = coordinator.refusal(groupId)
  if (error !== 'NONE') return { topics: [], error, errorCode: errorCode(error) }
  const found = topics === null ? all(coordinator, groupId) : some(coordinator, groupId, topics)
  return { topics: found, error, errorCode: errorCode(error) }
}

function all({ views }: Coordinator, groupId: string): TopicAnswer[] {
  return Array.from(views.offsets(groupId), ([name, partitions]) => ({
    name,
    partitions: Array.from(partitions, ([index, value]) => answer(index, value)),
  }))
}

function some(
  { views }: Coordinator,
  groupId: string,
  topics: readonly TopicWish[],
): TopicAnswer[] {
  return topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map(index => answer(index, views.offset(groupId, name, index))),
  }))
}

function fail(topics: readonly TopicWish[], error: ErrorName): TopicAnswer[] {
  return topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map(index => ({
      ...answer(index, undefined),
      errorCode: errorCode(error),
    })),
  }))
}

function answer(
  partitionIndex: number,
  value: OffsetValue | undefined,
): TopicAnswer['partitions'][number] {
  return {
    partitionIndex,
    committedOffset: value?.offset ?? -1,
    committedLeaderEpoch: value?.leaderEpoch ?? -1,
    metadata: value?.metadata ?? '',
    errorCode: errorCode('NONE'),
  }
}
