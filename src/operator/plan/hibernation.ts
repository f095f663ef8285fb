import { isAbsenceAccepted } from './absence.ts'
import type { BrokerView } from './broker-view.ts'
import { departingOf } from './departure.ts'
import { durationOf } from './duration.ts'
import type { Observed } from './observed.ts'
import { isServing } from './pod-health.ts'
import type { Step } from './step.ts'
import { toldCluster } from './told.ts'

/** What brokers are told by who keeps in-sync sets (src/broker/metadata/replicas.ts). */
const freezeConfig = 'hibernation.freeze.enable'

/** How far a cluster is on its way to sleep, or out of it. It is found anew from what is, so that any operator goes on with it. */
export type Hibernation =
  /** It runs, and is to. */
  | { readonly kind: 'awake' }
  /** Writes are to be refused from here on, or taken again; `teller` is the broker to tell it to. */
  | { readonly kind: 'freeze' | 'thaw'; readonly teller: string }
  | {
      readonly kind: 'wait'
      /** Writes are refused already. */
      readonly isFrozen: boolean
      /** For what, as a clause: `broker orders-main-1 does not serve in sync`. */
      readonly waitsFor: string
    }
  /** All may stop, or have. */
  | { readonly kind: 'stop' }

/**
 * Of several brokers all stop together, and no in-sync set may shrink by it: the one that stopped last would have the only copy that
 * counts. So the cluster is whole first, then it is frozen, which keeps who stops in sync; when every broker says that it knows, and
 * that everything is copied, all are stopped. What was begun is ended, whoever answers still. It wakes in the reverse order: all
 * are started, and when all serve again, with the same in-sync sets, it is thawed. One broker alone is stopped as it is.
 */
export function hibernationOf(observed: Observed, views: readonly BrokerView[]): Hibernation {
  const isWanted = observed.cluster.spec.state === 'Hibernated'
  if (views.length < 2) return { kind: isWanted ? 'stop' : 'awake' }
  return isWanted ? toSleep(observed, views) : toWake(observed, views)
}

function toSleep(observed: Observed, views: readonly BrokerView[]): Hibernation {
  const told = views.filter(isTelling)
  const isFrozen = told.some(isFrozenAt)
  const isBegun = views.some(({ statefulSet }) => statefulSet?.spec?.replicas === 0)
  if (views.every(({ pod }) => pod === null)) return { kind: 'stop' }
  if (isBegun && told.every(isFrozenAt)) return { kind: 'stop' }
  const wait = (waitsFor: string): Hibernation => ({ kind: 'wait', isFrozen, waitsFor })
  const awaited = awaitedOf(views)
  const away = awaited.find(view => !isServing(view))
  if (away !== undefined) return wait(`broker ${away.broker.name} does not serve in sync`)
  const [leaving] = departingOf(observed)
  if (leaving !== undefined) return wait(`broker ${leaving.metadata.name} leaves first`)
  const deaf = awaited.find(view => !isFrozenAt(view))
  if (deaf !== undefined) {
    const [teller] = told
    if (isFrozen || teller === undefined) {
      return wait(`broker ${deaf.broker.name} does not say that it refuses writes`)
    }
    return { kind: 'freeze', teller: teller.broker.name }
  }
  const ahead = awaited.find(view => uncopiedCount(view) !== 0)
  if (ahead === undefined) return { kind: 'stop' }
  return wait(`what broker ${ahead.broker.name} leads is not copied yet`)
}

/**
 * Whom the way to sleep waits for. One whose absence is accepted is left behind only where the others have taken it out: then nothing is
 * committed by it, whether it still runs somewhere or not, and no in-sync set changes by the sleep.
 */
function awaitedOf(views: readonly BrokerView[]): readonly BrokerView[] {
  const told = toldCluster(views)
  return views.filter(view => {
    const isFenced = told?.brokers.get(view.broker.brokerId)?.isFenced === true
    return !isFenced || isServing(view) || !isAbsenceAccepted(view.logBroker)
  })
}

/** A broker that is long in coming is waited for no longer: the others have all that is committed, and it catches up. */
function toWake({ cluster, nowMs }: Observed, views: readonly BrokerView[]): Hibernation {
  const frozen = views.filter(isFrozenAt)
  if (frozen.length === 0) return { kind: 'awake' }
  const graceMs = durationOf(cluster.spec.disruption.nodeGracePeriod) ?? Infinity
  const isGivenUp = ({ pod, logBroker }: BrokerView): boolean =>
    isAbsenceAccepted(logBroker) ||
    nowMs - Date.parse(pod?.metadata.creationTimestamp ?? '') > graceMs
  const late = views.find(view => !isServing(view) && !isGivenUp(view))
  const teller = frozen.find(isServing)
  if (late === undefined && teller !== undefined) {
    return { kind: 'thaw', teller: teller.broker.name }
  }
  const { name } = (late ?? frozen[0]!).broker
  return { kind: 'wait', isFrozen: true, waitsFor: `broker ${name} does not serve yet` }
}

/** Its settings are known, as it has them from the metadata log. */
function isTelling({ sight }: BrokerView): boolean {
  return sight?.kind === 'seen' && sight.configs !== null
}

/** Only what is set for all brokers counts, and can be taken back for all of them. */
function isFrozenAt({ sight }: BrokerView): boolean {
  if (sight?.kind !== 'seen') return false
  const found = sight.configs?.get(freezeConfig)
  return found?.source === 'dynamic of all' && found.value === 'true'
}

/** Partitions that it leads and that others in sync lack something of; -1 where it did not say. */
function uncopiedCount({ sight }: BrokerView): number {
  return sight?.kind === 'seen' ? (sight.status.uncopiedCount ?? -1) : -1
}

/** Views of brokers that run on for now although they are to be stopped. */
export function heldBy(
  hibernation: Hibernation,
  views: readonly BrokerView[],
): readonly BrokerView[] {
  return hibernation.kind === 'stop' ? views : views.map(view => ({ ...view, isHeld: true }))
}

export function hibernationSteps(hibernation: Hibernation): Step[] {
  switch (hibernation.kind) {
    case 'freeze':
      return [
        set(hibernation.teller, 'true', {
          because: 'spec.state is Hibernated',
          reason: 'ClusterFrozen',
          note: 'Writes are refused from here on, and clients try again: the cluster is hibernated, and all its brokers stop with the same in-sync sets.',
        }),
      ]
    case 'thaw':
      return [
        set(hibernation.teller, null, {
          because: 'spec.state is Running, and the brokers are back',
          reason: 'ClusterThawed',
          note: 'Writes are taken again: the brokers are back in sync.',
        }),
      ]
    case 'awake':
    case 'wait':
    case 'stop':
      return []
  }
}

function set(
  broker: string,
  value: 'true' | null,
  told: { readonly because: string; readonly reason: string; readonly note: string },
): Step {
  const { because, reason, note } = told
  return {
    do: 'alter configs',
    broker,
    changes: [{ of: { kind: 'all brokers' }, configs: { [freezeConfig]: value } }],
    what: `${freezeConfig} of all brokers`,
    because,
    event: { type: 'Normal', reason, action: 'Hibernate', note },
  }
}
