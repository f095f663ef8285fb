import type { BrokerStatus } from '../brokers/brokers.ts'
import type { BrokerView } from './broker-view.ts'

/** What the metadata log says of one broker of the cluster, and of what its restart would risk. */
export type ToldBroker = BrokerStatus['brokers'][number]

/** The cluster as the broker tells it that knows most of the metadata log. */
export interface ToldCluster {
  /** -1: there is none. */
  readonly controllerId: number
  /** By Kafka's number of a broker. */
  readonly brokers: ReadonlyMap<number, ToldBroker>
}

/** null where no broker answers that tells of the others: what they risk is not known then. */
export function toldCluster(views: readonly BrokerView[]): ToldCluster | null {
  let found: BrokerStatus | null = null
  for (const { sight } of views) {
    if (sight?.kind !== 'seen' || sight.status.brokers.length === 0) continue
    const { status } = sight
    if (status.quarantineReason !== null) continue
    if (found === null || sequenceOf(status) > sequenceOf(found)) found = status
  }
  if (found === null) return null
  return {
    controllerId: found.controllerId ?? -1,
    brokers: new Map(found.brokers.map(each => [each.brokerId, each])),
  }
}

/** Partitions that would be worse off while the broker restarts, and would not be if one waited. */
export function atRisk({ underMin, offline }: ToldBroker): {
  readonly count: number
  readonly names: readonly string[]
} {
  return { count: offline.count + underMin.count, names: [...offline.names, ...underMin.names] }
}

function sequenceOf({ metadataSequence = -1 }: BrokerStatus): number {
  return metadataSequence
}
