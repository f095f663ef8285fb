import { errorCode } from '../wire/errors.ts'
import {
  listTransactions,
  type ListTransactionsRequest,
  type ListTransactionsResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

/** As tools may filter by them (KIP-664). */
const states: ReadonlySet<string> = new Set([
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'PrepareEpochFence',
  'Dead',
])

/** ListTransactions: v0-2. There are none; filters are judged all the same. */
export const listTransactionsHandler: Handler<ListTransactionsRequest, ListTransactionsResponse> = {
  api: listTransactions,
  handle({ stateFilters, transactionalIdPattern }) {
    const isPattern = transactionalIdPattern === null || isRegularExpression(transactionalIdPattern)
    return {
      throttleTimeMs: 0,
      errorCode: errorCode(isPattern ? 'NONE' : 'INVALID_REGULAR_EXPRESSION'),
      unknownStateFilters: isPattern
        ? [...new Set(stateFilters)].filter(state => !states.has(state))
        : [],
      transactionStates: [],
    }
  },
}

/** RE2's syntax is JavaScript's for all that is in use; nothing is ever matched against it here. */
function isRegularExpression(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u') instanceof RegExp
  } catch {
    return false
  }
}
