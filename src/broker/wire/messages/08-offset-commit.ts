import { zeroUuid } from '../../../lib/uuid.ts'
import {
  api,
  array,
  exactInt64,
  int16,
  int32,
  int64,
  nullable,
  string,
  uuid,
  type Draft,
  type Infer,
} from '../field.ts'

/**
 * OffsetCommit: stores how far a group has read. v5 gives up the retention time, v6 brings leader epochs, v7 static
 * members (KIP-345), v9 member epochs of the new groups (KIP-848), v10 topic ids.
 */
export const offsetCommit = api({
  key: 8,
  name: 'OffsetCommit',
  versions: [2, 10],
  flexible: 8,
  request: {
    groupId: string,
    /** -1 where the group has no members: a consumer that assigns itself. */
    generationIdOrMemberEpoch: int32.default(-1),
    memberId: string,
    /** Null where the member is not static. */
    groupInstanceId: nullable(string).since(7).default(null),
    /** -1: as long as the broker says. */
    retentionTimeMs: int64.until(4).default(-1),
    topics: array({
      name: string.until(9),
      topicId: uuid.since(10).default(zeroUuid),
      partitions: array({
        partitionIndex: int32,
        committedOffset: exactInt64,
        committedLeaderEpoch: int32.since(6).default(-1),
        /** Any text the consumer wants back. */
        committedMetadata: nullable(string),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32.since(3),
    topics: array({
      name: string.until(9),
      topicId: uuid.since(10).default(zeroUuid),
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
      }),
    }),
  },
})

export type OffsetCommitRequest = Infer<typeof offsetCommit.request>
export type OffsetCommitResponse = Draft<typeof offsetCommit.response>
