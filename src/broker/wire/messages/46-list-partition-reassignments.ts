import { api, array, int16, int32, nullable, string, type Draft, type Infer } from '../field.ts'

/** ListPartitionReassignments: the reassignments that are under way (KIP-455). */
export const listPartitionReassignments = api({
  key: 46,
  name: 'ListPartitionReassignments',
  versions: [0, 0],
  flexible: 0,
  request: {
    timeoutMs: int32.default(60_000),
    /** null: all. */
    topics: nullable(
      array({
        name: string,
        partitionIndexes: array(int32),
      }),
    ).default(null),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: nullable(string),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        replicas: array(int32),
        addingReplicas: array(int32),
        removingReplicas: array(int32),
      }),
    }),
  },
})

export type ListPartitionReassignmentsRequest = Infer<typeof listPartitionReassignments.request>
export type ListPartitionReassignmentsResponse = Draft<typeof listPartitionReassignments.response>
