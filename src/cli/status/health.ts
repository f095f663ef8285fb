import { harmOf } from '../../broker/metadata/harm.ts'

/** What a cluster tells of itself, of one moment. */
export interface ClusterFacts {
  readonly clusterId: string
  /** -1 where there is none. */
  readonly controllerId: number
  readonly brokers: readonly BrokerFacts[]
  readonly partitions: readonly PartitionFacts[]
}

interface BrokerFacts {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
  /** The controller has not heard of it for too long, or it has just begun: it leads nothing. */
  readonly isFenced: boolean
}

export interface PartitionFacts {
  readonly topic: string
  readonly index: number
  /** -1 where there is none. */
  readonly leader: number
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
  /** Fewer in-sync replicas than this take no acks=all. */
  readonly inSyncMin: number
}

/** What `logcluster status` shows. Partitions are named `topic-index`. */
export interface Health {
  readonly clusterId: string
  readonly controllerId: number
  readonly brokers: readonly BrokerHealth[]
  readonly topicCount: number
  readonly partitionCount: number
  /** Fewer in sync than there are replicas, the weakest first. */
  readonly underReplicated: readonly PartitionFacts[]
  /** Of these, those that take no acks=all, and those that nobody leads. */
  readonly underMinCount: number
  readonly offlineCount: number
}

export interface BrokerHealth {
  readonly id: number
  /** host:port; null for one that only partitions tell of. */
  readonly address: string | null
  readonly rack: string | null
  /** `gone`: partitions have it, and the cluster does not know it. */
  readonly state: 'up' | 'fenced' | 'gone'
  readonly isController: boolean
  readonly leads: number
  readonly replicas: number
  readonly inSync: number
  /** What its restart, or its loss, would do that is not so already. */
  readonly risk: Risk
}

interface Risk {
  /** Partitions that would take no acks=all for as long. */
  readonly underMin: readonly string[]
  /** Partitions that nobody would lead for as long. */
  readonly offline: readonly string[]
}

export function healthOf(facts: ClusterFacts): Health {
  const { clusterId, controllerId, partitions } = facts
  const ids = new Set([
    ...facts.brokers.map(({ id }) => id),
    ...partitions.flatMap(({ replicas }) => replicas),
  ])
  const behind = partitions.filter(({ inSync, replicas }) => inSync.length < replicas.length)
  const spare = ({ inSync, inSyncMin }: PartitionFacts): number => inSync.length - inSyncMin
  return {
    clusterId,
    controllerId,
    brokers: [...ids].toSorted((a, b) => a - b).map(id => brokerHealth(id, facts)),
    topicCount: new Set(partitions.map(({ topic }) => topic)).size,
    partitionCount: partitions.length,
    underReplicated: behind.toSorted((a, b) => spare(a) - spare(b)),
    underMinCount: partitions.filter(partition => spare(partition) < 0).length,
    offlineCount: partitions.filter(({ leader }) => leader < 0).length,
  }
}

function brokerHealth(
  id: number,
  { brokers, partitions, controllerId }: ClusterFacts,
): BrokerHealth {
  const told = brokers.find(broker => broker.id === id)
  const held = partitions.filter(({ replicas }) => replicas.includes(id))
  return {
    id,
    address: told === undefined ? null : `${told.host}:${told.port}`,
    rack: told?.rack ?? null,
    state: told === undefined ? 'gone' : told.isFenced ? 'fenced' : 'up',
    isController: id === controllerId,
    leads: partitions.filter(({ leader }) => leader === id).length,
    replicas: held.length,
    inSync: held.filter(({ inSync }) => inSync.includes(id)).length,
    risk: riskOf(id, held),
  }
}

/** A partition that takes no acks=all already is none that its restart puts at risk. */
function riskOf(id: number, held: readonly PartitionFacts[]): Risk {
  const underMin: string[] = []
  const offline: string[] = []
  for (const { topic, index, leader, inSync, inSyncMin } of held) {
    const isInSync = inSync.includes(id)
    const counts = { inSyncCount: inSync.length, neededCount: inSyncMin }
    const harm = harmOf({ hasLeader: leader >= 0, isInSync, ...counts })
    if (harm === 'offline') offline.push(`${topic}-${index}`)
    if (harm === 'underMin' && inSync.length >= inSyncMin) underMin.push(`${topic}-${index}`)
  }
  return { underMin, offline }
}
