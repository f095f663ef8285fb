import type { LogBroker } from '../../operator/crd/broker.ts'
import type { LogCluster } from '../../operator/crd/cluster.ts'
import { get, list, patch, type Kubectl } from './kubectl.ts'

export interface RestartWish {
  /** The LogCluster. */
  readonly name: string
  /** One LogBroker of it, or null for all. */
  readonly broker: string | null
  readonly scope: readonly string[]
  /** Milliseconds since 1970. */
  readonly nowMs: number
}

/** `kubectl logcluster restart`: asks for it in a spec, and the operator does it. Returns what to tell. */
export async function restart(kubectl: Kubectl, wish: RestartWish): Promise<string> {
  const { name, broker, scope } = wish
  const cluster = await get<LogCluster>(kubectl, 'logcluster', name, scope)
  const { namespace } = cluster.metadata
  const within = [`--namespace=${namespace}`]
  const all = await list<LogBroker>(kubectl, 'logbrokers', within)
  const ours = all.filter(({ spec }) => spec.clusterRef.name === name)
  const meant = broker === null ? ours : ours.filter(({ metadata }) => metadata.name === broker)
  if (broker !== null && meant.length === 0) {
    const names = ours.map(({ metadata }) => metadata.name).join(', ')
    throw new Error(`LogCluster ${name} has no broker ${broker}: it has ${names || 'none'}`)
  }
  const restartedAt = timeAfterStart(meant, wish.nowMs)
  const target =
    broker === null ? { kind: 'logcluster', name } : { kind: 'logbroker', name: broker }
  await patch(kubectl, { ...target, scope: within }, { spec: { restartedAt } })
  const what = broker === null ? `the brokers of ${namespace}/${name}` : `${namespace}/${broker}`
  const told = `The operator restarts ${what}: what started before ${restartedAt}. To watch: kubectl get logbrokers -n ${namespace} -w`
  if (cluster.spec.reconciliation !== 'Paused') return told
  return `${told}\nBut ${namespace}/${name} is paused: nothing happens before spec.reconciliation is Active again.`
}

/**
 * Now, or the second after the last start where this machine's clock is behind: a broker that started after the time
 * that is asked for is not restarted.
 */
function timeAfterStart(brokers: readonly LogBroker[], nowMs: number): string {
  const starts = brokers.flatMap(({ status }) =>
    status.startedAt === undefined ? [] : [Date.parse(status.startedAt) + 1000],
  )
  const seconds = Math.ceil(Math.max(nowMs, ...starts) / 1000)
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}

export interface ReplaceWish {
  /** The LogBroker. */
  readonly name: string
  readonly acceptsDataLoss: boolean
  readonly scope: readonly string[]
}

/**
 * `kubectl logcluster replace`: asks for a new disk for the broker's incarnation that there is now; asked again, it
 * does nothing more. Returns what to tell.
 */
export async function replace(kubectl: Kubectl, wish: ReplaceWish): Promise<string> {
  const { name, acceptsDataLoss, scope } = wish
  const { metadata, spec, status } = await get<LogBroker>(kubectl, 'logbroker', name, scope)
  const { incarnation } = status
  if (incarnation === undefined) {
    throw new Error(`LogBroker ${name} has no disk yet that could be replaced`)
  }
  const target = { kind: 'logbroker', name, scope: [`--namespace=${metadata.namespace}`] }
  const dataLoss = acceptsDataLoss ? 'Accept' : 'Refuse'
  await patch(kubectl, target, { spec: { replace: { incarnation, dataLoss } } })
  const claim = status.volume?.claim
  return [
    `The operator replaces the disk of ${metadata.namespace}/${name}, incarnation ${incarnation}${claim === undefined ? '' : ` (claim ${claim})`}.`,
    acceptsDataLoss
      ? 'What lies on it alone is given up; the volume is kept, unless spec.pools[].storage.retention says otherwise.'
      : `Where partitions have no other copy it waits, and its conditions name them: kubectl logcluster status ${spec.clusterRef.name} -n ${metadata.namespace}`,
  ].join('\n')
}

export interface DrainWish {
  /** The LogBroker. */
  readonly name: string
  /** False: it may lead again. */
  readonly isWanted: boolean
  readonly scope: readonly string[]
}

/** `kubectl logcluster drain` and `undrain`: whether a broker is to lead, in its spec; the operator does it. Returns what to tell. */
export async function drain(
  kubectl: Kubectl,
  { name, isWanted, scope }: DrainWish,
): Promise<string> {
  const { metadata, spec } = await get<LogBroker>(kubectl, 'logbroker', name, scope)
  const { namespace } = metadata
  const target = { kind: 'logbroker', name, scope: [`--namespace=${namespace}`] }
  await patch(kubectl, target, { spec: { leadership: isWanted ? 'Drained' : 'Normal' } })
  const cluster = spec.clusterRef.name
  return isWanted
    ? `The operator takes leadership from ${namespace}/${name}; it stays in sync, and leads what nobody else can. To watch: kubectl logcluster plan ${cluster} -n ${namespace}. To end it: kubectl logcluster undrain ${name} -n ${namespace}`
    : `The operator lets ${namespace}/${name} lead again.`
}

export interface RebalanceWish {
  /** The LogCluster. */
  readonly name: string
  /** null: as it is. */
  readonly state: 'Active' | 'Paused' | 'Cancelled' | null
  /** A quantity of bytes per second; `none`: without a bound; null: as it is. */
  readonly throttle: string | null
  readonly scope: readonly string[]
}

/** `kubectl logcluster rebalance`: how replicas move, in the spec of the cluster; the operator does it. Returns what to tell. */
export async function rebalance(
  kubectl: Kubectl,
  { name, state, throttle, scope }: RebalanceWish,
): Promise<string> {
  const { metadata } = await get<LogCluster>(kubectl, 'logcluster', name, scope)
  const { namespace } = metadata
  const change = {
    ...(state === null ? {} : { state }),
    ...(throttle === null ? {} : { throttle: throttle === 'none' ? null : throttle }),
  }
  const target = { kind: 'logcluster', name, scope: [`--namespace=${namespace}`] }
  await patch(kubectl, target, { spec: { rebalance: change } })
  const words = [
    ...(state === null ? [] : [stateWords[state]]),
    ...(throttle === null ? [] : [throttleWords(throttle)]),
  ]
  return `${namespace}/${name}: ${words.join('; ')}. How far it is: kubectl logcluster status ${name} -n ${namespace}`
}

const stateWords = {
  Active: 'replicas move as they are wanted',
  Paused: 'no replica begins to move, and what is on its way arrives',
  Cancelled: 'what is on its way is called off, and nothing begins before --state=Active',
} as const

function throttleWords(throttle: string): string {
  if (throttle === 'none') return 'replicas that come are not held back'
  return `each broker takes and gives ${throttle} a second at most for replicas that come`
}
