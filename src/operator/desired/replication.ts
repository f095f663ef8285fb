import type { LogCluster } from '../crd/cluster.ts'

/** Beyond three, more copies are for a user to decide. */
const factorMax = 3

/** How many brokers a cluster is declared to have. */
export function sizeOf({ spec }: Pick<LogCluster, 'spec'>): number {
  return spec.pools.reduce((sum, { brokers }) => sum + brokers, 0)
}

/**
 * How many replicas topics get that are created without a number; undefined for a broker alone, which is told nothing of it:
 * its file and its template are what they were before clusters could have more.
 */
export function replicationFactorOf(cluster: Pick<LogCluster, 'spec'>): number | undefined {
  const size = sizeOf(cluster)
  return size > 1 ? Math.min(size, factorMax) : undefined
}
