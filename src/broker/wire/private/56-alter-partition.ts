import { api, array, int16, int32, int64, int8, nullable, string, uuid } from '../field.ts'
import { gossip } from './gossip.ts'

/**
 * AlterPartition: a leader changes in-sync sets (KIP-497). v2 brings topic ids and the recovery state (KIP-704, KIP-841),
 * v3 the epochs of the brokers in the set (KIP-903).
 */
export const alterPartition = api({
  key: 56,
  name: 'AlterPartition',
  versions: [2, 3],
  flexible: 0,
  request: {
    brokerId: int32,
    brokerEpoch: int64.default(-1),
    topics: array({
      topicId: uuid.since(2),
      partitions: array({
        partitionIndex: int32,
        leaderEpoch: int32,
        newIsr: array(int32).until(2),
        newIsrWithEpochs: array({ brokerId: int32, brokerEpoch: int64.default(-1) }).since(3),
        /** 1 after an unclean election, until the leader has taken its log for the truth. */
        leaderRecoveryState: int8.since(1).default(0),
        /** Of the state that the leader changes. */
        partitionEpoch: int32,
      }),
    }),
    ...gossip,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    topics: array({
      topicId: uuid.since(2),
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        leaderId: int32,
        leaderEpoch: int32,
        isr: array(int32),
        leaderRecoveryState: int8.since(1).default(0),
        partitionEpoch: int32,
      }),
    }),
    ...gossip,
    errorMessage: nullable(string).default(null).tag(10_009),
  },
})
