import type { LogBroker } from '../../operator/crd/broker.ts'
import type { LogCluster } from '../../operator/crd/cluster.ts'
import type { Condition } from '../../operator/crd/condition.ts'
import { askPod, get, list, type Kubectl } from './kubectl.ts'
import { spanText, table } from './table.ts'

/** As much of a broker's own status (docs/http.md) as is shown; an older broker may not tell all of it. */
interface OwnStatus {
  readonly startedAtMs?: number
  readonly version?: string
  readonly isReady?: boolean
  readonly notReadyReason?: string | null
  readonly quarantineReason?: string | null
  readonly isMetadataWaiting?: boolean
  readonly strayCount?: number
  readonly partitionCount?: number
  readonly offlinePartitions?: readonly {
    readonly topic: string
    readonly partitionIndex: number
    readonly reason: string
  }[]
  readonly pageCacheSource?: string
  readonly laggingGroups?: readonly { readonly group: string; readonly lagRecords: number }[]
}

/** A broker as the operator knows it, and its own word, or why there is none. */
interface Seen {
  readonly broker: LogBroker
  readonly own: OwnStatus | null
  readonly silence: string
}

export interface StatusWish {
  /** A LogCluster; all of the scope where it is null. */
  readonly name: string | null
  readonly scope: readonly string[]
  /** Milliseconds since 1970. */
  readonly nowMs: number
}

/** The text of `kubectl logcluster status`. */
export async function statusText(kubectl: Kubectl, wish: StatusWish): Promise<string> {
  const { name, scope, nowMs } = wish
  const clusters =
    name === null
      ? await list<LogCluster>(kubectl, 'logclusters', scope)
      : [await get<LogCluster>(kubectl, 'logcluster', name, scope)]
  if (clusters.length === 0) return 'There is no LogCluster here; -A looks into all namespaces.'
  const parts = await Promise.all(clusters.map(cluster => clusterText(kubectl, cluster, nowMs)))
  return parts.join('\n\n')
}

async function clusterText(kubectl: Kubectl, cluster: LogCluster, nowMs: number): Promise<string> {
  const { name, namespace } = cluster.metadata
  const brokers = await list<LogBroker>(kubectl, 'logbrokers', [`--namespace=${namespace}`])
  const ours = brokers
    .filter(({ spec }) => spec.clusterRef.name === name)
    .toSorted((a, b) => a.spec.brokerId - b.spec.brokerId)
  const seen = await Promise.all(ours.map(broker => ask(kubectl, broker)))
  const { listeners = [] } = cluster.status
  return [
    summary(cluster, nowMs),
    seen.length === 0 ? 'It has no broker yet.' : brokerTable(seen, nowMs),
    listeners.length === 0
      ? ''
      : table(
          ['listener', 'bootstrap'],
          listeners.map(each => [each.name, each.bootstrap]),
        ),
    lagTable(seen),
    noteworthy(cluster, seen).join('\n'),
  ]
    .filter(text => text !== '')
    .join('\n\n')
}

/** A broker that does not answer is told of; it is no reason to tell nothing else. */
async function ask(kubectl: Kubectl, broker: LogBroker): Promise<Seen> {
  const { name, namespace } = broker.metadata
  try {
    const text = await askPod(kubectl, { namespace, pod: `${name}-0`, path: '/v1/status' })
    return { broker, own: JSON.parse(text) as OwnStatus, silence: '' }
  } catch (error) {
    return { broker, own: null, silence: error instanceof Error ? error.message : String(error) }
  }
}

function summary({ metadata, status }: LogCluster, nowMs: number): string {
  const age = nowMs - Date.parse(metadata.creationTimestamp)
  return table(
    ['namespace', 'cluster', 'ready', 'brokers', 'version', 'status', 'age'],
    [
      [
        metadata.namespace,
        metadata.name,
        conditionOf(status.conditions, 'Ready')?.status ?? 'Unknown',
        status.columns?.brokers ?? '-',
        status.version ?? '-',
        status.columns?.status ?? '-',
        spanText(age),
      ],
    ],
  )
}

function brokerTable(seen: readonly Seen[], nowMs: number): string {
  const headings = ['broker', 'id', 'ready', 'node', 'version', 'up', 'partitions']
  return table(
    [...headings, 'offline', 'stray', 'page cache'],
    seen.map(({ broker, own }) => [
      broker.metadata.name,
      String(broker.spec.brokerId),
      own?.isReady === undefined ? 'Unknown' : own.isReady ? 'True' : 'False',
      broker.status.node ?? '-',
      own?.version ?? broker.status.version ?? '-',
      own?.startedAtMs === undefined ? '-' : spanText(nowMs - own.startedAtMs),
      count(own?.partitionCount),
      count(own?.offlinePartitions?.length),
      count(own?.strayCount),
      own?.pageCacheSource ?? '-',
    ]),
  )
}

/** The groups that are furthest behind, by records over all brokers; nothing where none is. */
function lagTable(seen: readonly Seen[]): string {
  const lags = new Map<string, number>()
  for (const { own } of seen) {
    for (const { group, lagRecords } of own?.laggingGroups ?? []) {
      lags.set(group, (lags.get(group) ?? 0) + lagRecords)
    }
  }
  if (lags.size === 0) return ''
  const furthest = [...lags].toSorted(([, a], [, b]) => b - a)
  return table(
    ['group', 'records behind'],
    furthest.map(([group, records]) => [group, String(records)]),
  )
}

function count(number: number | undefined): string {
  return number === undefined ? '-' : String(number)
}

/** Conditions that say something only while they are True; the others are as they should be then. */
const exceptions = ['Progressing', 'Degraded', 'Paused']

/** What a person would ask next, a line each: conditions that are not as they should be, and what brokers say. */
function noteworthy(cluster: LogCluster, seen: readonly Seen[]): string[] {
  return [
    ...unusual(cluster.metadata.name, cluster.status.conditions),
    ...seen.flatMap(({ broker, own, silence }) => [
      ...unusual(broker.metadata.name, broker.status.conditions),
      ...ofBroker(broker.metadata.name, own, silence),
    ]),
  ]
}

function unusual(name: string, conditions: readonly Condition[] | undefined): string[] {
  return (conditions ?? [])
    .filter(({ type, status }) => status !== (exceptions.includes(type) ? 'False' : 'True'))
    .map(({ type, status, reason, message }) => `${name}: ${type}=${status} ${reason}: ${message}`)
}

function ofBroker(name: string, own: OwnStatus | null, silence: string): string[] {
  if (own === null) return [`${name} does not answer: ${silence}`]
  return [
    ...(own.notReadyReason ? [`${name} is not ready: ${own.notReadyReason}`] : []),
    ...(own.quarantineReason ? [`${name} changes no metadata: ${own.quarantineReason}`] : []),
    ...(own.isMetadataWaiting ? [`${name} waits for the metadata store in Kubernetes.`] : []),
    ...(own.offlinePartitions ?? []).map(
      ({ topic, partitionIndex, reason }) =>
        `${name}: ${topic}-${partitionIndex} is offline: ${reason}`,
    ),
  ]
}

function conditionOf(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find(condition => condition.type === type)
}
