import type { Partitions } from '../partition/partitions.ts'
import { errorCode } from '../wire/errors.ts'
import {
  offsetForLeaderEpoch,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

type PartitionRequest = OffsetForLeaderEpochRequest['topics'][number]['partitions'][number]
type PartitionResponse = OffsetForLeaderEpochResponse['topics'][number]['partitions'][number]

/** OffsetForLeaderEpoch: v2-4. Where the records of an epoch end, so that clients notice truncation (KIP-320, G38). */
export function offsetForLeaderEpochHandler(
  partitions: Partitions,
): Handler<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse> {
  return {
    api: offsetForLeaderEpoch,
    handle: request => ({
      throttleTimeMs: 0,
      topics: request.topics.map(({ topic, partitions: wanted }) => ({
        topic,
        partitions: wanted.map(one => answer(partitions, topic, one)),
      })),
    }),
  }
}

function answer(
  partitions: Partitions,
  topic: string,
  wanted: PartitionRequest,
): PartitionResponse {
  const partition = partitions.find(topic, wanted.partition)
  const error =
    partition === undefined
      ? partitions.absence(topic, wanted.partition)
      : partition.availability(wanted.currentLeaderEpoch)
  const end = error === 'NONE' ? partition?.endOfEpoch(wanted.leaderEpoch) : undefined
  return {
    errorCode: errorCode(error),
    partition: wanted.partition,
    leaderEpoch: end?.epoch ?? -1,
    endOffset: end?.endOffset ?? -1,
  }
}
