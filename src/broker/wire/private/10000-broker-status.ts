import {
  api,
  array,
  bool,
  int16,
  int32,
  int64,
  nullable,
  string,
  struct,
  uuid,
  type Draft,
  type Infer,
} from '../field.ts'

/** How many, and the first few by name, `topic-index`. */
const partitions = { count: int32, names: array(string) }

/**
 * BrokerStatus: what an operator must know of a broker, at every moment of its life. It is no API of Kafka's: its key
 * lies beyond any that Apache has, and it is served on the private listener only, as soon as that listens. v1 tells of the cluster, v2 of
 * a cluster that is frozen whether all that this broker leads is copied, v3 of replicas that catch up.
 */
export const brokerStatus = api({
  key: 10_000,
  name: 'BrokerStatus',
  versions: [0, 3],
  flexible: 0,
  request: {},
  response: {
    errorCode: int16,
    errorMessage: nullable(string).default(null),
    brokerId: int32,
    /** Empty while it is not known. */
    clusterId: string,
    /** Of the data directory; zero while none is open. */
    directoryId: uuid,
    /** Of the disk, as its identity ConfigMap says; 0 where there is none. */
    incarnation: int32,
    /** When the process began, in milliseconds since 1970. */
    startedAtMs: int64,
    /** Of the software. */
    version: string,
    /** Clients are served. */
    isReady: bool,
    /** Why they are not, as a sentence; null where they are. */
    notReadyReason: nullable(string).default(null),
    /** How the last run ended: A cleanly, B the process died, C anything else, D the directory was empty; '' before. */
    startClass: string,
    startReason: string,
    /** Why this broker appends nothing to the metadata log, as a sentence; null where it does. */
    quarantineReason: nullable(string).default(null),
    /** The metadata store does not answer: topics and configs cannot change. */
    isMetadataWaiting: bool,
    /** Logs that were set aside, because no topic claims them. */
    strayCount: int32,
    /** Of all partitions that this broker has. */
    partitionCount: int32,
    /** Those that it cannot serve, each with the reason as a sentence. */
    offlinePartitions: array({
      topic: string,
      partitionIndex: int32,
      reason: string,
    }),
    /** What tells whether bytes are in the page cache: `cachestat`, `mincore`, `window` or `unknown`. */
    pageCacheSource: string,
    /** Sequence of the last record of the metadata log that it knows; -1 while it knows none. */
    metadataSequence: int64.since(1).default(-1),
    /** The broker that is the controller, by that record; -1: none. */
    controllerId: int32.since(1).default(-1),
    /** Partitions that nobody leads, by that record. */
    leaderlessCount: int32.since(1).default(0),
    /** What a restart of each registered broker would risk, by that record (metadata/restart-risk.ts). */
    brokers: array({
      brokerId: int32,
      isFenced: bool,
      isDrained: bool,
      leads: int32,
      behind: struct(partitions),
      underMin: struct(partitions),
      offline: struct(partitions),
      unavoidableCount: int32,
    }).since(1),
    /** While the cluster is frozen: partitions that it leads of which somebody in sync lacks something; else -1. */
    uncopiedCount: int32.since(2).default(-1),
    /**
     * While the metadata store waits for the longest copy that there is, and this broker for that: sequence of the last record that its
     * own copy has, 0 where there is none; else -1.
     */
    awaitedCopySequence: int64.since(2).default(-1),
    /** Which state of the Secret with the passwords of this listener it has, as its operator counts them; empty: none was told. */
    credentialsRevision: string.since(2).default(''),
    /** What replicas that are not in sync lack of the partitions that it leads, by whose they are. */
    catchingUp: array({ brokerId: int32, bytes: int64 }).since(3),
  },
})

export type BrokerStatusRequest = Infer<typeof brokerStatus.request>
export type BrokerStatusResponse = Draft<typeof brokerStatus.response>
