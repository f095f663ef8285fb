import { api, array, bool, int16, int32, int64, nullable, string, uuid } from '../field.ts'
import { gossip } from './gossip.ts'

/**
 * BrokerHeartbeat: a broker lives, and says how far it knows the metadata (KIP-500). v1 brings failed directories
 * (KIP-858), v2 cordoned ones (KIP-1066).
 */
export const brokerHeartbeat = api({
  key: 63,
  name: 'BrokerHeartbeat',
  versions: [0, 2],
  flexible: 0,
  request: {
    brokerId: int32,
    brokerEpoch: int64.default(-1),
    /** Sequence of the last record that it acts by. */
    currentMetadataOffset: int64,
    wantFence: bool,
    wantShutDown: bool,
    offlineLogDirs: array(uuid).since(1).tag(0),
    cordonedLogDirs: nullable(array(uuid).since(2), 2).default(null).tag(1),
    ...gossip,
    /** Counts the heartbeats of one registration. */
    beat: int64.tag(10_002),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    isCaughtUp: bool.default(false),
    isFenced: bool.default(true),
    shouldShutDown: bool,
    ...gossip,
    errorMessage: nullable(string).default(null).tag(10_009),
  },
})
