import type { NetworkCounters } from '../../env/env.ts'
import type { ColdReadNumbers } from '../cold-lane/numbers.ts'
import type { CommittedNumbers, GroupNumbers, LagNumbers, SentNumbers } from '../insight/numbers.ts'

/**
 * Where the numbers of a scrape come from: functions that the broker's parts give, so that telemetry knows none
 * of them. Each is asked once a scrape, and is cheap. What is not attached yet is absent from the answer.
 */
export interface MetricSources {
  readonly build: () => { readonly version: string; readonly node: string }
  /** Which twin of each port is at work: `native` or `node`. */
  readonly dataPath: () => {
    readonly network: string
    readonly disk: string
    readonly crc: string
  }
  /** What tells whether bytes are in the page cache. */
  readonly pageCache: () => { readonly source: string }
  /** How the last run ended, and what told so: a few words each. */
  readonly start: () => { readonly class: string; readonly reason: string }
  /** True while the metadata store does not answer. */
  readonly isMetadataWaiting: () => boolean
  /** True while the store holds what this broker did not follow, and the broker serves from its own copy. */
  readonly isMetadataQuarantined: () => boolean
  readonly network: () => NetworkCounters
  /** Bytes of records copied in JavaScript, by reason. */
  readonly copied: () => Readonly<Record<string, number>>
  /** Bytes of records sent to consumers; `hitBytes` is null where it could not be measured. */
  readonly sent: () => Iterable<SentNumbers>
  /** Reads of what the page cache did not have. */
  readonly coldReads: () => ColdReadSource
  /** Consumer groups; absent where their series are switched off. */
  readonly groups: () => Iterable<GroupNumbers>
  /** How far behind consumers are; absent where their series are switched off. */
  readonly lags: () => Iterable<LagNumbers>
  /** What groups have committed, by topic; absent where their series are switched off. */
  readonly committed: () => Iterable<CommittedNumbers>
  /** Most series of one metric by group and partition; what is beyond is left out and counted. */
  readonly groupSeriesMax: () => number
  /** Appended since the start of the process, by topic. */
  readonly appends: () => Iterable<TopicAppends>
  readonly logs: () => Iterable<LogNumbers>
  /** Partitions that this broker holds and cannot serve. */
  readonly offlinePartitions: () => number
  readonly brokers: () => Iterable<BrokerNumbers>
  readonly storage: () => StorageNumbers
  /** The data directory has failed for good (a write or an fsync did), in this run or in an earlier one. */
  readonly hasStorageFailed: () => boolean
  /** Of the file system that the data lies on; null where that does not answer. It is asked each time. */
  readonly space: () => { readonly totalBytes: number; readonly freeBytes: number } | null
  readonly fetchSessions: () => FetchSessionNumbers
  readonly cleaner: () => CleanerNumbers
  /** In-sync sets of what this broker leads. */
  readonly inSync: () => InSyncNumbers
  /** What this broker knows of the cluster. */
  readonly cluster: () => ClusterNumbers
  /** What is copied from other brokers, and to them. */
  readonly replication: () => ReplicationNumbers
  readonly process: () => ProcessNumbers
  /** Open connections. */
  readonly connections: () => number
}

interface ColdReadSource {
  numbers(): Iterable<ColdReadNumbers>
  /** Bytes that the kernel was asked to drop behind readers. */
  readonly droppedBytes: number
  /** null where it cannot be measured. */
  readonly evictedHotBytes: number | null
}

export interface TopicAppends {
  readonly topic: string
  readonly bytes: number
  readonly batches: number
}

export interface LogNumbers {
  readonly topic: string
  readonly partition: number
  readonly startOffset: number
  /** Up to here consumers may read. */
  readonly highWatermark: number
  readonly endOffset: number
  readonly sizeBytes: number
  /** What the metadata log says of the partition; brokers by number, -1 for no leader. */
  readonly leader: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  /** What clients see of the partition is this broker's to tell: one of all brokers does. */
  readonly isTold: boolean
}

export interface BrokerNumbers {
  readonly id: number
  /** `host:port`, as clients of the first listener are told. */
  readonly address: string
}

export interface StorageNumbers {
  readonly unflushedBytes: number
  /** Age of the oldest unflushed byte, 0 where all is flushed. */
  readonly unflushedAgeMs: number
  /** By how much the latest planned flush is late, 0 where none is. */
  readonly flushOverdueMs: number
  /** Bytes that no write-back has finished with. */
  readonly dirtyBytes: number
  readonly isOverDirtyBudget: boolean
  /** Appends that took the event loop longer than a stall's threshold, and the time that they took together. */
  readonly writeStalls: number
  readonly writeStallSeconds: number
  /** Appends that a thread wrote, because one of the same log had stalled within the last second. */
  readonly threadWrites: number
  /** Logs that no topic claimed and that were set aside, by this run or an earlier one. */
  readonly strayLogs: number
}

/** Sessions of fetches (KIP-227). */
export interface FetchSessionNumbers {
  readonly size: number
  /** Partitions of all of them together. */
  readonly partitionCount: number
  /** Since the start of the process. */
  readonly evictionCount: number
}

export interface InSyncNumbers {
  /** Partitions. */
  readonly led: number
  readonly underReplicated: number
  readonly underMinIsr: number
  readonly leaderless: number
  /** Since the start of the process. */
  readonly expands: number
  readonly shrinks: number
  readonly recordsCut: number
}

export interface ClusterNumbers {
  /** This broker is the active controller. */
  readonly isController: boolean
  /** As far as it knows; -1 where it knows none. */
  readonly controllerId: number
  readonly controllerEpoch: number
  /** The last record of the metadata log that it has applied. */
  readonly appliedSequence: number
  /** Times that it became the controller, since the start of the process; here as below. */
  readonly terms: number
  /** Leaders that it elected, by kind. */
  readonly elections: Iterable<readonly [kind: string, count: number]>
  /** Elections after which acknowledged records may be gone, by topic. */
  readonly possibleLosses: Iterable<readonly [topic: string, count: number]>
  /** null where another broker is the controller, or nobody: then it is not for this one to tell. A broker that is alone tells it always. */
  readonly state: ClusterState | null
}

/** What the metadata says of the cluster as a whole. Partitions are counted. */
export interface ClusterState {
  readonly endSequence: number
  readonly topics: number
  readonly partitions: number
  readonly leaderless: number
  readonly recovering: number
  readonly notPreferred: number
  readonly reassigning: number
  readonly isQuarantined: boolean
  /** By topic. */
  readonly partitionCounts: Iterable<readonly [topic: string, count: number]>
  /** Those that are registered. */
  readonly brokers: readonly {
    readonly id: number
    readonly isFenced: boolean
    readonly isShuttingDown: boolean
    readonly hasFailedDirectory: boolean
  }[]
}

export interface ReplicationNumbers {
  /** By the leader that this broker follows. */
  readonly fetchers: Iterable<FetcherNumbers>
  /** By the follower of partitions that this broker leads. */
  readonly followers: Iterable<FollowerNumbers>
}

export interface FetcherNumbers {
  /** The leader. */
  readonly broker: number
  readonly bytes: number
  readonly requests: number
  /** By their errors. */
  readonly failures: Iterable<readonly [error: string, count: number]>
  readonly partitions: number
  /** Of the partition that is furthest behind. */
  readonly behindRecords: number
  readonly behindSeconds: number
}

export interface FollowerNumbers {
  /** The follower. */
  readonly broker: number
  /** Bytes of records that it was sent. */
  readonly sentBytes: number
  /** Of the partition of which it lacks most, and of the one with which it is behind the longest. */
  readonly lagBytes: number
  readonly lagSeconds: number
}

/** Of the log cleaner. */
export interface CleanerNumbers {
  /** Compactions of a log that came to their end, and what was read and written for them. */
  readonly runs: number
  readonly readBytes: number
  readonly writtenBytes: number
  readonly lastRunSeconds: number
  /** 0 to 1, in the last run. */
  readonly keyMapUtilization: number
  /** 0 to 1, of the dirtiest log. */
  readonly maxDirtyRatio: number
  readonly uncleanablePartitions: number
  readonly uncleanableBytes: number
  readonly threadFailures: number
}

export interface ProcessNumbers {
  readonly cpuUserSeconds: number
  readonly cpuSystemSeconds: number
  /** null where it cannot be told, here as below. */
  readonly residentBytes: number | null
  readonly heapUsedBytes: number | null
  readonly openFiles: number | null
  readonly openFilesMax: number | null
  /** Seconds since 1970. */
  readonly startSeconds: number
}
