import {
  api,
  array,
  bool,
  int16,
  int32,
  nullable,
  string,
  type Draft,
  type Infer,
} from '../field.ts'

/** AlterPartitionReassignments: which brokers shall hold a partition (KIP-455). v1 can forbid another number of them. */
export const alterPartitionReassignments = api({
  key: 45,
  name: 'AlterPartitionReassignments',
  versions: [0, 1],
  flexible: 0,
  request: {
    timeoutMs: int32.default(60_000),
    allowReplicationFactorChange: bool.since(1).default(true),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** null: give up the reassignment that is under way. */
        replicas: nullable(array(int32)).default(null),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    allowReplicationFactorChange: bool.since(1).default(true),
    errorCode: int16,
    errorMessage: nullable(string),
    responses: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: nullable(string),
      }),
    }),
  },
})

export type AlterPartitionReassignmentsRequest = Infer<typeof alterPartitionReassignments.request>
export type AlterPartitionReassignmentsResponse = Draft<typeof alterPartitionReassignments.response>
