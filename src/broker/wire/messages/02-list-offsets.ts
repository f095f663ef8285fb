import {
  api,
  array,
  exactInt64,
  int16,
  int32,
  int64,
  int8,
  string,
  type Draft,
  type Infer,
} from '../field.ts'

/**
 * ListOffsets: the offset of a timestamp, or of the start or end of a log. v2 brings the isolation level, v4 leader
 * epochs, v7 the maximum timestamp (KIP-734), v8, v9 and v11 the tiers of remote storage, v10 a timeout.
 */
export const listOffsets = api({
  key: 2,
  name: 'ListOffsets',
  versions: [1, 11],
  flexible: 6,
  request: {
    /** Broker id of a follower, -1 for consumers, -2 for debuggers. */
    replicaId: int32,
    /** With 1, the end is the last stable offset. */
    isolationLevel: int8.since(2),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        currentLeaderEpoch: int32.since(4).default(-1),
        /** Milliseconds since 1970, or -1: end, -2: start, -3: record of the largest timestamp, -4 to -6: remote tiers. */
        timestamp: exactInt64,
      }),
    }),
    /** How long remote storage may take. */
    timeoutMs: int32.since(10),
  },
  response: {
    throttleTimeMs: int32.since(2),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        /** Timestamp of the record found, or -1. */
        timestamp: exactInt64.default(-1),
        /** -1 where there is no such record. */
        offset: int64.default(-1),
        leaderEpoch: int32.since(4).default(-1),
      }),
    }),
  },
})

export type ListOffsetsRequest = Infer<typeof listOffsets.request>
export type ListOffsetsResponse = Draft<typeof listOffsets.response>
