import type { Clock } from '../../env/clock.ts'
import type { Random } from '../../env/random.ts'
import type { Brokers } from '../brokers/brokers.ts'
import type { LogBroker } from '../crd/broker.ts'
import type { LogCluster } from '../crd/cluster.ts'
import type { KubernetesApi } from '../kubernetes/api.ts'
import type { Cache } from '../kubernetes/cache.ts'
import type { Events } from '../kubernetes/events.ts'
import type {
  ConfigMap,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  Role,
  RoleBinding,
  Service,
  ServiceAccount,
  StatefulSet,
} from '../kubernetes/objects.ts'
import type { Ring } from '../plan/observed.ts'

/** What watches have told, by kind; each is indexed by `namespace/name` of the LogCluster that an object is of. */
export interface ClusterCaches {
  readonly logClusters: Cache<LogCluster>
  readonly logBrokers: Cache<LogBroker>
  readonly statefulSets: Cache<StatefulSet>
  readonly pods: Cache<Pod>
  readonly services: Cache<Service>
  /** Without those of the metadata ring. */
  readonly configMaps: Cache<ConfigMap>
  readonly persistentVolumeClaims: Cache<PersistentVolumeClaim>
  readonly podDisruptionBudgets: Cache<PodDisruptionBudget>
  readonly serviceAccounts: Cache<ServiceAccount>
  readonly roles: Cache<Role>
  readonly roleBindings: Cache<RoleBinding>
}

/** What a log line may say; messages are constant, what differs is a field. */
export interface ClusterLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** What the passes of LogClusters decide by and act with. */
export interface ClusterParts {
  readonly api: KubernetesApi
  readonly caches: ClusterCaches
  readonly events: Events
  readonly brokers: Brokers
  readonly clock: Clock
  readonly random: Random
  readonly logger: ClusterLog
  /** `repository:tag` of brokers whose LogCluster names no image. */
  readonly defaultImage: string
  /** The metadata ring of one cluster, by its name and namespace. */
  readonly ringOf: (namespace: string, name: string) => Ring
}
