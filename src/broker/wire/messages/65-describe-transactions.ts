import { api, array, int16, int32, int64, string, type Draft, type Infer } from '../field.ts'

/** DescribeTransactions: the state of transactional ids (KIP-664). */
export const describeTransactions = api({
  key: 65,
  name: 'DescribeTransactions',
  versions: [0, 0],
  flexible: 0,
  request: {
    transactionalIds: array(string),
  },
  response: {
    throttleTimeMs: int32,
    transactionStates: array({
      errorCode: int16,
      transactionalId: string,
      transactionState: string,
      transactionTimeoutMs: int32,
      /** Unix milliseconds, or -1. */
      transactionStartTimeMs: int64,
      producerId: int64,
      producerEpoch: int16,
      topics: array({
        topic: string,
        partitions: array(int32),
      }),
    }),
  },
})

export type DescribeTransactionsRequest = Infer<typeof describeTransactions.request>
export type DescribeTransactionsResponse = Draft<typeof describeTransactions.response>
