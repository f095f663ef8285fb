import { genesisObjects } from '../broker/metadata/kubernetes/genesis.ts'
import { ringConfigMapNames, ringNames } from '../broker/metadata/kubernetes/names.ts'
import { claimAnnotations } from './desired/claim.ts'
import { clusterLabels } from './desired/labels.ts'
import type { Draft } from './kubernetes/objects.ts'
import { resources } from './kubernetes/resources.ts'
import type { Ring } from './plan/observed.ts'

/**
 * The metadata ring of one cluster: which objects, and what is POSTed once. It has no owner, so that it outlives its
 * LogCluster as the disks do, and says by an annotation whose it is.
 */
export function ringOf(namespace: string, cluster: string): Ring {
  return {
    names: { configMaps: ringConfigMapNames(cluster), leases: [ringNames(cluster).lease] },
    objects: (clusterId, from) =>
      genesisObjects({ cluster, clusterId, from }).map(({ kind, name, ...body }): Draft => {
        const { apiVersion } = kind === 'Lease' ? resources.leases : resources.configMaps
        const labels = clusterLabels(cluster, 'metadata')
        const annotations = { [claimAnnotations.clusterId]: clusterId }
        const metadata = { namespace, name, labels, annotations }
        return { apiVersion, kind, metadata, ...body }
      }),
  }
}
