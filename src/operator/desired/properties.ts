import { httpPort, privatePort } from '../crd/ports.ts'
import type { LogCluster } from '../crd/cluster.ts'
import { addressesOf } from './addresses.ts'
import { brokerHost, names } from './names.ts'
import type { BrokerFacts } from './facts.ts'
import { replicationFactorOf, sizeOf } from './replication.ts'

/** Places in the broker's container. */
export const places = {
  configuration: '/etc/logcluster',
  file: '/etc/logcluster/broker.properties',
  credentials: '/etc/logcluster-private',
  volume: '/var/lib/logcluster',
  /** A folder in the volume: what a file system keeps at its root (`lost+found`) is not ours. */
  data: '/var/lib/logcluster/data',
  /** What is known of a pod only once it has a node. */
  facts: '/etc/logcluster-facts',
  terminationLog: '/dev/termination-log',
} as const

/** The settings that the operator gives, so that `spec.config` may not. */
export const operatorSettings: ReadonlySet<string> = new Set([
  'node.id',
  'cluster.id',
  'log.dirs',
  'metadata.dir',
  'metadata.log.dir',
  'metadata.store',
  'kubernetes.namespace',
  'kubernetes.cluster.name',
  'kubernetes.api.url',
  'kubernetes.token.file',
  'kubernetes.ca.file',
  'identity.config.map',
  'listeners',
  'advertised.listeners',
  'advertised.listeners.loopback.enable',
  'listener.security.protocol.map',
  'cluster.size',
  'broker.rack.file',
  'private.listener',
  'private.advertised.listener',
  'private.credentials.dir',
  'http.address',
  'termination.log.file',
  'cordoned.log.dirs',
  'leadership.drain.enable',
  'hibernation.freeze.enable',
])

/**
 * The broker's file: what the operator gives, then the settings of `spec.config` that need a restart. Dynamic ones are
 * never in it, since a change of them would be another file, and so a restart.
 */
export function brokerProperties(
  cluster: LogCluster,
  broker: BrokerFacts,
  fixed: ReadonlyMap<string, string>,
): string {
  const { namespace, name } = cluster.metadata
  const { listeners } = cluster.spec
  const among = amongOthers(cluster, broker).filter(([key]) => !fixed.has(key))
  const own: [string, string][] = [
    ['node.id', String(broker.brokerId)],
    ['cluster.id', broker.clusterId],
    ['log.dirs', places.data],
    ['metadata.store', 'kubernetes'],
    ['kubernetes.namespace', namespace],
    ['kubernetes.cluster.name', name],
    ['identity.config.map', names.identity(broker.name)],
    ['listeners', listeners.map(each => `${nameOf(each)}://0.0.0.0:${each.port}`).join(',')],
    // Whoever comes by `kubectl port-forward` comes over the pod's loopback, and is told the port that he dialled.
    ['advertised.listeners.loopback.enable', 'true'],
    ['private.listener', `0.0.0.0:${privatePort}`],
    ['private.credentials.dir', places.credentials],
    ['http.address', `0.0.0.0:${httpPort}`],
    ['termination.log.file', places.terminationLog],
  ]
  const rack =
    cluster.spec.rack === undefined ? [] : [['broker.rack.file', `${places.facts}/rack`] as const]
  return [...own, ...among, ...rack, ...fixed]
    .map(([key, value]) => `${key}=${escaped(value)}\n`)
    .join('')
}

/** What a broker is told that has others beside it. */
function amongOthers(cluster: LogCluster, broker: BrokerFacts): [string, string][] {
  const factor = replicationFactorOf(cluster)
  if (factor === undefined) return []
  return [
    ['cluster.size', String(sizeOf(cluster))],
    ['default.replication.factor', String(factor)],
    // The first listener may be told at a node's address, where nobody finds the private one.
    ['private.advertised.listener', `${brokerHost(cluster.metadata, broker.name)}:${privatePort}`],
  ]
}

/**
 * What clients are told to connect to: an environment variable's text, because a node's address is known to its pods only.
 */
export function advertisedListeners(cluster: LogCluster, broker: BrokerFacts): string {
  return addressesOf(cluster, broker, '$(HOST_IP)')
    .map(({ listener, host, port }) => `${nameOf({ name: listener })}://${host}:${port}`)
    .join(',')
}

function nameOf({ name }: { readonly name: string }): string {
  return name.toUpperCase()
}

/** A value in Java's properties syntax. */
function escaped(value: string): string {
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replace(/^[ \t]/, '\\$&')
}
