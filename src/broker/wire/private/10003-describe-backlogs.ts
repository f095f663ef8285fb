import {
  api,
  array,
  int16,
  int32,
  int64,
  nullable,
  string,
  type Draft,
  type Infer,
} from '../field.ts'

/**
 * DescribeBacklogs: what lies before offsets in partitions that the broker leads. The coordinator of a group knows what it
 * committed, and the leader of a partition where it ends: only together they know how far the group is behind, in bytes and
 * in time too, which ListOffsets does not tell. No API of Kafka's; it is served on the private listener only.
 */
export const describeBacklogs = api({
  key: 10_003,
  name: 'DescribeBacklogs',
  versions: [0, 0],
  flexible: 0,
  request: {
    topics: array({
      name: string,
      partitions: array({ partitionIndex: int32, offsets: array(int64) }),
    }),
  },
  response: {
    errorCode: int16,
    errorMessage: nullable(string).default(null),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        logStartOffset: int64,
        highWatermark: int64,
        backlogs: array({
          offset: int64,
          /** Estimated. */
          bytes: int64,
          /** Of the first record, in milliseconds since 1970; -1 where it has none, or where there is no record. */
          timestamp: int64,
        }),
      }),
    }),
  },
})

export type DescribeBacklogsRequest = Infer<typeof describeBacklogs.request>
export type DescribeBacklogsResponse = Draft<typeof describeBacklogs.response>
