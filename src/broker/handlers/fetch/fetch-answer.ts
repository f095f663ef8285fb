import { errorCode, type ErrorName } from '../../wire/errors.ts'
import type { FetchRequest, FetchResponse } from '../../wire/messages/index.ts'
import type { Partitions } from '../../partition/partitions.ts'
import type { Endpoints } from '../endpoints.ts'
import { readUncommitted } from '../isolation-level.ts'
import { noRecords, type Answered, type Carried } from './carried.ts'
import type { Found } from './fetch-result.ts'
import type { Fetching } from './follower.ts'
import type { Wish } from './sessions/wish.ts'

type TopicResponse = FetchResponse['responses'][number]
type PartitionResponse = TopicResponse['partitions'][number]

interface AnswerDeps {
  readonly endpoints: Endpoints
  readonly partitions: Pick<Partitions, 'leading'>
}

/** The first version that says who leads with an error that is about the leader (KIP-951). */
const leaderVersionMin = 16

/** The answer that tells `told`. A topic stands there as often as its partitions do not follow one another. */
export function fetchAnswer(
  deps: AnswerDeps,
  told: Answered,
  { request, context, follower }: Fetching,
): FetchResponse {
  const tellsLeaders = context.apiVersion >= leaderVersionMin
  const responses: TopicResponse[] = []
  let last: Wish | null = null
  let leaders: Set<number> | null = null
  for (const found of told.found) {
    const { wish } = found
    if (last === null || !isSameTopic(last, wish)) {
      responses.push({ topic: wish.topic ?? '', topicId: wish.topicId, partitions: [] })
    }
    last = wish
    const isAboutLeader = tellsLeaders && leaderErrors.has(found.result.error)
    const leading = isAboutLeader ? leadingOf(found, deps) : null
    if (leading !== null) (leaders ??= new Set()).add(leading.leader)
    responses.at(-1)!.partitions.push(partitionAnswer(found, request, leading))
  }
  // A follower knows where the others are.
  const seen = leaders === null || follower !== null ? [] : deps.endpoints.seenFrom(context)
  const brokers = seen.filter(({ brokerId }) => leaders?.has(brokerId))
  return {
    ...emptyAnswer(told.error, told.sessionId),
    responses,
    nodeEndpoints: brokers.map(({ brokerId, ...at }) => ({ nodeId: brokerId, ...at })),
  }
}

/** An answer about nothing but the whole. */
export function emptyAnswer(error: ErrorName, sessionId = 0): FetchResponse {
  return {
    throttleTimeMs: 0,
    errorCode: errorCode(error),
    sessionId,
    responses: [],
    nodeEndpoints: [],
  }
}

/** Every partition that the request names with the error that the whole is refused with; since v13 the whole says it alone. */
export function refusedAnswer(
  { topics, sessionId }: FetchRequest,
  error: ErrorName,
  apiVersion: number,
): FetchResponse {
  const responses = topics.map(({ topic, topicId, partitions }) => ({
    topic,
    topicId,
    partitions: partitions.map(({ partition }) => refusedPartition(partition, error)),
  }))
  return { ...emptyAnswer(error, sessionId), responses: apiVersion < 13 ? responses : [] }
}

function isSameTopic(one: Wish, other: Wish): boolean {
  return one.topicId === other.topicId && one.topic === other.topic
}

type Leading = NonNullable<ReturnType<Partitions['leading']>>

function leadingOf({ wish, partition }: Found, { partitions }: AnswerDeps): Leading | null {
  if (partition !== null) return partition.role
  return wish.topic === null ? null : partitions.leading(wish.topic, wish.partition)
}

function partitionAnswer(
  { wish, result, records }: Carried,
  { isolationLevel }: FetchRequest,
  leading: Leading | null,
): PartitionResponse {
  return {
    ...refusedPartition(wish.partition, result.error),
    highWatermark: result.highWatermark,
    // Without transactions every record below the high watermark is stable (G25).
    lastStableOffset: result.highWatermark,
    logStartOffset: result.logStartOffset,
    divergingEpoch: result.diverging ?? noDivergence,
    currentLeader:
      leading === null ? noLeader : { leaderId: leading.leader, leaderEpoch: leading.leaderEpoch },
    abortedTransactions: abortedTransactions(result.error, isolationLevel),
    records,
  }
}

/** Of a partition that is there: null where nothing was read, and where the reader does not ask. */
function abortedTransactions(
  error: ErrorName,
  isolationLevel: number,
): PartitionResponse['abortedTransactions'] {
  if (missing.has(error)) return []
  return error === 'NONE' && isolationLevel !== readUncommitted ? [] : null
}

const missing: ReadonlySet<ErrorName> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID'])
const leaderErrors: ReadonlySet<ErrorName> = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'FENCED_LEADER_EPOCH',
])

const noDivergence = { epoch: -1, endOffset: -1 }
const noLeader = { leaderId: -1, leaderEpoch: -1 }
const noSnapshot = { endOffset: -1, epoch: -1 }

function refusedPartition(partitionIndex: number, error: ErrorName): PartitionResponse {
  return {
    partitionIndex,
    errorCode: errorCode(error),
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    divergingEpoch: noDivergence,
    currentLeader: noLeader,
    snapshotId: noSnapshot,
    abortedTransactions: [],
    preferredReadReplica: -1,
    records: noRecords,
  }
}
