import type { Int64 } from '../../lib/bytes.ts'
import type { Partition } from '../partition/partition.ts'
import type { Partitions } from '../partition/partitions.ts'
import type { OffsetAndEpoch, TimedOffset } from '../partition/requests.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  listOffsets,
  type ListOffsetsRequest,
  type ListOffsetsResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'
import { partitionsOnce } from './named-once.ts'
import { isolationLevels } from './isolation-level.ts'

type PartitionRequest = ListOffsetsRequest['topics'][number]['partitions'][number]
type PartitionResponse = ListOffsetsResponse['topics'][number]['partitions'][number]

/** Timestamps that ask for a place instead of a time (G36). */
const latest = -1
const earliest = -2
const maxTimestamp = -3
const earliestLocal = -4
const latestTiered = -5
const earliestPendingUpload = -6

/** The first version that has each of them: KIP-734, KIP-405, KIP-1005, KIP-1023. */
const placesSince: ReadonlyMap<Int64, number> = new Map([
  [latest, 1],
  [earliest, 1],
  [maxTimestamp, 7],
  [earliestLocal, 8],
  [latestTiered, 9],
  [earliestPendingUpload, 11],
])

/** The first version that knows OFFSET_NOT_AVAILABLE (KIP-207). */
const offsetNotAvailableMin = 5

/**
 * ListOffsets: v1-11. A time gives the first *record* not older, not the batch that holds it; nothing so young
 * is offset -1 and no error (G36). A new leader that does not know yet what was committed before its epoch says so
 * (KIP-207). A partition that is named twice is refused, once. Nothing is ever tiered, so -5
 * and -6 find nothing; other negative ones are no times.
 */
export function listOffsetsHandler(
  partitions: Partitions,
): Handler<ListOffsetsRequest, ListOffsetsResponse> {
  return {
    api: listOffsets,
    async handle(request, { apiVersion }) {
      const twice = namedTwice(request.topics)
      const topics = partitionsOnce(request.topics, indexOf).map(async topic => ({
        name: topic.name,
        partitions: await Promise.all(
          topic.partitions.map(async wanted => {
            const index = wanted.partitionIndex
            if (twice.get(topic.name)?.has(index)) return failure(index, 'INVALID_REQUEST')
            const refused = refusal(request, wanted, apiVersion)
            if (refused !== null) return failure(index, refused)
            const asking = { isFollower: request.replicaId >= 0, apiVersion }
            const partition = partitions.find(topic.name, index)
            if (partition === undefined)
              return failure(index, partitions.absence(topic.name, index))
            return await answer(partition, wanted, asking)
          }),
        ),
      }))
      return { throttleTimeMs: 0, topics: await Promise.all(topics) }
    },
  }
}

/** The partitions of each topic that the request names more than once. */
function namedTwice(topics: ListOffsetsRequest['topics']): Map<string, Set<number>> {
  const seen = new Map<string, Set<number>>()
  const twice = new Map<string, Set<number>>()
  for (const { name, partitions } of topics) {
    for (const { partitionIndex } of partitions) {
      const indexes = seen.get(name)?.has(partitionIndex) ? twice : seen
      indexes.set(name, (indexes.get(name) ?? new Set()).add(partitionIndex))
    }
  }
  return twice
}

function indexOf({ partitionIndex }: PartitionRequest): number {
  return partitionIndex
}

/** Why nobody need look for the partition; null where there is no reason. */
function refusal(
  { isolationLevel }: ListOffsetsRequest,
  { timestamp }: PartitionRequest,
  apiVersion: number,
): ErrorName | null {
  if (!isolationLevels.has(isolationLevel)) return 'UNKNOWN_SERVER_ERROR'
  const isKnown = timestamp >= 0 || apiVersion >= (placesSince.get(timestamp) ?? Infinity)
  return isKnown ? null : 'UNSUPPORTED_VERSION'
}

interface Asking {
  /** Another broker asks: for where the log ends, committed or not. */
  readonly isFollower: boolean
  readonly apiVersion: number
}

async function answer(
  partition: Partition,
  wanted: PartitionRequest,
  asking: Asking,
): Promise<PartitionResponse> {
  const index = wanted.partitionIndex
  const error = partition.availability(wanted.currentLeaderEpoch)
  if (error !== 'NONE') return failure(index, error)
  try {
    const isKnown = asking.isFollower || partition.hasReachedEpoch
    const place = await find(partition, wanted.timestamp, asking)
    // What a former leader committed may lie above: nobody may be told that there is nothing (durability.md R10).
    const isEnd = wanted.timestamp === latest || (place.offset === -1 && !neverFound(wanted))
    if (isEnd && !isKnown) return failure(index, notAvailable(asking))
    return { ...failure(index, 'NONE'), ...place }
  } catch {
    return failure(index, 'KAFKA_STORAGE_ERROR')
  }
}

type Found = Pick<PartitionResponse, 'offset' | 'timestamp' | 'leaderEpoch'>

/** A place that nothing has, ever. */
function neverFound({ timestamp }: PartitionRequest): boolean {
  return timestamp === latestTiered || timestamp === earliestPendingUpload
}

function notAvailable({ apiVersion }: Asking): ErrorName {
  return apiVersion >= offsetNotAvailableMin ? 'OFFSET_NOT_AVAILABLE' : 'LEADER_NOT_AVAILABLE'
}

async function find(
  partition: Partition,
  timestamp: Int64,
  { isFollower }: Asking,
): Promise<Found> {
  switch (timestamp) {
    case latest:
      return at(isFollower ? partition.end : partition.latest)
    case earliest:
    case earliestLocal:
      return at(partition.earliest)
    case latestTiered:
    case earliestPendingUpload:
      return nothing
    case maxTimestamp:
      return found(await partition.findMaxTimestamp())
    default:
      return found(await partition.findByTime(timestamp))
  }
}

const nothing: Found = { offset: -1, timestamp: -1, leaderEpoch: -1 }

function at({ offset, leaderEpoch }: OffsetAndEpoch): Found {
  return { offset, timestamp: -1, leaderEpoch }
}

function found(record: TimedOffset | null): Found {
  if (record === null) return nothing
  return { offset: record.offset, timestamp: record.timestampMs, leaderEpoch: record.leaderEpoch }
}

function failure(partitionIndex: number, error: ErrorName): PartitionResponse {
  return { partitionIndex, errorCode: errorCode(error), timestamp: -1, offset: -1, leaderEpoch: -1 }
}
