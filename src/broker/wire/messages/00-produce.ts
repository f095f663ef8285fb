import { zeroUuid } from '../../../lib/uuid.ts'
import {
  api,
  array,
  int16,
  int32,
  int64,
  nullable,
  records,
  string,
  struct,
  uuid,
  type Draft,
  type Infer,
} from '../field.ts'

/**
 * Produce: appends one record batch to each partition named. v3 brings the record batch format, v7 zstd (KIP-110),
 * v8 says which records were refused (KIP-467), v10 who leads now (KIP-951), v12 needs the second transaction
 * protocol (KIP-890), v13 names topics by id (KIP-516).
 *
 * Versions 0 to 2 are advertised and refused: old librdkafka compresses only where it sees version 0 (G2).
 */
export const produce = api({
  key: 0,
  name: 'Produce',
  versions: [3, 13],
  advertisedMin: 0,
  flexible: 9,
  request: {
    /** Null where the producer has no transactions. */
    transactionalId: nullable(string).default(null),
    /** -1: all replicas in sync. 1: the leader. 0: send no response at all (G15). */
    acks: int16,
    /** How long to wait for the other replicas. */
    timeoutMs: int32,
    topicData: array({
      name: string.until(12),
      topicId: uuid.since(13).default(zeroUuid),
      partitionData: array({
        index: int32,
        /** Exactly one batch of format 2 (G18). */
        records,
      }),
    }),
  },
  response: {
    responses: array({
      name: string.until(12),
      topicId: uuid.since(13).default(zeroUuid),
      partitionResponses: array({
        index: int32,
        errorCode: int16,
        /** Offset of the first record, or -1 where nothing was written. */
        baseOffset: int64,
        /** -1 where the records keep the time of their producer. */
        logAppendTimeMs: int64.default(-1),
        logStartOffset: int64.since(5).default(-1),
        /** Which records made the batch be refused, by index in the batch. */
        recordErrors: array({
          batchIndex: int32,
          batchIndexErrorMessage: nullable(string).default(null),
        }).since(8),
        errorMessage: nullable(string).since(8).default(null),
        /** Told with NOT_LEADER_OR_FOLLOWER. */
        currentLeader: struct({
          leaderId: int32.default(-1),
          leaderEpoch: int32.default(-1),
        })
          .since(10)
          .tag(0),
      }),
    }),
    throttleTimeMs: int32,
    /** The addresses of the leaders told above. */
    nodeEndpoints: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: nullable(string).default(null),
    })
      .since(10)
      .tag(0),
  },
})

export type ProduceRequest = Infer<typeof produce.request>
export type ProduceResponse = Draft<typeof produce.response>
