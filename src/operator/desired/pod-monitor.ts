import type { LogCluster } from '../crd/cluster.ts'
import type { Draft } from '../kubernetes/objects.ts'
import { brokerSelector, clusterLabels, ownedBy } from './labels.ts'
import { names } from './names.ts'

/** What the Prometheus operator reads; the kind is there only where that is installed. */
export interface PodMonitorDraft extends Draft {
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> }
    readonly podTargetLabels: readonly string[]
    readonly podMetricsEndpoints: readonly {
      readonly port: string
      readonly path: string
      readonly interval: string
    }[]
  }
}

/** Tells Prometheus where the brokers' metrics are; null where the cluster wants none. */
export function podMonitor(cluster: LogCluster): PodMonitorDraft | null {
  const monitor = cluster.spec.metrics.monitor
  if (monitor.type !== 'PodMonitor') return null
  const { namespace, name } = cluster.metadata
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: {
      namespace,
      name: names.podMonitor(name),
      labels: { ...monitor.labels, ...clusterLabels(name, 'cluster') },
      ownerReferences: ownedBy(cluster),
    },
    spec: {
      selector: { matchLabels: brokerSelector(name) },
      podTargetLabels: ['logcluster'],
      podMetricsEndpoints: [{ port: 'http', path: '/metrics', interval: monitor.interval }],
    },
  }
}
