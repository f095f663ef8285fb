import type { OwnerReference } from '../kubernetes/objects.ts'
import type { LogCluster } from '../crd/cluster.ts'

/** What an object is for, in `app.kubernetes.io/component`. */
export type Component = 'broker' | 'check' | 'cluster' | 'metadata'

export type Labels = Readonly<Record<string, string>>

/** Label keys of ours; values are names of a LogCluster and of a LogBroker. */
export const clusterLabel = 'logcluster.dev/cluster'
export const brokerLabel = 'logcluster.dev/broker'
export const managedByLabel = 'app.kubernetes.io/managed-by'
export const componentLabel = 'app.kubernetes.io/component'

/** On everything that belongs to a cluster. No version among them: whoever selects by them, or restarts by them, must not see a new operator. */
export function clusterLabels(cluster: string, component: Component): Labels {
  return {
    'app.kubernetes.io/name': 'logcluster',
    'app.kubernetes.io/instance': cluster,
    [managedByLabel]: 'logcluster-operator',
    [componentLabel]: component,
    [clusterLabel]: cluster,
    // What metrics call it: Prometheus takes labels of its targets along.
    logcluster: cluster,
  }
}

/** As `clusterLabels`, of what belongs to one broker. */
export function brokerLabels(cluster: string, broker: string, component: Component): Labels {
  return { ...clusterLabels(cluster, component), [brokerLabel]: broker }
}

/** By what Services and budgets find the brokers of a cluster. */
export function brokerSelector(cluster: string): Labels {
  return { [clusterLabel]: cluster, [componentLabel]: 'broker' }
}

/** By what one broker is found; for good, since a StatefulSet cannot change it. */
export function podSelector(cluster: string, broker: string): Labels {
  return { ...brokerSelector(cluster), [brokerLabel]: broker }
}

/** Who owns what goes with the cluster. What outlives it (claims, identities, the metadata ring) has no owner. */
export function ownedBy(cluster: LogCluster): readonly OwnerReference[] {
  return [
    {
      apiVersion: cluster.apiVersion,
      kind: cluster.kind,
      name: cluster.metadata.name,
      uid: cluster.metadata.uid,
      controller: true,
      blockOwnerDeletion: true,
    },
  ]
}
