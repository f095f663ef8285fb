import { zeroUuid, type Uuid } from '../../lib/uuid.ts'
import type { Coordinator } from '../coordinator/coordinator.ts'
import type { OffsetValue } from '../coordinator/groups/records.ts'
import type { MetadataImage } from '../metadata/image.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  offsetFetch,
  type OffsetFetchRequest,
  type OffsetFetchResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'
import { askedOnce, indexesOnce } from './named-once.ts'

export interface OffsetFetchDeps {
  readonly coordinator: Coordinator
  image(): MetadataImage
}

interface TopicWish {
  /** Null where no topic has the id. */
  readonly name: string | null
  /** The zero id where the request's version has names instead. */
  readonly topicId: Uuid
  readonly partitionIndexes: readonly number[]
}

type Group = OffsetFetchRequest['groups'][number]
type TopicAnswer = NonNullable<OffsetFetchResponse['groups']>[number]['topics'][number]

/** The first version that has ids of topics in place of their names (KIP-848). */
const idVersionMin = 10

/**
 * OffsetFetch: v1-10, one group until v7, many from v8 (G11), by topic id since v10. null asks for every partition that the
 * group has an offset for (G10). A partition without one, and a group that is not there, answer -1 without an error
 * (G43); so does one whose offset was committed for another topic of the name. An id that no topic has is
 * UNKNOWN_TOPIC_ID. What is named twice is answered once. `requireStable` finds everything stable: there are no transactions yet.
 */
export function offsetFetchHandler(
  deps: OffsetFetchDeps,
): Handler<OffsetFetchRequest, OffsetFetchResponse> {
  const { coordinator } = deps
  return {
    api: offsetFetch,
    handle({ groupId, topics, groups }, { apiVersion }) {
      if (apiVersion >= 8) {
        const image = apiVersion >= idVersionMin ? deps.image() : null
        const answers = groupsOnce(groups).map(group => ({
          groupId: group.groupId,
          ...look(coordinator, group.groupId, wishesOf(group.topics, image), image),
        }))
        return { throttleTimeMs: 0, topics: [], errorCode: errorCode('NONE'), groups: answers }
      }
      const wishes = topics && indexesOnce(topics).map(topic => ({ ...topic, topicId: zeroUuid }))
      const found = look(coordinator, groupId, wishes, null)
      // Version 1 has no place for an error of the whole.
      const told =
        apiVersion === 1 && found.error !== 'NONE' ? fail(wishes ?? [], found.error) : found.topics
      return { throttleTimeMs: 0, topics: told, errorCode: found.errorCode, groups: [] }
    },
  }
}

/** Who asks for everything once need not ask for some of it. */
function groupsOnce(groups: readonly Group[]): readonly Group[] {
  return askedOnce(
    groups,
    ({ groupId }) => groupId,
    named => {
      const isAll = named.some(({ topics }) => topics === null)
      return { ...named[0]!, topics: isAll ? null : named.flatMap(({ topics }) => topics ?? []) }
    },
  )
}

/** `image`: where topics are asked for by their ids. */
function wishesOf(
  topics: Group['topics'],
  image: MetadataImage | null,
): readonly TopicWish[] | null {
  if (topics === null) return null
  const once = indexesOnce(topics)
  if (image === null) return once
  return once.map(({ topicId, partitionIndexes }) => {
    return { name: image.topicById(topicId)?.name ?? null, topicId, partitionIndexes }
  })
}

function look(
  coordinator: Coordinator,
  groupId: string,
  topics: readonly TopicWish[] | null,
  image: MetadataImage | null,
): { readonly topics: TopicAnswer[]; readonly error: ErrorName; readonly errorCode: number } {
  const error = coordinator.refusal(groupId)
  if (error !== 'NONE') return { topics: [], error, errorCode: errorCode(error) }
  const found =
    topics === null ? all(coordinator, groupId, image) : some(coordinator, groupId, topics)
  return { topics: found, error, errorCode: errorCode(error) }
}

/** Of topics that are gone nothing can be told by id. */
function all({ views }: Coordinator, groupId: string, image: MetadataImage | null): TopicAnswer[] {
  return Array.from(views.offsets(groupId)).flatMap(([name, partitions]) => {
    const topicId = image === null ? zeroUuid : image.topicByName(name)?.id
    if (topicId === undefined) return []
    const answers = Array.from(partitions, ([index, value]) => answer(index, value))
    return [{ name, topicId, partitions: answers }]
  })
}

/** As in Kafka what nobody knows comes last. */
function some(
  { views }: Coordinator,
  groupId: string,
  topics: readonly TopicWish[],
): TopicAnswer[] {
  const found = topics.flatMap(({ name, topicId, partitionIndexes }) => {
    if (name === null) return []
    const partitions = partitionIndexes.map(index => {
      const value = views.offset(groupId, name, index)
      return answer(index, value === undefined || isOfAnother(value, topicId) ? undefined : value)
    })
    return [{ name, topicId, partitions }]
  })
  return [
    ...found,
    ...fail(
      topics.filter(({ name }) => name === null),
      'UNKNOWN_TOPIC_ID',
    ),
  ]
}

/** Committed for a topic that had the name before. */
function isOfAnother(value: OffsetValue, topicId: Uuid): boolean {
  return value.topicId !== topicId && value.topicId !== zeroUuid && topicId !== zeroUuid
}

function fail(topics: readonly TopicWish[], error: ErrorName): TopicAnswer[] {
  return topics.map(({ name, topicId, partitionIndexes }) => ({
    name: name ?? '',
    topicId,
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
