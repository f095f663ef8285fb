import type { BrokerStatus, ClusterPlaces, DescribedConfig } from '../brokers/brokers.ts'
import type { LogBroker } from '../crd/broker.ts'
import type { LogCluster } from '../crd/cluster.ts'
import type { RingNames } from '../desired/access.ts'
import type { SecretState } from '../desired/secret.ts'
import type {
  ConfigMap,
  Draft,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Service,
  StatefulSet,
  StorageClass,
  Stored,
} from '../kubernetes/objects.ts'

/** What a look at an object of the whole Kubernetes cluster gave: null, there is none; `forbidden`, our role has no right to look. */
export type Look<Object> = Object | null | 'forbidden'

/** What a broker said when it was asked. */
export type Sight =
  | {
      readonly kind: 'seen'
      readonly status: BrokerStatus
      /** What is in force at it, by setting; null where it did not say. */
      readonly configs: ReadonlyMap<string, DescribedConfig> | null
    }
  | {
      readonly kind: 'silent'
      /** For how long it has not answered, in milliseconds. */
      readonly forMs: number
      /** It does not believe our password. */
      readonly isRefused: boolean
      readonly message: string
    }

/** What is known of the Secret of the private listeners, without its passwords. */
export type SecretSight = SecretState

/** What the ring of the metadata log is before a cluster is born; nobody looks later. */
export type RingSight =
  | { readonly kind: 'absent' }
  | { readonly kind: 'present'; readonly clusterId: string }

/** What is made of a cluster's metadata: by `broker/metadata/kubernetes`. */
export interface Ring {
  readonly names: RingNames
  /** What is POSTed for a cluster that begins, or whose ring is to be filled from the copies on its disks. */
  objects(clusterId: string, from: 'nothing' | 'disks'): readonly Draft[]
}

/** An object of another LogCluster, of a name that is wanted for a broker. */
export interface Stranger {
  readonly object: Stored
  /** Of the broker. */
  readonly pool: string
}

/** Everything that one pass decides by, from one moment as far as caches go. */
export interface Observed {
  /** When it was looked, in milliseconds since 1970. */
  readonly nowMs: number
  readonly cluster: LogCluster
  readonly logBrokers: readonly LogBroker[]
  readonly statefulSets: readonly StatefulSet[]
  readonly pods: readonly Pod[]
  readonly claims: readonly PersistentVolumeClaim[]
  readonly configMaps: readonly ConfigMap[]
  readonly services: readonly Service[]
  /** Of the other kinds that are applied. */
  readonly others: readonly Stored[]
  /** The metadata ring and the identities: looked at only where they are to be deleted with the cluster. */
  readonly outliving: readonly Stored[]
  /** Whoever else has names of what it would need; looked at only before a cluster is born. */
  readonly strangers: readonly Stranger[]
  /** Of the Secret of the private listeners; null where it is not there. */
  readonly secret: SecretSight | null
  readonly ring: RingSight
  /** The brokers' Lease is there, as far as anybody knows. */
  readonly hasLease: boolean
  /** By name, those that claims of the cluster are bound to. */
  readonly volumes: ReadonlyMap<string, Look<PersistentVolume>>
  /** By name, those of claims that are not bound, or are to be larger. */
  readonly storageClasses: ReadonlyMap<string, Look<StorageClass>>
  /** By name, those that brokers wait for. */
  readonly nodes: ReadonlyMap<string, Look<Node>>
  /** By name of the LogBroker; none where there is nobody to ask. */
  readonly sights: ReadonlyMap<string, Sight>
  /** Who holds the internal topics, and how much is on its way, as of a moment ago; null where that decides nothing, or nobody told. */
  readonly glance: ClusterPlaces | null
  /** Who holds which partition; null where that decides nothing, or nobody told. */
  readonly places: ClusterPlaces | null
  /** Checks that the API server would not make, by name of the pod, and what it said. */
  readonly refusedChecks: ReadonlyMap<string, string>
  readonly defaults: ImageDefaults
  /** Of the operator that looks. */
  readonly operatorVersion: string
}

/** What stands for `spec.image.repository` and `spec.version` where a new cluster gives none. */
export interface ImageDefaults {
  readonly repository: string
  readonly version: string
}
