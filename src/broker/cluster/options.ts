import type { Address, Env } from '../../env/env.ts'
import type { Uuid } from '../../lib/uuid.ts'
import type { Office } from './office.ts'
import type { OpenedCluster } from './peer-service.ts'
import type { Registration } from './controller/commands.ts'
import type { ConfigRules } from './controller/alter-configs.ts'
import type { TopicRules } from './controller/create-topics.ts'
import type { MetadataCopy } from '../metadata/copy/metadata-copy.ts'
import type { ListenerAddress } from '../metadata/records.ts'
import type { MetadataStore } from '../metadata/store.ts'
import type { PeerConnections } from './peers.ts'
import type { PresenceOptions } from './presence.ts'

export interface ClusterOptions {
  readonly env: Pick<Env, 'clock' | 'random'>
  /** The cluster closes it, also where it does not start. */
  readonly store: MetadataStore
  /**
   * This broker's own copy of the store's log, where the store is not on its disk: the broker then serves from it while the
   * store does not answer, or does not hold what this broker followed. The cluster closes it too.
   */
  readonly copy?: MetadataCopy
  readonly brokerId: number
  readonly rack?: string | null
  /** Of the directory that this broker's logs lie in. Default: the one that stands for brokers of older versions. */
  readonly directoryId?: Uuid
  /** Where clients reach this broker, by listener name. */
  readonly listeners: readonly ListenerAddress[]
  /** Where other brokers reach this one's private listener; null: nowhere. Default null. */
  readonly peer?: Address | null
  /** The way to other brokers; without it this one is alone. The cluster closes it. */
  readonly peers?: PeerConnections
  /** What -1 in a TopicWish stands for. */
  readonly defaults: { readonly partitionCount: number; readonly replicationFactor: number }
  readonly limits?: {
    /** Partitions that one request may create. Default 10,000. */
    readonly requestPartitionCountMax?: number
    /** Partitions of all topics. Default 100,000. */
    readonly clusterPartitionCountMax?: number
  }
  /** What is wrong with a topic's overrides, for the client; null where nothing is. Default: nothing ever is. */
  readonly validateConfigs?: TopicRules['validateConfigs']
  /** What brokers' settings may be while they run, and groups' configs. Default: anything, and nothing is a list. */
  readonly configRules?: Omit<ConfigRules, 'validateConfigs'>
  /** Brokers that the cluster is declared to have; 0, the default, where nobody said so: as many as are registered. */
  readonly clusterSize?: number
  /** How topics are made that brokers write and clients may not. Default: there are none. */
  readonly internalTopics?: TopicRules['internalTopics']
  /** Where given: the id of a new cluster, and what the store must hold. */
  readonly clusterId?: Uuid
  /** False: other brokers may be registered too. Default true. */
  readonly isSoleBroker?: boolean
  /** How long a store that does not answer is left alone. Default 500. */
  readonly retryDelayMs?: number
  /** Ids of one producer-id block. Default 10,000. */
  readonly producerIdBlockCount?: number
  /**
   * What this start has to tell of its disk, once `cluster` has an image and before the broker is registered: whoever opens and
   * recovers logs does it here (durability.md 3.1). Default: nothing is known.
   */
  readonly facts?: (cluster: OpenedCluster) => Promise<StartFacts>
  /**
   * Told of what begins before anything comes of it: whoever counts what this broker decides must not miss what it decides while it
   * starts. Told again, of another one, where somebody else came first.
   */
  readonly begun?: (cluster: BegunCluster) => void
  /** The controller registered this broker, in this epoch; told when it answers, which may be long before the image has it. */
  readonly registered?: (epoch: number) => void
  /** A count that rises on this broker's disk, told in signs of life (durability.md 3.1). Default: they are counted. */
  readonly beat?: () => number
  /** What came of each sign of life, and after how many seconds. */
  readonly beaten?: PresenceOptions['beaten']
  readonly timers?: {
    /** Between two signs of life (broker.heartbeat.interval.ms). Default 1,000. */
    readonly heartbeatIntervalMs?: number
    /** Without one for so long a broker counts as dead (broker.session.timeout.ms). Default 6,000. */
    readonly sessionTimeoutMs?: number
  }
  readonly warn?: (message: string, fields: Readonly<Record<string, unknown>>) => void
  /** The broker stands on its own copy from now on, or for another reason; null: no longer. */
  readonly onStandAlone?: (reason: StandAlone | null) => void
}

/** A cluster of which not more may be known than that it begins. Its properties are as those of `Cluster`. */
export interface BegunCluster extends OpenedCluster {
  readonly controllerId: number
  readonly office: Office | null
  readonly isWaiting: boolean
  readonly standsAlone: StandAlone | null
}

/** What a broker knows of its disk when it registers. */
export type StartFacts = Pick<Registration, 'directoryId' | 'startClass' | 'damaged' | 'beat'>

/** Why a broker serves from its own copy of the metadata, and nothing of it can be changed. */
export interface StandAlone {
  /** `quarantine`: the store answers, and what it holds is not what this broker followed. */
  readonly kind: 'outage' | 'quarantine'
  readonly message: string
}
