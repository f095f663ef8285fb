import { logClusters } from '../own-kinds.ts'
import { resourceOf } from './kinds.ts'
import type { Observed } from './observed.ts'
import { exactly, type Step } from './step.ts'
import { resources } from '../kubernetes/resources.ts'
import type { PersistentVolume, Stored } from '../kubernetes/objects.ts'
import type { Resource } from '../kubernetes/resources.ts'
import { reclaimAnnotation } from './storage.ts'

/** Holds a LogCluster until its volumes are deleted. It is there only where the spec wants that. */
const volumesFinalizer = 'logcluster.dev/volumes'

/** Volumes and metadata are to go with the cluster. */
export function deletesVolumes({ cluster }: Observed): boolean {
  return cluster.spec.pools.some(({ storage }) => storage.retention.whenDeleted === 'Delete')
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
 * here, where the spec says so: brokers first, since a claim in use stays; the metadata last, since it tells whose they were.
 */
export function deletionSteps(observed: Observed): Step[] {
  const { cluster, statefulSets, pods, claims } = observed
  if (!cluster.metadata.finalizers?.includes(volumesFinalizer)) return []
  if (!deletesVolumes(observed)) return [released(observed, 'volumes are kept')]
  const brokers = [...statefulSets.map(of(resources.statefulSets)), ...pods.map(of(resources.pods))]
  if (brokers.length > 0) return brokers.flatMap(remove)
  if (claims.length > 0) {
    return claims.flatMap(claim => {
      const volume = observed.volumes.get(claim.spec?.volumeName ?? '')
      const given = typeof volume === 'object' && volume !== null ? givenBack(volume) : []
      return [...given, ...remove(of(resources.persistentVolumeClaims)(claim))]
    })
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

/** A volume's reclaim policy as it was before the operator changed it. */
function givenBack(volume: PersistentVolume): Step[] {
  const before = volume.metadata.annotations?.[reclaimAnnotation]
  if (before === undefined || before === volume.spec?.persistentVolumeReclaimPolicy) return []
  return [
    {
      do: 'patch',
      resource: resources.persistentVolumes,
      exactly: exactly(volume),
      fields: { spec: { persistentVolumeReclaimPolicy: before } },
      what: `PersistentVolume ${volume.metadata.name}`,
      because: 'it goes with its claim, as its StorageClass says',
      isOptional: true,
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
