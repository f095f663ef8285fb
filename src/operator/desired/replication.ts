import type { LogCluster } from '../crd/cluster.ts'

/** Beyond three, more copies are for a user to decide. */
const factorMax = 3

/** How many replicas internal topics are to have: as many as brokers make them with. */
export function internalFactorOf({ spec }: Pick<LogCluster, 'spec'>): number {
  const given = Number(spec.config['offsets.topic.replication.factor'] ?? factorMax)
  return Math.min(sizeOf({ spec }), Number.isInteger(given) && given > 0 ? given : factorMax)
}

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
