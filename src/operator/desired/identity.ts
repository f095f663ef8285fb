import type { LogCluster } from '../crd/cluster.ts'
import type { ConfigMap, DraftOf } from '../kubernetes/objects.ts'
import { claimAnnotations } from './claim.ts'
import type { BrokerFacts } from './facts.ts'
import { brokerLabels } from './labels.ts'
import { names } from './names.ts'

/** Which disk is a broker's, as the broker reads it. */
export interface Identity {
  readonly clusterId: string
  readonly brokerId: number
  readonly incarnation: number
  /** Of the data directory; '' until its broker has told it. */
  readonly directoryId: string
  /** Whether an empty disk may become this broker's. */
  readonly mayFormat: boolean
}

/** Written by the operator only: made by a POST, changed by compare-and-swap. It outlives the cluster, as the disk does. */
export function identityMap(
  cluster: LogCluster,
  broker: BrokerFacts,
  identity: Identity,
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

export function identityData(identity: Identity): Readonly<Record<string, string>> {
  return {
    clusterId: identity.clusterId,
    brokerId: String(identity.brokerId),
    incarnation: String(identity.incarnation),
    directoryId: identity.directoryId,
    mayFormat: String(identity.mayFormat),
  }
}

/** null where somebody else has written something into it that is none. */
export function identityOf(data: Readonly<Record<string, string>> | undefined): Identity | null {
  const { clusterId = '', brokerId, incarnation, directoryId, mayFormat } = data ?? {}
  const isWhole =
    clusterId !== '' &&
    /^\d+$/.test(brokerId ?? '') &&
    /^\d+$/.test(incarnation ?? '') &&
    directoryId !== undefined &&
    (mayFormat === 'true' || mayFormat === 'false')
  if (!isWhole) return null
  return {
    clusterId,
    brokerId: Number(brokerId),
    incarnation: Number(incarnation),
    directoryId,
    mayFormat: mayFormat === 'true',
  }
}
