import type { BrokerStatus } from '../brokers/brokers.ts'
import { checkOf } from '../plan/check.ts'
import type { BrokerView } from '../plan/broker-view.ts'
import { isEnding } from '../plan/deletion.ts'
import { identityStateOf, replacementRefusal } from '../plan/identity.ts'
import type { Observed } from '../plan/observed.ts'
import type { Plan } from '../plan/plan.ts'
import { healthOf } from '../plan/pod-health.ts'
import { rackOf } from '../plan/rack.ts'
import { sharedAtNode } from '../plan/shared-addresses.ts'
import { storageOf, storageTrouble } from '../plan/storage.ts'
import { nodeOf } from './broker-readiness.ts'
import { no, yes, type Finding } from './conditions.ts'

/** A write that the API server, or a broker, did not do. */
export interface Trouble {
  /** What was to be written. */
  readonly what: string
  /** CamelCase. */
  readonly reason: string
  readonly message: string
  /** It was done, and somebody made something else of it: nothing that rests on it need wait. */
  readonly isWritten?: true
}

/** What needs a person, each with a sentence that says what to do. Clients may be served all the same. */
export function degradation({
  observed,
  plan,
  troubles,
}: {
  readonly observed: Observed
  readonly plan: Plan
  readonly troubles: readonly Trouble[]
}): Finding {
  const found = [
    ...(isEnding(observed) ? [] : needs(observed, plan)),
    ...troubles.map(({ what, reason, message }) => ({ reason, message: `${what}: ${message}` })),
  ]
  const [first] = found
  if (first === undefined) return no('Well', 'Nothing needs a person.')
  return yes(first.reason, found.map(({ message }) => message).join(' '))
}

/** What of the cluster is not as it is wanted. */
function needs(observed: Observed, plan: Plan): { reason: string; message: string }[] {
  const { birth, tooOld, settings, views } = plan
  const found: { reason: string; message: string }[] = []
  if (tooOld !== null) found.push(tooOld)
  if (birth.kind === 'blocked') found.push(birth)
  if (settings.kind === 'problems') {
    found.push({ reason: settings.reason, message: settings.problems.join('. ') })
  }
  // Of addresses that are planned alike the settings tell.
  const atNode = settings.kind === 'problems' ? null : sharedAtNode(views)
  if (atNode !== null) found.push(atNode)
  for (const view of views) found.push(...degradationOf(view, observed))
  for (const verdict of plan.disks.values()) {
    if (verdict.kind !== 'deferred') continue
    const { loss, message } = verdict
    found.push({ reason: 'ReplacementDeferred', message: `${loss.message} ${message}` })
  }
  found.push(...untoldRacks(observed, views))
  found.push(...stoppedRoll(observed, plan), ...blockedDeparture(plan))
  return found
}

/** A broker that is not told its rack waits, and nobody but a person can tell it. */
function untoldRacks(
  observed: Observed,
  views: readonly BrokerView[],
): { reason: string; message: string }[] {
  return views.flatMap(view => {
    const state = rackOf(view, observed)
    return state.kind === 'untold' ? [{ reason: 'RackUnknown', message: state.message }] : []
  })
}

/** The first broker with what is new does not come up: it stays the only one. */
function stoppedRoll(
  { nodes }: Pick<Observed, 'nodes'>,
  { views, roll }: Plan,
): { reason: string; message: string }[] {
  if (roll.kind !== 'wait') return []
  const bad = views.find(view => !roll.due.includes(view) && isHopeless(view, nodes))
  if (bad === undefined) return []
  return [
    {
      reason: 'RolloutStopped',
      message: `Broker ${bad.broker.name} does not come up with what is new, so the others (${roll.due.length}) are left as they are and serve on: repair the spec, and it is tried again.`,
    },
  ]
}

/** It does not come up by itself. One that waits for its node is no proof against what is new. */
function isHopeless(view: BrokerView, nodes: Observed['nodes']): boolean {
  const { kind } = healthOf(view.pod)
  if (kind !== 'unschedulable') return kind === 'broken'
  const node = nodes.get(nodeOf(view) ?? '')
  return typeof node === 'object' && node !== null && node.spec?.unschedulable !== true
}

/** A partition needs as many brokers as it has replicas. */
function blockedDeparture({ scaling }: Plan): { reason: string; message: string }[] {
  const stuck = scaling.away?.stuck ?? []
  const [first] = stuck
  if (first === undefined) return []
  const leaving = scaling.departing.map(({ metadata }) => metadata.name).join(', ')
  return [
    {
      reason: 'ScaleDownBlocked',
      message:
        `${leaving} cannot leave: ${stuck.length} partitions, first ${first.topic}-${first.index}, have ${first.replicas.length} replicas, ` +
        `and fewer brokers that serve would be left. Give their topics fewer replicas, or give back the number of brokers.`,
    },
  ]
}

function degradationOf(
  view: BrokerView,
  observed: Observed,
): { reason: string; message: string }[] {
  const found: { reason: string; message: string }[] = []
  const storage = storageOf(view)
  if (storage.kind === 'lost') found.push(storage)
  const trouble = storageTrouble(view)
  if (trouble !== null) found.push(trouble)
  const identity = identityStateOf(view)
  if (identity.kind === 'wrong') found.push(identity)
  const health = healthOf(view.pod)
  if (health.kind === 'broken') found.push(health)
  const check = checkOf(view)
  if (check.kind === 'failed') {
    const why = check.reason === 'CheckRefused' ? 'could not be tried beforehand' : 'would fail'
    found.push({
      reason: 'CheckFailed',
      message: `Broker ${view.broker.name} was not restarted, because what is new ${why}: ${check.message}`,
    })
  }
  if (check.kind === 'unschedulable') {
    found.push({
      reason: 'CheckUnschedulable',
      message: `What is new to broker ${view.broker.name} could not be tried beforehand (${check.message}): it is restarted all the same.`,
    })
  }
  const refusal = replacementRefusal(view, observed)
  if (refusal !== null) found.push({ reason: 'ReplacementRefused', message: refusal })
  if (view.sight?.kind === 'seen') found.push(...toldBy(view.broker.name, view.sight.status))
  return found
}

/** What a broker says of itself. */
function toldBy(
  broker: string,
  { quarantineReason, offlinePartitions }: BrokerStatus,
): { reason: string; message: string }[] {
  const found: { reason: string; message: string }[] = []
  if (quarantineReason) {
    found.push({ reason: 'Quarantined', message: `Broker ${broker}: ${quarantineReason}` })
  }
  const [first] = offlinePartitions
  if (first !== undefined) {
    found.push({
      reason: 'PartitionsOffline',
      message: `Broker ${broker} cannot serve ${offlinePartitions.length} partitions, first ${first.topic}-${first.partitionIndex}: ${first.reason}`,
    })
  }
  return found
}
