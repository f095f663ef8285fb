import type { ConfigMap, DraftOf } from '../kubernetes/objects.ts'
import { brokerLabels, ownedBy } from './labels.ts'
import { configurationName, type BrokerPod } from './pod-template.ts'
import { brokerProperties } from './properties.ts'

/** The broker's file. It never changes: a pod that starts again finds what it was started with. */
export function configuration(pod: BrokerPod): DraftOf<ConfigMap> {
  const { cluster, broker, fixed } = pod
  const { namespace, name } = cluster.metadata
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      namespace,
      name: configurationName(pod),
      labels: brokerLabels(name, broker.name, 'broker'),
      ownerReferences: ownedBy(cluster),
    },
    immutable: true,
    data: { 'broker.properties': brokerProperties(cluster, broker, fixed) },
  }
}
