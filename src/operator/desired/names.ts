import type { PoolSpec } from '../crd/cluster.ts'
import type { ObjectName } from '../kubernetes/objects.ts'
import type { BrokerFacts } from './facts.ts'

/** Which LogCluster. Everything that it is made of lies in its namespace. */
export type ClusterName = Required<ObjectName>

/**
 * Names of what a cluster is made of. They are for good: a renamed claim or StatefulSet is a lost one. With a
 * cluster's name of 28 characters and a pool's of 12 the longest leaves room for Kubernetes' 63.
 */
export const names = {
  /** LogBroker and StatefulSet; the pod is this with `-0`. */
  broker: (cluster: string, pool: string, slot: number): string => `${cluster}-${pool}-${slot}`,
  pod: (broker: string): string => `${broker}-0`,
  /** The claim of one life of a broker's disk: a replaced disk gets another. */
  claim: (volume: string, broker: string, incarnation: number): string =>
    `${volume}-${broker}-${incarnation}`,
  identity: (broker: string): string => `${broker}-identity`,
  configuration: (broker: string, hash: string): string => `${broker}-config-${hash}`,
  checkPod: (broker: string, hash: string): string => `${broker}-check-${hash}`,
  bootstrapService: (cluster: string): string => `${cluster}-bootstrap`,
  headlessService: (cluster: string): string => `${cluster}-brokers`,
  listenerBootstrap: (cluster: string, listener: string): string =>
    `${cluster}-${listener}-bootstrap`,
  listenerOfBroker: (broker: string, listener: string): string => `${broker}-${listener}`,
  privateSecret: (cluster: string): string => `${cluster}-private`,
  /** ServiceAccount, Role and RoleBinding of the brokers. */
  brokerAccount: (cluster: string): string => `${cluster}-broker`,
  disruptionBudget: (cluster: string): string => cluster,
  podMonitor: (cluster: string): string => cluster,
} as const

/** The claim that the pod of `broker` names. */
export function claimName(
  { storage }: PoolSpec,
  broker: Pick<BrokerFacts, 'name' | 'incarnation'>,
): string {
  return names.claim(storage.volumes[0]!.name, broker.name, broker.incarnation)
}

/** What a client in the cluster resolves; without the cluster's domain, which a resolver adds. */
export function serviceHost(service: string, namespace: string): string {
  return `${service}.${namespace}.svc`
}

/** The name of one broker in DNS, the same wherever its pod runs. */
export function brokerHost({ namespace, name }: ClusterName, broker: string): string {
  return `${names.pod(broker)}.${serviceHost(names.headlessService(name), namespace)}`
}
