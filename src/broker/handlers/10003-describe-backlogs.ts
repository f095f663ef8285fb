import type { Partitions } from '../partition/partitions.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  describeBacklogs,
  type DescribeBacklogsRequest,
  type DescribeBacklogsResponse,
} from '../wire/private/index.ts'
import { isFromBroker, notABroker } from './brokers-calls.ts'
import type { Handler } from './handler.ts'

type Asked = DescribeBacklogsRequest['topics'][number]['partitions'][number]
type Told = DescribeBacklogsResponse['topics'][number]['partitions'][number]

/** DescribeBacklogs: v0, of the leader, and for brokers only. From memory alone; `partitions`: undefined while the broker starts. */
export function describeBacklogsHandler(
  partitions: () => Partitions | undefined,
): Handler<DescribeBacklogsRequest, DescribeBacklogsResponse> {
  return {
    api: describeBacklogs,
    handle(request, context) {
      if (!isFromBroker(context)) {
        const { error, message: errorMessage } = notABroker
        return { errorCode: errorCode(error), errorMessage, topics: [] }
      }
      const topics = request.topics.map(({ name, partitions: wanted }) => ({
        name,
        partitions: wanted.map(each => answer(partitions(), name, each)),
      }))
      return { errorCode: 0, topics }
    },
  }
}

function answer(
  partitions: Partitions | undefined,
  topic: string,
  { partitionIndex, offsets }: Asked,
): Told {
  const partition = partitions?.find(topic, partitionIndex)
  const nothing = { logStartOffset: -1, highWatermark: -1, backlogs: [] }
  const failed = (error: ErrorName): Told => {
    return { partitionIndex, errorCode: errorCode(error), ...nothing }
  }
  if (partition === undefined) return failed('NOT_LEADER_OR_FOLLOWER')
  const unavailable = partition.availability()
  const { extent } = partition
  if (unavailable !== 'NONE' || extent === null) return failed(unavailable)
  // It does not know yet where readers end, and would tell of a smaller backlog than there is (durability.md R10).
  if (!partition.hasReachedEpoch) return failed('OFFSET_NOT_AVAILABLE')
  const backlogs = offsets.map(offset => {
    const { bytes, timestampMs } = partition.backlog(Number(offset))!
    return { offset, bytes, timestamp: timestampMs ?? -1 }
  })
  const { startOffset: logStartOffset, highWatermark } = extent
  return { partitionIndex, errorCode: 0, logStartOffset, highWatermark, backlogs }
}
