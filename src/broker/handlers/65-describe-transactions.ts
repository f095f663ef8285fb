import { errorCode } from '../wire/errors.ts'
import {
  describeTransactions,
  type DescribeTransactionsRequest,
  type DescribeTransactionsResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

/** DescribeTransactions: v0. There are no transactions: no id is known, and an empty one is none. */
export const describeTransactionsHandler: Handler<
  DescribeTransactionsRequest,
  DescribeTransactionsResponse
> = {
  api: describeTransactions,
  handle: ({ transactionalIds }) => ({
    throttleTimeMs: 0,
    transactionStates: transactionalIds.map(transactionalId => ({
      errorCode: errorCode(
        transactionalId === '' ? 'INVALID_REQUEST' : 'TRANSACTIONAL_ID_NOT_FOUND',
      ),
      transactionalId,
      transactionState: '',
      transactionTimeoutMs: 0,
      transactionStartTimeMs: 0,
      producerId: 0,
      producerEpoch: 0,
      topics: [],
    })),
  }),
}
