import { errorCode } from '../wire/errors.ts'
import {
  listPartitionReassignments,
  type ListPartitionReassignmentsRequest,
  type ListPartitionReassignmentsResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

/** ListPartitionReassignments: v0. With one broker nothing is ever on its way to another. */
export const listPartitionReassignmentsHandler: Handler<
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse
> = {
  api: listPartitionReassignments,
  handle: () => ({
    throttleTimeMs: 0,
    errorCode: errorCode('NONE'),
    errorMessage: null,
    topics: [],
  }),
}
