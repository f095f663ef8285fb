import { zeroUuid } from '../../../lib/uuid.ts'
import {
  api,
  array,
  bool,
  int16,
  int32,
  nullable,
  string,
  struct,
  uuid,
  type Draft,
  type Infer,
} from '../field.ts'

/** The partition that comes next. */
const cursor = nullable(
  struct({
    topicName: string,
    partitionIndex: int32,
  }),
).default(null)

/** DescribeTopicPartitions: topics page by page, with eligible leaders (KIP-966). */
export const describeTopicPartitions = api({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: [0, 0],
  flexible: 0,
  request: {
    /** Empty: all. */
    topics: array({
      name: string,
    }),
    responsePartitionLimit: int32.default(2000),
    /** Where the last answer ended; null: from the start. */
    cursor,
  },
  response: {
    throttleTimeMs: int32,
    /** By name. */
    topics: array({
      errorCode: int16,
      name: nullable(string),
      topicId: uuid.default(zeroUuid),
      isInternal: bool.default(false),
      partitions: array({
        errorCode: int16,
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: int32.default(-1),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        eligibleLeaderReplicas: nullable(array(int32)).default(null),
        lastKnownElr: nullable(array(int32)).default(null),
        offlineReplicas: array(int32),
      }),
      /** A bit field; -2^31 where it is not told. */
      topicAuthorizedOperations: int32.default(-0x80000000),
    }),
    /** Where to go on; null: that was all. */
    nextCursor: cursor,
  },
})

export type DescribeTopicPartitionsRequest = Infer<typeof describeTopicPartitions.request>
export type DescribeTopicPartitionsResponse = Draft<typeof describeTopicPartitions.response>
