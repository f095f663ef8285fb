import type { ListenerSpec, LogCluster } from '../crd/cluster.ts'
import type { BrokerFacts } from './facts.ts'
import { brokerHost, names, serviceHost } from './names.ts'

/** Where clients are told to find a broker. */
export interface Address {
  readonly listener: string
  readonly host: string
  readonly port: number
}

/**
 * Of each listener. `nodeHost`: the address of the broker's node, or what stands for it where only its pod knows it. A port of the
 * node that Kubernetes has not given yet is NaN.
 */
export function addressesOf(
  cluster: LogCluster,
  broker: BrokerFacts,
  nodeHost: string,
): readonly Address[] {
  return cluster.spec.listeners.map(listener => {
    const { host, port } = usual(cluster, broker, { listener, nodeHost })
    const { host: hostTemplate, port: portTemplate } = listener.expose.advertised ?? {}
    return {
      listener: listener.name,
      host: hostTemplate === undefined ? host : hostOf(hostTemplate, broker),
      port: portTemplate === undefined ? port : portOf(portTemplate, broker, listener.name),
    }
  })
}

/** As the type of the listener has it. */
function usual(
  cluster: LogCluster,
  broker: BrokerFacts,
  { listener, nodeHost }: { readonly listener: ListenerSpec; readonly nodeHost: string },
): { readonly host: string; readonly port: number } {
  const { namespace, name } = cluster.metadata
  switch (listener.expose.type) {
    case 'NodePort':
      return { host: nodeHost, port: broker.nodePorts.get(listener.name) ?? Number.NaN }
    case 'ClusterIP': {
      const service = names.listenerOfBroker(broker.name, listener.name)
      return { host: serviceHost(service, namespace), port: listener.port }
    }
    case 'Internal':
      return { host: brokerHost({ namespace, name }, broker.name), port: listener.port }
  }
}

function hostOf(template: string, { name, brokerId, pool, slot }: BrokerFacts): string {
  return template
    .replaceAll('{broker}', name)
    .replaceAll('{brokerId}', String(brokerId))
    .replaceAll('{pool}', pool)
    .replaceAll('{slot}', String(slot))
}

function portOf(template: string, broker: BrokerFacts, listener: string): number {
  if (template === '{nodePort}') return broker.nodePorts.get(listener) ?? Number.NaN
  const sum = /^\{(\d+)\+(brokerId|slot)\}$/.exec(template)
  if (sum === null) return Number(template)
  return Number(sum[1]) + (sum[2] === 'slot' ? broker.slot : broker.brokerId)
}
