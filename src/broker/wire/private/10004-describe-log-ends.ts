import {
  api,
  array,
  int16,
  int32,
  int64,
  nullable,
  string,
  uuid,
  type Draft,
  type Infer,
} from '../field.ts'

/**
 * DescribeLogEnds: how far the logs of replicas reach, whoever leads them. Where nobody does, and a person accepts that records may be
 * lost, the one that reaches furthest loses none or the fewest (KIP-966; durability.md R9). No API of Kafka's; it is served on
 * the private listener only.
 */
export const describeLogEnds = api({
  key: 10_004,
  name: 'DescribeLogEnds',
  versions: [0, 0],
  flexible: 0,
  request: {
    topics: array({ topicId: uuid, partitions: array(int32) }),
  },
  response: {
    errorCode: int16,
    errorMessage: nullable(string).default(null),
    topics: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        /** In which the replica stands, by the metadata that it knows. */
        leaderEpoch: int32,
        /** The newest in the log; -1 where it never had one, or cannot be read. */
        lastEpoch: int32,
        /** -1 where the log cannot be read. */
        endOffset: int64,
      }),
    }),
  },
})

export type DescribeLogEndsRequest = Infer<typeof describeLogEnds.request>
export type DescribeLogEndsResponse = Draft<typeof describeLogEnds.response>
