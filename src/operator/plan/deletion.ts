import type { LogCluster } from '../crd/cluster.ts'
import { claimAnnotations } from '../desired/claim.ts'
import { logClusters } from '../own-kinds.ts'
import { resourceOf } from './kinds.ts'
import { tooOldFor } from './operator-versions.ts'
import type { Observed } from './observed.ts'
import { exactly, type Step } from './step.ts'
import { resources } from '../kubernetes/resources.ts'
import type { PersistentVolumeClaim, Pod, Stored } from '../kubernetes/objects.ts'
import type { Resource } from '../kubernetes/resources.ts'
import { givenBack } from './storage.ts'

/** Holds a LogCluster until volumes of its are deleted. It is there only where the spec wants that of a pool. */
const volumesFinalizer = 'logcluster.dev/volumes'

/** The cluster is on its way out, and this operator is not too old to see to that. */
export function isEnding({
  cluster,
  operatorVersion,
}: Pick<Observed, 'cluster' | 'operatorVersion'>): boolean {
  const isGoing = cluster.metadata.deletionTimestamp !== undefined
  return isGoing && tooOldFor(cluster, operatorVersion) === null
}

/** There is something left to do before the cluster may be gone. */
export function isHeld({ cluster }: Pick<Observed, 'cluster'>): boolean {
  return cluster.metadata.finalizers?.includes(volumesFinalizer) === true
}

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
  if (!isHeld(observed)) return []
  if (!deletesVolumes(observed)) return [released(observed, 'volumes are kept')]
  const left = leftOf(observed)
  if (left.length > 0) {
    return left.flatMap(target => [...givenBackOf(target, observed), ...remove(target)])
  }
  const isAll = observed.claims.length === 0
  const others = 'its volumes that were to go are deleted, and others are kept'
  return [released(observed, isAll ? 'its volumes are deleted' : others)]
}

/** What has to be gone before anything else is deleted; none where all is. */
function leftOf({ cluster, statefulSets, pods, claims, outliving }: Observed): readonly Target[] {
  const brokers = [...statefulSets.map(of(resources.statefulSets)), ...pods.map(of(resources.pods))]
  if (brokers.length > 0) return brokers
  const doomed = claims.filter(claim => isDoomed(claim, cluster))
  if (doomed.length > 0) return doomed.map(of(resources.persistentVolumeClaims))
  if (claims.length > 0) return []
  return outliving.map(object => ({ resource: resourceOf(object), object }))
}

/** What was deleted and is there all the same, and who can let it go; null where nothing is. */
export function deletionWait(observed: Observed): string | null {
  if (!isHeld(observed)) return null
  const going = leftOf(observed).filter(({ object }) => object.metadata.deletionTimestamp)
  const [first] = going
  if (first === undefined) return null
  const { kind } = first.resource
  const { name, finalizers = [] } = first.object.metadata
  const others = going.length === 1 ? '' : ` (and ${going.length - 1} others)`
  const held =
    finalizers.length === 0 ? '' : ` Whoever set its finalizers holds it: ${finalizers.join(', ')}.`
  return `${kind} ${name}${others} to be gone.${kind === 'Pod' ? onNode(first.object as Pod) : ''}${held}`
}

function onNode({ spec }: Pod): string {
  const node = spec?.nodeName
  if (node === undefined) return ''
  return ` Its node ${node} has to say that it ended: where that node does not come back, delete the Node.`
}

function givenBackOf({ resource, object }: Target, observed: Observed): Step[] {
  const isClaim = resource.kind === 'PersistentVolumeClaim'
  return isClaim ? givenBack(object as PersistentVolumeClaim, observed) : []
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
