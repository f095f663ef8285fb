import { zeroUuid } from '../../../lib/uuid.ts'
import {
  api,
  array,
  int16,
  int32,
  int64,
  int8,
  nullable,
  records,
  string,
  struct,
  uuid,
  type Draft,
  type Infer,
} from '../field.ts'

/**
 * Fetch: a long poll for records. v4 brings the record batch format, v7 sessions (KIP-227), v10 zstd, v11 reading
 * from followers (KIP-392), v12 divergence by epoch (KIP-595), v13 topic ids (KIP-516), v15 the follower's epoch
 * (KIP-903), v17 its directory (KIP-853), v18 its high watermark (KIP-1166).
 */
export const fetch = api({
  key: 1,
  name: 'Fetch',
  versions: [4, 18],
  flexible: 12,
  request: {
    /** Only brokers set it. */
    clusterId: nullable(string).since(12).default(null).tag(0),
    /** Broker id of a follower, -1 for consumers. From v15 in `replicaState`. */
    replicaId: int32.until(14).default(-1),
    replicaState: struct({
      replicaId: int32.default(-1),
      replicaEpoch: int64.default(-1),
    })
      .since(15)
      .tag(1),
    /** How long to wait for `minBytes` before answering with less. */
    maxWaitMs: int32,
    minBytes: int32,
    /** What the whole answer may hold; one batch may come above it (G29). */
    maxBytes: int32.default(0x7fffffff),
    /** 0: read uncommitted. 1: read committed, up to the last stable offset. */
    isolationLevel: int8,
    /** 0 where there is no session. */
    sessionId: int32.since(7),
    /** -1: no session. 0: make one. Above: the next fetch of it. */
    sessionEpoch: int32.since(7).default(-1),
    topics: array({
      topic: string.until(12),
      topicId: uuid.since(13).default(zeroUuid),
      partitions: array({
        partition: int32,
        /** The leader epoch that the reader knows, or -1; another one here is an error. */
        currentLeaderEpoch: int32.since(9).default(-1),
        fetchOffset: int64,
        /** Epoch of the last record the reader has, or -1; by it a cut log is noticed. */
        lastFetchedEpoch: int32.since(12).default(-1),
        /** Where a follower's own log begins. */
        logStartOffset: int64.since(5).default(-1),
        partitionMaxBytes: int32,
        replicaDirectoryId: uuid.since(17).default(zeroUuid).tag(0),
        /** The high watermark that a follower knows; the largest int64 where it tells none. */
        highWatermark: int64
          .since(18)
          .default(2 ** 63)
          .tag(1),
      }),
    }),
    /** What to take out of the session. */
    forgottenTopicsData: array({
      topic: string.until(12),
      topicId: uuid.since(13).default(zeroUuid),
      partitions: array(int32),
    }).since(7),
    /** Where the consumer runs, to find it a replica nearby. */
    rackId: string.since(11),
  },
  response: {
    throttleTimeMs: int32,
    /** An error of the session. */
    errorCode: int16.since(7),
    sessionId: int32.since(7),
    responses: array({
      topic: string.until(12),
      topicId: uuid.since(13).default(zeroUuid),
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        highWatermark: int64,
        /** Transactions before it are decided. */
        lastStableOffset: int64.default(-1),
        logStartOffset: int64.since(5).default(-1),
        /** The last epoch in common, and where it ends: the reader must cut its log there. */
        divergingEpoch: struct({
          epoch: int32.default(-1),
          endOffset: int64.default(-1),
        })
          .since(12)
          .tag(0),
        /** Told with NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH. */
        currentLeader: struct({
          leaderId: int32.default(-1),
          leaderEpoch: int32.default(-1),
        })
          .since(12)
          .tag(1),
        /** Only for the metadata log of KRaft. */
        snapshotId: struct({
          endOffset: int64.default(-1),
          epoch: int32.default(-1),
        })
          .since(12)
          .tag(2),
        /** Transactions among these records whose records do not count. Null: not asked for. */
        abortedTransactions: nullable(
          array({
            producerId: int64,
            firstOffset: int64,
          }),
        ),
        /** Read from this broker instead, or -1. */
        preferredReadReplica: int32.since(11).default(-1),
        records,
      }),
    }),
    /** The addresses of the leaders told above. */
    nodeEndpoints: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: nullable(string).default(null),
    })
      .since(16)
      .tag(0),
  },
})

export type FetchRequest = Infer<typeof fetch.request>
export type FetchResponse = Draft<typeof fetch.response>
