import type { ListenerSpec, LogCluster } from '../crd/cluster.ts'
import type { DraftOf, Service } from '../kubernetes/objects.ts'
import {
  brokerLabels,
  brokerSelector,
  clusterLabels,
  ownedBy,
  podSelector,
  type Labels,
} from './labels.ts'
import { names } from './names.ts'
import { httpPort, privatePort } from '../crd/ports.ts'

/** Where a client begins, in the cluster: one address for whichever brokers serve. */
export function bootstrapService(cluster: LogCluster): DraftOf<Service> {
  return service(cluster, names.bootstrapService(cluster.metadata.name), {
    type: 'ClusterIP',
    selector: brokerSelector(cluster.metadata.name),
    ports: cluster.spec.listeners.map(listenerPort),
  })
}

/** The name of each broker in DNS, which it has before it serves: the operator and other brokers look for it then. */
export function headlessService(cluster: LogCluster): DraftOf<Service> {
  const monitor = cluster.spec.metrics.monitor.type
  return service(
    cluster,
    names.headlessService(cluster.metadata.name),
    {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: brokerSelector(cluster.metadata.name),
      ports: [
        ...cluster.spec.listeners.map(listenerPort),
        { name: 'private', port: privatePort, targetPort: 'private' },
        { name: 'http', port: httpPort, targetPort: 'http' },
      ],
    },
    monitor === 'Annotations' ? scraped : undefined,
  )
}

/** The Services at ports of every node: one to begin with, for each listener exposed so. */
export function nodePortBootstraps(cluster: LogCluster): DraftOf<Service>[] {
  const { name } = cluster.metadata
  return exposed(cluster).map(listener => {
    const wanted = listener.expose.nodePort?.bootstrapPort
    return service(cluster, names.listenerBootstrap(name, listener.name), {
      type: 'NodePort',
      selector: brokerSelector(name),
      ports: [{ ...listenerPort(listener), ...(wanted === undefined ? {} : { nodePort: wanted }) }],
    })
  })
}

/**
 * And one for each broker, of listeners that give it one. At a port of nodes it is at its own node only: clients are told the
 * address of that node.
 */
export function servicesOfBroker(cluster: LogCluster, broker: string): DraftOf<Service>[] {
  return cluster.spec.listeners.flatMap(listener => {
    const { type } = listener.expose
    if (type === 'Internal') return []
    const draft = service(cluster, names.listenerOfBroker(broker, listener.name), {
      type,
      ...(type === 'NodePort' ? { externalTrafficPolicy: 'Local' as const } : {}),
      publishNotReadyAddresses: true,
      selector: podSelector(cluster.metadata.name, broker),
      ports: [listenerPort(listener)],
    })
    const labels = brokerLabels(cluster.metadata.name, broker, 'cluster')
    return [{ ...draft, metadata: { ...draft.metadata, labels } }]
  })
}

/** Listeners at ports of nodes. */
export function exposed(cluster: LogCluster): readonly ListenerSpec[] {
  return cluster.spec.listeners.filter(({ expose }) => expose.type === 'NodePort')
}

/** By what Prometheus' usual jobs find targets where there is no PodMonitor. On the Service: a pod would have to be restarted. */
const scraped: Labels = {
  'prometheus.io/scrape': 'true',
  'prometheus.io/port': String(httpPort),
  'prometheus.io/path': '/metrics',
}

function listenerPort({ name, port }: ListenerSpec) {
  return { name, port, targetPort: name }
}

function service(
  cluster: LogCluster,
  name: string,
  spec: NonNullable<DraftOf<Service>['spec']>,
  annotations?: Labels,
): DraftOf<Service> {
  const { namespace } = cluster.metadata
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      namespace,
      name,
      labels: clusterLabels(cluster.metadata.name, 'cluster'),
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: ownedBy(cluster),
    },
    spec,
  }
}
