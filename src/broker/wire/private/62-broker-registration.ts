import { api, array, bool, int16, int32, int64, nullable, string, uint16, uuid } from '../field.ts'
import { gossip } from './gossip.ts'

/**
 * BrokerRegistration: a start of a broker, told to the controller (KIP-500). v1 is for leaving ZooKeeper, v2 brings the
 * directories (KIP-858), v3 the epoch before a clean stop (KIP-966). What Kafka has no field for is tagged from 10,000 on.
 */
export const brokerRegistration = api({
  key: 62,
  name: 'BrokerRegistration',
  versions: [0, 4],
  flexible: 0,
  request: {
    brokerId: int32,
    clusterId: string,
    /** One per process start. */
    incarnationId: uuid,
    listeners: array({ name: string, host: string, port: uint16, securityProtocol: int16 }),
    features: array({ name: string, minSupportedVersion: int16, maxSupportedVersion: int16 }),
    rack: nullable(string),
    isMigratingZkBroker: bool.since(1).default(false),
    /** The one that this broker has. */
    logDirs: array(uuid).since(2),
    previousBrokerEpoch: int64.since(3).default(-1),
    ...gossip,
    /** How the last run ended: A, B, C, C-acked or D (durability.md 3.1). */
    startClass: string.tag(10_002),
    /** Its private listener as other brokers reach it; '' where it has none. */
    peerHost: string.tag(10_003),
    peerPort: int32.tag(10_004),
    /** Partitions whose logs are not what they were. */
    damaged: array({ topicId: uuid, partitions: array(int32) }).tag(10_005),
    /** Where its copy of the metadata log ends: what no store may have lost. */
    lastSequence: int64.tag(10_006),
    lastHash: string.tag(10_007),
    unregisteredStarts: int32.tag(10_008),
    /** The last that its disk has of what its heartbeats told; -1: it does not know. */
    beat: int64.default(-1).tag(10_010),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    brokerEpoch: int64.default(-1),
    ...gossip,
    errorMessage: nullable(string).default(null).tag(10_009),
  },
})
