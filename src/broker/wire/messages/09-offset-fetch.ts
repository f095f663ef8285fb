import { zeroUuid } from '../../../lib/uuid.ts'
import {
  api,
  array,
  exactInt64,
  bool,
  int16,
  int32,
  nullable,
  string,
  uuid,
  type Draft,
  type Infer,
} from '../field.ts'

/**
 * OffsetFetch: how far a group has read. v2 asks for all partitions by null, v7 waits for transactions (KIP-447),
 * v8 asks for many groups at once (KIP-709), v9 says who asks (KIP-848), v10 brings topic ids.
 */
export const offsetFetch = api({
  key: 9,
  name: 'OffsetFetch',
  versions: [1, 10],
  flexible: 6,
  request: {
    groupId: string.until(7),
    /** Null: every partition the group has an offset for. */
    topics: nullable(
      array({
        name: string,
        partitionIndexes: array(int32),
      }),
      2,
    ).until(7),
    groups: array({
      groupId: string,
      memberId: nullable(string).since(9).default(null),
      memberEpoch: int32.since(9).default(-1),
      /** Null: every partition the group has an offset for. */
      topics: nullable(
        array({
          name: string.until(9),
          topicId: uuid.since(10).default(zeroUuid),
          partitionIndexes: array(int32),
        }),
      ),
    }).since(8),
    /** Answer UNSTABLE_OFFSET_COMMIT where a transaction has offsets pending. */
    requireStable: bool.since(7),
  },
  response: {
    throttleTimeMs: int32.since(3),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** -1 where the group has none. */
        committedOffset: exactInt64,
        committedLeaderEpoch: int32.since(5).default(-1),
        metadata: nullable(string),
        errorCode: int16,
      }),
    }).until(7),
    errorCode: int16.since(2).until(7),
    groups: array({
      groupId: string,
      topics: array({
        name: string.until(9),
        topicId: uuid.since(10).default(zeroUuid),
        partitions: array({
          partitionIndex: int32,
          /** -1 where the group has none. */
          committedOffset: exactInt64,
          committedLeaderEpoch: int32.default(-1),
          metadata: nullable(string),
          errorCode: int16,
        }),
      }),
      errorCode: int16,
    }).since(8),
  },
})

export type OffsetFetchRequest = Infer<typeof offsetFetch.request>
export type OffsetFetchResponse = Draft<typeof offsetFetch.response>
