import type { LogClusterStatus } from '../crd/cluster.ts'
import type { BrokerView } from './broker-view.ts'
import { cordonedNodeOf } from './cordon.ts'
import { isAlone } from './departure.ts'
import { drainReason } from './leadership.ts'
import type { Observed } from './observed.ts'
import { isServing } from './pod-health.ts'
import type { Roll } from './roll.ts'
import { atRisk, type ToldCluster } from './told.ts'

type PlanEntry = NonNullable<LogClusterStatus['plan']>[number]

/** Partitions that are named for one broker. */
const namesMax = 20

/** What is going to happen to brokers, in order, and what it waits for; undefined where nothing is. */
export function plannedFor(
  observed: Observed,
  views: readonly BrokerView[],
  { told, roll }: { readonly told: ToldCluster | null; readonly roll: Roll },
): LogClusterStatus['plan'] {
  if (isAlone(observed)) return undefined
  const entries = [
    ...views.flatMap(view => drainEntry(view, observed, { told, roll }) ?? []),
    ...(roll.kind === 'idle' ? [] : restartEntries(roll)),
  ]
  return entries.length === 0 ? undefined : entries
}

function drainEntry(
  view: BrokerView,
  observed: Observed,
  { told, roll }: { readonly told: ToldCluster | null; readonly roll: Roll },
): PlanEntry | null {
  const isOfRoll = roll.kind !== 'idle' && roll.next === view
  const reason = drainReason(view, observed, { kind: 'idle' })
  if (reason === null || isOfRoll) return null
  const known = told?.brokers.get(view.broker.brokerId)
  const { names } = known === undefined ? { names: [] } : atRisk(known)
  const isEmpty = known?.isDrained === true
  const isLeaving = cordonedNodeOf(view, observed.nodes) !== null
  return entry(view, 'Drain', {
    state: isEmpty ? 'Drained' : 'Draining',
    message:
      isLeaving && names.length > 0 ? `${reason}; evicting it now would harm partitions` : reason,
    partitions: isLeaving ? names : [],
  })
}

function restartEntries(roll: Exclude<Roll, { readonly kind: 'idle' }>): PlanEntry[] {
  const { due, next } = roll
  const first = next ?? due[0]!
  const rest = due.filter(view => view !== first)
  return [
    firstEntry(first, roll),
    ...rest.map(view =>
      entry(view, 'Restart', {
        state: 'Waiting',
        message: `after broker ${first.broker.name}`,
        partitions: [],
      }),
    ),
  ]
}

function firstEntry(view: BrokerView, roll: Exclude<Roll, { readonly kind: 'idle' }>): PlanEntry {
  if (roll.kind === 'wait') {
    const { waitsFor: message, partitions } = roll
    return entry(view, 'Restart', { state: 'Waiting', message, partitions })
  }
  const state = roll.kind === 'drain' ? 'Draining' : 'Restarting'
  const message = isServing(view) ? 'it is the next' : 'it does not serve anyway'
  return entry(view, 'Restart', { state, message, partitions: [] })
}

function entry(
  { broker }: BrokerView,
  action: PlanEntry['action'],
  { partitions, ...more }: Pick<PlanEntry, 'state' | 'message'> & { partitions: readonly string[] },
): PlanEntry {
  const named = partitions.slice(0, namesMax)
  return {
    broker: broker.name,
    action,
    ...more,
    ...(named.length === 0 ? {} : { partitions: named }),
  }
}
