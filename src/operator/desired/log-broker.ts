import type { LogBroker, LogBrokerSpec } from '../crd/broker.ts'
import type { LogCluster } from '../crd/cluster.ts'
import { apiVersion } from '../crd/object.ts'
import type { BrokerFacts } from './facts.ts'
import { brokerLabels, ownedBy } from './labels.ts'

/** A LogBroker as it is made. Its spec is not applied again: what a person writes into it stays his. */
export type LogBrokerDraft = Pick<LogBroker, 'apiVersion' | 'kind'> & {
  readonly metadata: {
    readonly namespace: string
    readonly name: string
    readonly labels: Readonly<Record<string, string>>
    readonly ownerReferences: ReturnType<typeof ownedBy>
  }
  readonly spec: Pick<LogBrokerSpec, 'clusterRef' | 'pool' | 'slot' | 'brokerId'>
}

/** The place of one broker, and what Kafka calls it. */
export function logBroker(
  cluster: LogCluster,
  { name, pool, slot, brokerId }: Pick<BrokerFacts, 'name' | 'pool' | 'slot' | 'brokerId'>,
): LogBrokerDraft {
  const { namespace, name: clusterName } = cluster.metadata
  return {
    apiVersion,
    kind: 'LogBroker',
    metadata: {
      namespace,
      name,
      labels: brokerLabels(clusterName, name, 'broker'),
      ownerReferences: ownedBy(cluster),
    },
    spec: { clusterRef: { name: clusterName }, pool, slot, brokerId },
  }
}
