import type { PoolSpec } from '../crd/cluster.ts'
import type { DraftOf, Pod } from '../kubernetes/objects.ts'
import { brokerLabels, ownedBy } from './labels.ts'
import { names } from './names.ts'
import {
  checkHash,
  container,
  files,
  placement,
  pullSecrets,
  quantities,
  runAs,
  type BrokerPod,
} from './pod-template.ts'
import { places } from './properties.ts'

/**
 * Tries image and settings where the broker runs, before the broker itself is touched. It needs no room (it requests none),
 * sees no data (no claim) and may do nothing (no token).
 */
export function checkPod(pod: BrokerPod, node: string): DraftOf<Pod> {
  const { cluster, broker } = pod
  const { namespace, name } = cluster.metadata
  const { ports: _, ...checked } = container(pod)
  const { tolerations } = placement(pod)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace,
      name: names.checkPod(broker.name, checkHash(pod)),
      labels: brokerLabels(name, broker.name, 'check'),
      ownerReferences: ownedBy(cluster),
    },
    spec: {
      ...(tolerations === undefined ? {} : { tolerations }),
      affinity: onNode(node),
      ...runAs,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      restartPolicy: 'Never',
      activeDeadlineSeconds: 600,
      ...pullSecrets(cluster),
      containers: [
        {
          ...checked,
          name: 'check',
          args: ['check', '--config', places.file],
          resources: noRoom(pod.pool),
        },
      ],
      volumes: [{ name: 'data', emptyDir: { sizeLimit: '1Mi' } }, ...files(pod)],
    },
  }
}

/** Said, since a ResourceQuota takes no pod that does not say what it requests, and where it counts limits none without. */
function noRoom({ resources: { limits } }: PoolSpec) {
  return {
    requests: { cpu: '0', memory: '0' },
    ...(limits === undefined ? {} : { limits: quantities(limits) }),
  }
}

/** The scheduler's way to one node, which honours its taints and its room; `nodeName` would pass both by. */
function onNode(node: string) {
  return {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          { matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] },
        ],
      },
    },
  }
}
