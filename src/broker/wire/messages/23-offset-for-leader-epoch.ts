import { api, array, int16, int32, int64, string, type Draft, type Infer } from '../field.ts'

/**
 * OffsetForLeaderEpoch: where a leader epoch ended, by which a reader finds out whether its log was cut (KIP-101,
 * KIP-320). v2 checks the reader's own epoch, v3 tells consumers from followers.
 */
export const offsetForLeaderEpoch = api({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: [2, 4],
  flexible: 4,
  request: {
    /** Broker id of a follower, -1 for consumers, -2 for debuggers. */
    replicaId: int32.since(3).default(-2),
    topics: array({
      topic: string,
      partitions: array({
        partition: int32,
        /** The leader epoch that the reader knows, or -1; another one here is an error. */
        currentLeaderEpoch: int32.default(-1),
        leaderEpoch: int32,
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      topic: string,
      partitions: array({
        errorCode: int16,
        partition: int32,
        /** The largest epoch here that is not above the one asked for, or -1. */
        leaderEpoch: int32.default(-1),
        endOffset: int64.default(-1),
      }),
    }),
  },
})

export type OffsetForLeaderEpochRequest = Infer<typeof offsetForLeaderEpoch.request>
export type OffsetForLeaderEpochResponse = Draft<typeof offsetForLeaderEpoch.response>
