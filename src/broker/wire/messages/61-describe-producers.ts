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

/** DescribeProducers: the idempotent producers that a partition remembers (KIP-664). */
export const describeProducers = api({
  key: 61,
  name: 'DescribeProducers',
  versions: [0, 0],
  flexible: 0,
  request: {
    topics: array({
      name: string,
      partitionIndexes: array(int32),
    }),
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: nullable(string).default(null),
        activeProducers: array({
          producerId: int64,
          producerEpoch: int32,
          lastSequence: int32.default(-1),
          /** Unix milliseconds of its last batch, or -1. */
          lastTimestamp: int64.default(-1),
          /** Of the coordinator that wrote its last marker, or -1. */
          coordinatorEpoch: int32,
          /** Where its open transaction begins here, or -1. */
          currentTxnStartOffset: int64.default(-1),
        }),
      }),
    }),
  },
})

export type DescribeProducersRequest = Infer<typeof describeProducers.request>
export type DescribeProducersResponse = Draft<typeof describeProducers.response>
