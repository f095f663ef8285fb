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
 * ListTransactions: the transactional ids that this broker coordinates (KIP-664). v1 filters by duration (KIP-994), v2 by
 * a pattern of the id (KIP-1152).
 */
export const listTransactions = api({
  key: 66,
  name: 'ListTransactions',
  versions: [0, 2],
  flexible: 0,
  request: {
    /** `Ongoing`, `PrepareCommit` ...; empty: all. */
    stateFilters: array(string),
    /** Empty: all. */
    producerIdFilters: array(int64),
    /** Only those that run for longer than so many milliseconds; negative: all. */
    durationFilter: int64.since(1).default(-1),
    /** A regular expression in RE2's syntax; null or empty: all. */
    transactionalIdPattern: nullable(string).since(2).default(null),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    unknownStateFilters: array(string),
    transactionStates: array({
      transactionalId: string,
      producerId: int64,
      transactionState: string,
    }),
  },
})

export type ListTransactionsRequest = Infer<typeof listTransactions.request>
export type ListTransactionsResponse = Draft<typeof listTransactions.response>
