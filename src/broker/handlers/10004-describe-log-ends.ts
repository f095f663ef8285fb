import type { Uuid } from '../../lib/uuid.ts'
import { logReach } from '../partition/log-reach.ts'
import type { Partitions } from '../partition/partitions.ts'
import { errorCode } from '../wire/errors.ts'
import {
  describeLogEnds,
  type DescribeLogEndsRequest,
  type DescribeLogEndsResponse,
} from '../wire/private/index.ts'
import { isFromBroker, notABroker } from './brokers-calls.ts'
import type { Handler } from './handler.ts'

type Told = DescribeLogEndsResponse['topics'][number]['partitions'][number]

/** DescribeLogEnds: v0, of every replica, and for brokers only. From memory alone; `partitions`: undefined while the broker starts. */
export function describeLogEndsHandler(
  partitions: () => Partitions | undefined,
): Handler<DescribeLogEndsRequest, DescribeLogEndsResponse> {
  return {
    api: describeLogEnds,
    handle(request, context) {
      if (!isFromBroker(context)) {
        const { error, message: errorMessage } = notABroker
        return { errorCode: errorCode(error), errorMessage, topics: [] }
      }
      const topics = request.topics.map(({ topicId, partitions: wanted }) => ({
        topicId,
        partitions: wanted.map(index => answer(partitions(), topicId, index)),
      }))
      return { errorCode: 0, topics }
    },
  }
}

function answer(partitions: Partitions | undefined, topicId: Uuid, partition: number): Told {
  const found = partitions?.findById({ topicId, partition })
  const end = found === undefined ? null : logReach(found)
  if (end === null) {
    const errorOf = errorCode('NOT_LEADER_OR_FOLLOWER')
    const nothing = { leaderEpoch: -1, lastEpoch: -1, endOffset: -1 }
    return { partitionIndex: partition, errorCode: errorOf, ...nothing }
  }
  return { partitionIndex: partition, errorCode: 0, ...end }
}
