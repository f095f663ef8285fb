import { describe, inject } from 'vitest'
import { ClusterNames } from '../cluster-names.ts'
import { ApiAccess } from '../control-plane/access.ts'
import { NodeCluster } from '../node-cluster.ts'

/**
 * Describes scenarios on a cluster that has nodes, be it ours or one that CLUSTER_KUBECONFIG leads to. Where there is
 * none they are skipped, and say why. All files share it: each works in namespaces of its own.
 */
export function describeOnCluster(name: string, scenarios: () => void): void {
  describeWhere(name, inject('noCluster'), scenarios)
}

/** The same where nodes and disks are ours to break; each scenario leaves them as it found them. */
export function describeOnNodes(name: string, scenarios: () => void): void {
  describeWhere(name, inject('noNodes'), scenarios)
}

function describeWhere(name: string, why: string, scenarios: () => void): void {
  if (why === '') describe(name, scenarios)
  else describe.skip(`${name} (${why})`, scenarios)
}

/** For `describeOnNodes`. */
export function sharedCluster(): NodeCluster {
  return new NodeCluster(inject('nodeClusterFolder'))
}

/** For `describeOnCluster`: the API server, and the names that pods go by. */
export function sharedAccess(): { readonly plane: ApiAccess; readonly names: ClusterNames } {
  const plane = new ApiAccess(inject('nodeClusterFolder'))
  return { plane, names: new ClusterNames(inject('clusterDns')) }
}
