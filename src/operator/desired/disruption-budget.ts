import type { LogCluster } from '../crd/cluster.ts'
import type { DraftOf, PodDisruptionBudget } from '../kubernetes/objects.ts'
import { brokerSelector, clusterLabels, ownedBy } from './labels.ts'
import { names } from './names.ts'

/** Drains take one broker at a time, and one that does not serve anyway never makes them wait. */
export function disruptionBudget(cluster: LogCluster): DraftOf<PodDisruptionBudget> {
  const { namespace, name } = cluster.metadata
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
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: brokerSelector(name) },
    },
  }
}
