import { type DiskIdentity, identityData } from '../../kubernetes/disk-identity.ts'
import type { LogCluster } from '../crd/cluster.ts'
import type { ConfigMap, DraftOf } from '../kubernetes/objects.ts'
import { claimAnnotations } from './claim.ts'
import type { BrokerFacts } from './facts.ts'
import { brokerLabels } from './labels.ts'
import { names } from './names.ts'

/** Written by the operator only: made by a POST, changed by compare-and-swap. It outlives the cluster, as the disk does. */
export function identityMap(
  cluster: LogCluster,
  broker: BrokerFacts,
  identity: DiskIdentity,
): DraftOf<ConfigMap> {
  const { namespace, name } = cluster.metadata
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      namespace,
      name: names.identity(broker.name),
      labels: brokerLabels(name, broker.name, 'broker'),
      annotations: { [claimAnnotations.clusterId]: identity.clusterId },
    },
    data: identityData(identity),
  }
}
