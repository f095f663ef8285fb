import { clusterLabel } from './desired/labels.ts'
import type { Clock } from '../env/clock.ts'
import type { Random } from '../env/random.ts'
import type { LogBroker } from './crd/broker.ts'
import type { LogCluster } from './crd/cluster.ts'
import type { LogTopic } from './crd/topic.ts'
import type { Cache } from './kubernetes/cache.ts'
import type { Change } from './kubernetes/informer-state.ts'
import { Informers } from './kubernetes/informers.ts'
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
  Stored,
} from './kubernetes/objects.ts'
import { resources, type Resource } from './kubernetes/resources.ts'
import type { WatchApi } from './kubernetes/watch-api.ts'
import { logBrokers, logClusters, logTopics } from './own-kinds.ts'

const ours = 'app.kubernetes.io/managed-by=logcluster-operator'
/** The ring of the metadata log changes with each command of a broker, and is none of the operator's business. */
const oursButMetadata = `${ours},app.kubernetes.io/component!=metadata`

/**
 * What the operator knows of the world without asking, by kind. Each is indexed by `namespace/name` of the LogCluster
 * that an object belongs to. Secrets are not here: to watch them is a right to read all of them.
 */
export interface Caches {
  readonly logClusters: Cache<LogCluster>
  readonly logTopics: Cache<LogTopic>
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

export interface WatchOptions {
  readonly api: WatchApi
  readonly clock: Clock
  readonly random: Random
  /** Only these namespaces; all where empty. */
  readonly namespaces: readonly string[]
  /** Something of this LogCluster changed, itself or what belongs to it: `namespace/name`. */
  readonly onCluster: (key: string) => void
  /** The topics of this LogCluster want a look. */
  readonly onTopics: (key: string) => void
  readonly onFailure: (kind: string, reason: string) => void
  readonly signal: AbortSignal
}

/** Every condition of our own kinds, for metrics. */
export function* conditionsIn({
  logClusters: clusters,
  logTopics: topics,
  logBrokers: brokers,
}: Caches): Iterable<{ readonly kind: string; readonly type: string; readonly status: string }> {
  for (const cache of [clusters, topics, brokers]) {
    for (const { kind, status } of cache.all()) {
      for (const condition of status.conditions ?? []) {
        yield { kind, type: condition.type, status: condition.status }
      }
    }
  }
}

/** What is behind the caches: they run, and tell whose turn it is. */
export interface Watches {
  readonly caches: Caches
  readonly informers: readonly Pick<
    Informers<Stored>,
    'kind' | 'size' | 'isSynced' | 'synced' | 'run'
  >[]
}

/** Follows every kind that the operator's decisions rest on. */
export function watch(options: WatchOptions): Watches {
  const { onCluster, onTopics } = options
  const both = (key: string): void => {
    onCluster(key)
    onTopics(key)
  }
  const owned = <Object extends Stored>(
    resource: Resource<Object>,
    labelSelector = ours,
  ): Informers<Object> =>
    follow(options, resource, { indexOf: byLabel, labelSelector, tell: onCluster })
  const byReference = { indexOf: byClusterRef, labelSelector: undefined }
  const caches = {
    logClusters: follow(options, logClusters, { ...byReference, indexOf: itself, tell: both }),
    logTopics: follow(options, logTopics, { ...byReference, tell: onTopics }),
    logBrokers: follow(options, logBrokers, { ...byReference, tell: onCluster }),
    statefulSets: owned(resources.statefulSets),
    pods: owned(resources.pods),
    services: owned(resources.services),
    configMaps: owned(resources.configMaps, oursButMetadata),
    persistentVolumeClaims: owned(resources.persistentVolumeClaims),
    podDisruptionBudgets: owned(resources.podDisruptionBudgets),
    serviceAccounts: owned(resources.serviceAccounts),
    roles: owned(resources.roles),
    roleBindings: owned(resources.roleBindings),
  }
  return { caches, informers: Object.values(caches) }
}

interface Following<Object> {
  readonly indexOf: (object: Object) => string | null
  readonly labelSelector: string | undefined
  readonly tell: (key: string) => void
}

function follow<Object extends Stored>(
  { api, clock, random, namespaces, onFailure, signal }: WatchOptions,
  resource: Resource<Object>,
  { indexOf, labelSelector, tell }: Following<Object>,
): Informers<Object> {
  const onChange = ({ before, after }: Change<Object>): void => {
    const was = before === null ? null : indexOf(before)
    const is = after === null ? null : indexOf(after)
    if (was !== null && was !== is) tell(was)
    if (is !== null) tell(is)
  }
  return new Informers(
    {
      api,
      clock,
      random,
      resource,
      scope: labelSelector === undefined ? {} : { labelSelector },
      indexOf,
      onChange,
      onFailure: reason => onFailure(resource.kind, reason),
      signal,
    },
    namespaces,
  )
}

function itself({ metadata: { namespace = '', name } }: Stored): string {
  return `${namespace}/${name}`
}

function byLabel({ metadata: { namespace = '', labels } }: Stored): string | null {
  const cluster = labels?.[clusterLabel]
  return cluster === undefined ? null : `${namespace}/${cluster}`
}

function byClusterRef({ metadata, spec }: LogTopic | LogBroker): string {
  return `${metadata.namespace}/${spec.clusterRef.name}`
}
