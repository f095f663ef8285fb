import { endpointText } from '../../lib/endpoint-text.ts'
import { withinBounds } from '../crd/bounds.ts'
import type { LogClusterStatus } from '../crd/cluster.ts'
import { bootstrapLengthMax, type ClusterConditionType } from '../crd/cluster-status.ts'
import { names, serviceHost } from '../desired/names.ts'
import { imageOf, named, type BrokerView } from '../plan/broker-view.ts'
import { isEnding } from '../plan/deletion.ts'
import type { Observed } from '../plan/observed.ts'
import type { Plan } from '../plan/plan.ts'
import { plannedFor } from '../plan/roll-status.ts'
import { findingsOf } from './broker-status.ts'
import { clusterReadiness } from './cluster-readiness.ts'
import { conditionsFrom, formerly, no, unknown, yes, type Finding } from './conditions.ts'
import { degradation, type Trouble } from './degradation.ts'
import { ending } from './ending.ts'
import { progress } from './progress.ts'
import { rebalanceStatus } from './rebalance-status.ts'

/** What a pass came to: what it saw, what it decided, and what went wrong when it acted. */
export interface Passed {
  readonly observed: Observed
  readonly plan: Plan
  readonly troubles: readonly Trouble[]
  /** RFC 3339; it is written only where something became what it is. */
  readonly now: string
}

/** The front door of the room: the status of the LogCluster. Of a cluster at rest it is the same text each time, so that nothing is written. */
export function clusterStatus(passed: Passed): LogClusterStatus {
  const { observed, plan, now } = passed
  const { cluster } = observed
  const findings = clusterFindings(passed)
  const { image, version } = imageOf(observed)
  const wanted = cluster.spec.pools.reduce((sum, pool) => sum + pool.brokers, 0)
  const readyBrokers = plan.views.filter(
    view => findingsOf(view, observed, plan.settings).Ready.status === 'True',
  ).length
  const { clusterId, oldestOperator } = cluster.status
  const listeners = listenersOf(observed, plan.views)
  const planned = plannedFor(observed, plan.views, plan)
  const rebalance = rebalanceStatus(observed, plan)
  const status = withinBounds<LogClusterStatus>('LogCluster', {
    observedGeneration: cluster.metadata.generation,
    ...(clusterId === undefined ? {} : { clusterId }),
    ...(oldestOperator === undefined ? {} : { oldestOperator }),
    image,
    version,
    brokers: wanted,
    readyBrokers,
    ...(listeners === undefined ? {} : { listeners }),
    ...(planned === undefined ? {} : { plan: planned }),
    ...(rebalance === undefined ? {} : { rebalance }),
    columns: { brokers: `${readyBrokers}/${wanted}`, status: inAWord(findings) },
    conditions: conditionsFrom(findings, cluster.status.conditions, {
      generation: cluster.metadata.generation,
      now,
    }),
  })
  return plan.tooOld === null ? status : onlySeen(cluster.status, status)
}

/** What a newer operator has written, with no more of this one's over it than what it sees. */
function onlySeen(
  before: LogClusterStatus,
  { readyBrokers, columns, conditions = [] }: LogClusterStatus,
): LogClusterStatus {
  const types = new Set<string>(conditions.map(({ type }) => type))
  const others = before.conditions?.filter(({ type }) => !types.has(type)) ?? []
  return { ...before, readyBrokers, columns, conditions: [...others, ...conditions] }
}

type ClusterFindings = Readonly<Record<ClusterConditionType, Finding>>

function clusterFindings(passed: Passed): ClusterFindings {
  const { observed, plan } = passed
  const brokers = plan.views.map(view => findingsOf(view, observed, plan.settings))
  const Ready = isEnding(observed)
    ? ending.notReady
    : clusterReadiness(
        passed,
        brokers.map(each => each.Ready),
      )
  const Progressing = progress(observed, plan, Ready)
  const Degraded = degradation(passed)
  const isStable =
    isServedByAll(Ready) && Progressing.status === 'False' && Degraded.status === 'False'
  return {
    Ready,
    Progressing,
    Degraded,
    StorageHealthy: together(
      passed,
      brokers.map(each => each.StorageBound),
      'Bound',
    ),
    MetadataHealthy: metadata(passed),
    ConfigApplied: together(
      passed,
      brokers.map(each => each.ConfigApplied),
      'Applied',
    ),
    Paused: pause(observed),
    Stable: isStable
      ? yes('Stable', 'Clients are served, and there is nothing to do.')
      : no('Unstable', firstOf([Ready, Degraded, Progressing]).message),
  }
}

function pause(observed: Observed): Finding {
  if (isEnding(observed)) return ending.notPaused
  return observed.cluster.spec.reconciliation === 'Paused'
    ? yes('Paused', 'spec.reconciliation is Paused: the operator changes nothing.')
    : no('Active', 'The operator keeps the cluster as its spec says.')
}

/** The first that is not well, else that all are. */
function together(
  { plan, observed }: Passed,
  brokers: readonly Finding[],
  reason: string,
): Finding {
  if (isEnding(observed)) return ending.notAsked
  const { birth, settings } = plan
  if (birth.kind === 'blocked') return unknown(birth.reason, birth.message)
  if (birth.kind !== 'born') return unknown('Creating', 'The cluster has not begun yet.')
  if (reason === 'Applied' && settings.kind === 'problems') {
    return no(settings.reason, settings.problems.join('. '))
  }
  const wanting = brokers.find(({ status }) => status !== 'True')
  if (wanting !== undefined) return wanting
  const special = brokers.find(each => each.reason !== reason)
  return special ?? yes(reason, `All brokers (${brokers.length}): ${reason.toLowerCase()}.`)
}

/** As the brokers say, who read and write it. */
function metadata({ plan, observed }: Passed): Finding {
  if (isEnding(observed)) return ending.notAsked
  const { birth, views } = plan
  if (birth.kind === 'blocked') return no(birth.reason, birth.message)
  const seen = views.flatMap(({ sight }) => (sight?.kind === 'seen' ? [sight.status] : []))
  const quarantined = seen.find(({ quarantineReason }) => quarantineReason)
  if (quarantined !== undefined) return no('Quarantined', quarantined.quarantineReason!)
  if (seen.some(({ isMetadataWaiting }) => isMetadataWaiting)) {
    return no(
      'StoreUnreachable',
      'A broker cannot reach the API server: it serves, but topics and settings cannot change.',
    )
  }
  if (seen.length === views.length && seen.length > 0) {
    return yes('Reachable', 'The metadata log can be read and written.')
  }
  const former = formerly(observed.cluster.status.conditions, 'MetadataHealthy')
  return former ?? unknown('NotAsked', 'No broker has told of it yet.')
}

/** Where clients begin: in the cluster at the bootstrap Service, from outside at nodes that have a broker. */
function listenersOf(
  observed: Observed,
  views: readonly BrokerView[],
): LogClusterStatus['listeners'] {
  const { cluster, services } = observed
  const { namespace, name } = cluster.metadata
  const hosts = [...new Set(views.flatMap(({ pod }) => pod?.status?.hostIP ?? []))].toSorted()
  const found = cluster.spec.listeners.flatMap(listener => {
    if (listener.expose.type !== 'NodePort') {
      const host = serviceHost(names.bootstrapService(name), namespace)
      return [{ name: listener.name, bootstrap: endpointText(host, listener.port) }]
    }
    const service = named(services, names.listenerBootstrap(name, listener.name))
    const port = service?.spec?.ports?.[0]?.nodePort
    if (port !== undefined && hosts.length > 0) {
      return [{ name: listener.name, bootstrap: bootstrapOf(hosts, port) }]
    }
    return cluster.status.listeners?.filter(each => each.name === listener.name) ?? []
  })
  return found.length === 0 ? undefined : found
}

/** A client needs one that answers: of many nodes those that there is room for. */
function bootstrapOf(hosts: readonly string[], port: number): string {
  let bootstrap = ''
  for (const host of hosts) {
    const longer = `${bootstrap === '' ? '' : `${bootstrap},`}${endpointText(host, port)}`
    if (longer.length > bootstrapLengthMax) break
    bootstrap = longer
  }
  return bootstrap
}

/** What `kubectl get` prints. */
function inAWord({ Ready, Progressing, Degraded, Paused }: ClusterFindings): string {
  if (Paused.status === 'True') return 'Paused'
  if (Degraded.status === 'True') return Degraded.reason
  const isHeld = Ready.reason === 'WaitingForNode' || Ready.reason === 'Unschedulable'
  if (Progressing.status === 'True' && !isHeld) return Progressing.reason
  return isServedByAll(Ready) ? 'Running' : Ready.reason
}

/** No broker is missing. */
function isServedByAll({ status, reason }: Finding): boolean {
  return status === 'True' && reason === 'Serving'
}

/** The first that is not as it is in a cluster at rest. */
function firstOf([ready, degraded, progressing]: readonly [Finding, Finding, Finding]): Finding {
  if (!isServedByAll(ready)) return ready
  return degraded.status === 'True' ? degraded : progressing
}
