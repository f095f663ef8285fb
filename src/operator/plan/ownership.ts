import type { LogCluster } from '../crd/cluster.ts'
import { clusterLabel, managedByLabel, clusterLabels } from '../desired/labels.ts'
import type { Stored } from '../kubernetes/objects.ts'

const ours = clusterLabels('', 'cluster')[managedByLabel]

/** Whether an object is of this cluster, or of an earlier one of its name: by a name alone it may be anybody's. */
export function isOf(
  { metadata: { labels, ownerReferences } }: Stored,
  { metadata: { name, uid } }: LogCluster,
): boolean {
  if (ownerReferences?.some(owner => owner.uid === uid) === true) return true
  return labels?.[managedByLabel] === ours && labels?.[clusterLabel] === name
}

/** Whether it is that of another LogCluster. */
export function isOfAnother(object: Stored, cluster: LogCluster): boolean {
  return object.metadata.labels?.[managedByLabel] === ours && !isOf(object, cluster)
}

/** Of whom an object that is not the cluster's is, to follow "is". */
export function whose({ metadata: { labels, ownerReferences } }: Stored): string {
  const manager = labels?.[managedByLabel]
  if (manager === ours) return `that of LogCluster ${labels?.[clusterLabel]}`
  const [owner] = ownerReferences ?? []
  if (owner !== undefined) return `that of ${owner.kind} ${owner.name}`
  if (manager !== undefined) return `managed by ${manager}`
  return `somebody else's (it has no label ${clusterLabel})`
}
