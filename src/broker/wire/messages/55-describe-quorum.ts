import { zeroUuid } from '../../../lib/uuid.ts'
import {
  api,
  array,
  int16,
  int32,
  int64,
  nullable,
  string,
  uint16,
  uuid,
  type Draft,
  type Infer,
} from '../field.ts'

/** Where one copy of the metadata log is. */
const replicaStates = array({
  replicaId: int32,
  replicaDirectoryId: uuid.since(2).default(zeroUuid),
  logEndOffset: int64,
  /** Unix milliseconds, or -1. */
  lastFetchTimestamp: int64.since(1).default(-1),
  lastCaughtUpTimestamp: int64.since(1).default(-1),
})

/**
 * DescribeQuorum: who leads the metadata log and how far its copies are (KIP-595). v1 brings times (KIP-836), v2
 * directories, messages and where the voters listen (KIP-853).
 */
export const describeQuorum = api({
  key: 55,
  name: 'DescribeQuorum',
  versions: [0, 2],
  flexible: 0,
  request: {
    topics: array({
      /** `__cluster_metadata`. */
      topicName: string,
      partitions: array({
        partitionIndex: int32,
      }),
    }),
  },
  response: {
    errorCode: int16,
    errorMessage: nullable(string).since(2),
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: nullable(string).since(2),
        leaderId: int32,
        leaderEpoch: int32,
        highWatermark: int64,
        currentVoters: replicaStates,
        observers: replicaStates,
      }),
    }),
    nodes: array({
      nodeId: int32,
      listeners: array({
        name: string,
        host: string,
        port: uint16,
      }),
    }).since(2),
  },
})

export type DescribeQuorumRequest = Infer<typeof describeQuorum.request>
export type DescribeQuorumResponse = Draft<typeof describeQuorum.response>
