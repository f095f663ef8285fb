import type { LogCluster, PoolSpec } from '../crd/cluster.ts'
import type { DraftOf, PersistentVolumeClaim } from '../kubernetes/objects.ts'
import type { BrokerFacts } from './facts.ts'
import { brokerLabels } from './labels.ts'
import { claimName } from './names.ts'

/** What a claim tells of the disk behind it, to whoever finds it without its cluster. */
export const claimAnnotations = {
  clusterId: 'logcluster.dev/cluster-id',
  brokerId: 'logcluster.dev/broker-id',
  incarnation: 'logcluster.dev/incarnation',
  pool: 'logcluster.dev/pool',
  slot: 'logcluster.dev/slot',
  /** Of the data directory; there once it was recorded. */
  directoryId: 'logcluster.dev/directory-id',
  /** Its broker was emptied and left the cluster: whoever adopts the others does without it. */
  left: 'logcluster.dev/left',
} as const

/** The claim of a broker's disk. It has no owner: what is on it outlives the cluster's objects. */
export function claim(
  cluster: LogCluster,
  pool: PoolSpec,
  broker: BrokerFacts,
): DraftOf<PersistentVolumeClaim> {
  const { namespace, name } = cluster.metadata
  const volume = pool.storage.volumes[0]!
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      namespace,
      name: claimName(pool, broker),
      labels: brokerLabels(name, broker.name, 'broker'),
      annotations: {
        [claimAnnotations.clusterId]: broker.clusterId,
        [claimAnnotations.brokerId]: String(broker.brokerId),
        [claimAnnotations.incarnation]: String(broker.incarnation),
        [claimAnnotations.pool]: broker.pool,
        [claimAnnotations.slot]: String(broker.slot),
      },
    },
    spec: {
      accessModes: ['ReadWriteOnce'],
      ...(volume.storageClassName === undefined
        ? {}
        : { storageClassName: volume.storageClassName }),
      resources: { requests: { storage: String(volume.size) } },
    },
  }
}
