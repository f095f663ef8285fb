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

/** CreatePartitions: adds partitions to topics (KIP-195). v3 may be throttled (KIP-599). */
export const createPartitions = api({
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 3],
  flexible: 2,
  request: {
    topics: array({
      name: string,
      /** How many there shall be, not how many more. */
      count: int32,
      /** Replicas of the new partitions; null: the cluster chooses. */
      assignments: nullable(
        array({
          brokerIds: array(int32),
        }),
      ),
    }),
    timeoutMs: int32,
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      name: string,
      errorCode: int16,
      errorMessage: nullable(string).default(null),
    }),
  },
})

export type CreatePartitionsRequest = Infer<typeof createPartitions.request>
export type CreatePartitionsResponse = Draft<typeof createPartitions.response>
