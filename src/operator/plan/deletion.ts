import type { LogCluster } from '../crd/cluster.ts'
import { claimAnnotations } from '../desired/claim.ts'
import { logClusters } from '../own-kinds.ts'
import { resourceOf } from './kinds.ts'
import type { Observed } from './observed.ts'
import { exactly, type Step } from './step.ts'
import { resources } from '../kubernetes/resources.ts'
import type { PersistentVolumeClaim, Stored } from '../kubernetes/objects.ts'
import type { Resource } from '../kubernetes/resources.ts'
import { givenBack } from './storage.ts'

/** Holds a LogCluster until volumes of its are deleted. It is there only where the spec wants that of a pool. */
const volumesFinalizer = 'logcluster.dev/volumes'

/** Volumes of a pool at least are to go with the cluster. */
export function deletesVolumes({ cluster }: Observed): boolean {
  return poolsToDelete(cluster).size > 0
}

function poolsToDelete({ spec }: LogCluster): ReadonlySet<string | undefined> {
  const all = spec.pools.filter(({ storage }) => storage.retention.whenDeleted === 'Delete')
  return new Set(all.map(({ name }) => name))
}

/**
 * Whose claims are to go: those of this very cluster, and of pools whose spec says so. A pool that was taken out of the list says
 * nothing any more, and its claims are kept as they were promised to be.
 */
function isDoomed({ metadata }: PersistentVolumeClaim, cluster: LogCluster): boolean {
  const { annotations = {} } = metadata
  return (
    poolsToDelete(cluster).has(annotations[claimAnnotations.pool]) &&
    annotations[claimAnnotations.clusterId] === cluster.status.clusterId
  )
}

/** The finalizer, as the spec wants it. */
export function finalizerSteps(observed: Observed): Step[] {
  const { cluster } = observed
  const found = cluster.metadata.finalizers ?? []
  const isThere = found.includes(volumesFinalizer)
  if (isThere === deletesVolumes(observed)) return []
  return [
    isThere
      ? released(observed, 'volumes are kept when the cluster is deleted')
      : setFinalizers(observed, [...found, volumesFinalizer], 'volumes go with the cluster'),
  ]
}

/**
 * What is left to do for a cluster that is being deleted. Kubernetes removes what it owns. Volumes and metadata are removed
 * here, where the spec says so: brokers first, since a claim in use stays; the metadata last, since it tells whose they were,
 * and only where no volume is kept: what is on that is read by it.
 */
export function deletionSteps(observed: Observed): Step[] {
  const { cluster, statefulSets, pods, claims } = observed
  if (!cluster.metadata.finalizers?.includes(volumesFinalizer)) return []
  if (!deletesVolumes(observed)) return [released(observed, 'volumes are kept')]
  const brokers = [...statefulSets.map(of(resources.statefulSets)), ...pods.map(of(resources.pods))]
  if (brokers.length > 0) return brokers.flatMap(remove)
  const doomed = claims.filter(claim => isDoomed(claim, cluster))
  if (doomed.length > 0) {
    return doomed.flatMap(claim => [
      ...givenBack(claim, observed),
      ...remove(of(resources.persistentVolumeClaims)(claim)),
    ])
  }
  if (claims.length > 0) {
    return [released(observed, 'its volumes that were to go are deleted, and others are kept')]
  }
  const rest = observed.outliving.flatMap(object =>
    remove({ resource: resourceOf(object), object }),
  )
  return rest.length > 0 ? rest : [released(observed, 'its volumes are deleted')]
}

interface Target {
  readonly resource: Resource<Stored>
  readonly object: Stored
}

function of(resource: Resource<Stored>): (object: Stored) => Target {
  return object => ({ resource, object })
}

function remove({ resource, object }: Target): Step[] {
  if (object.metadata.deletionTimestamp !== undefined) return []
  return [
    {
      do: 'delete',
      resource,
      exactly: exactly(object),
      what: `${resource.kind} ${object.metadata.name}`,
      because: 'the cluster is deleted, and whenDeleted is Delete',
    },
  ]
}

function released(observed: Observed, because: string): Step {
  const rest = (observed.cluster.metadata.finalizers ?? []).filter(
    each => each !== volumesFinalizer,
  )
  return setFinalizers(observed, rest, because)
}

function setFinalizers(
  { cluster }: Observed,
  finalizers: readonly string[],
  because: string,
): Step {
  return {
    do: 'patch',
    resource: logClusters,
    exactly: exactly(cluster),
    fields: { metadata: { finalizers } },
    what: `LogCluster ${cluster.metadata.name}`,
    because,
  }
}
