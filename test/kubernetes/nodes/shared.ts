import { describe, inject } from 'vitest'
import { NodeCluster } from '../node-cluster.ts'

/**
 * Describes scenarios on real nodes; where this machine can have none they are skipped, and say why. All files share
 * one cluster: each works in namespaces of its own, and leaves nodes and disks as it found them.
 */
export function describeOnNodes(name: string, scenarios: () => void): void {
  const why = inject('noNodes')
  if (why === '') describe(name, scenarios)
  else describe.skip(`${name} (${why})`, scenarios)
}

export function sharedCluster(): NodeCluster {
  return new NodeCluster(inject('nodeClusterFolder'))
}
