import type { DraftOf, StatefulSet } from '../kubernetes/objects.ts'
import { brokerLabels, ownedBy, podSelector } from './labels.ts'
import { names } from './names.ts'
import { podTemplate, type BrokerPod } from './pod-template.ts'

/**
 * One broker. Its pod comes back while no operator runs, and never twice; a change of the template waits until the
 * operator deletes the pod. It makes no claims: a claim that is missing leaves the pod Pending, with a reason.
 */
export function statefulSet(pod: BrokerPod): DraftOf<StatefulSet> {
  const { cluster, broker, isHeld = false } = pod
  const { namespace, name } = cluster.metadata
  const labels = brokerLabels(name, broker.name, 'broker')
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { namespace, name: broker.name, labels, ownerReferences: ownedBy(cluster) },
    spec: {
      replicas: cluster.spec.state === 'Hibernated' && !isHeld ? 0 : 1,
      serviceName: names.headlessService(name),
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'OnDelete' },
      revisionHistoryLimit: 3,
      selector: { matchLabels: podSelector(name, broker.name) },
      template: podTemplate(pod),
    },
  }
}
