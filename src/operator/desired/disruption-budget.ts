import type { LogCluster } from '../crd/cluster.ts'
import type { DraftOf, PodDisruptionBudget } from '../kubernetes/objects.ts'
import { brokerSelector, clusterLabels, ownedBy } from './labels.ts'
import { names } from './names.ts'

/**
 * Drains take one broker at a time. One of several that is behind may be evicted while all others serve, and not beside another that is
 * behind: together they may be what `min.insync.replicas` needs. One alone that does not serve never makes a drain wait: of a single
 * broker the budget would never be healthy (KEP-3017).
 */
export function disruptionBudget(cluster: LogCluster): DraftOf<PodDisruptionBudget> {
  const { namespace, name } = cluster.metadata
  const brokers = cluster.spec.pools.reduce((sum, pool) => sum + pool.brokers, 0)
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
      unhealthyPodEvictionPolicy: brokers > 1 ? 'IfHealthyBudget' : 'AlwaysAllow',
      selector: { matchLabels: brokerSelector(name) },
    },
  }
}
