import type { LogCluster } from '../crd/cluster.ts'
import type { DraftOf, PodDisruptionBudget } from '../kubernetes/objects.ts'
import { brokerSelector, clusterLabels, ownedBy } from './labels.ts'
import { names } from './names.ts'
import { sizeOf } from './replication.ts'

/**
 * Drains take one broker at a time. One of several that is behind may be evicted while all others serve, and not beside another that is
 * behind: together they may be what `min.insync.replicas` needs. One alone that does not serve never makes a drain wait: of a single
 * broker the budget would never be healthy (KEP-3017). Those that leave count among the `brokerCount` until they have.
 */
export function disruptionBudget(
  cluster: LogCluster,
  brokerCount: number,
): DraftOf<PodDisruptionBudget> {
  const { namespace, name } = cluster.metadata
  const isAlone = sizeOf(cluster) < 2 && brokerCount < 2
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: {
      namespace,
      name: names.disruptionBudget(name),
      labels: clusterLabels(name, 'cluster'),
      ownerReferences: ownedBy(cluster),
    },
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: isAlone ? 'AlwaysAllow' : 'IfHealthyBudget',
      selector: { matchLabels: brokerSelector(name) },
    },
  }
}
