import type { BrokerView } from './broker-view.ts'
import { cordonedNodeOf } from './cordon.ts'
import { isAlone } from './departure.ts'
import type { Observed } from './observed.ts'
import { isServing } from './pod-health.ts'
import type { Roll } from './roll.ts'
import type { Step } from './step.ts'
import type { ToldCluster } from './told.ts'

/** What brokers are told by who elects leaders (src/broker/metadata/replicas.ts). */
const drainConfig = 'leadership.drain.enable'

/** Why a broker is to lead nothing for now; null where it may. */
export function drainReason(
  view: BrokerView,
  { nodes }: Pick<Observed, 'nodes'>,
  roll: Roll,
): string | null {
  const node = cordonedNodeOf(view, nodes)
  if (node !== null) return `node ${node} is being drained`
  if (view.logBroker?.spec.leadership === 'Drained') return 'spec.leadership is Drained'
  const isNext = (roll.kind === 'drain' || roll.kind === 'restart') && roll.next === view
  return isNext ? 'it is the next to be restarted' : null
}

/**
 * Moves leadership off brokers that are about to go, and gives it back once they serve in sync. The controller keeps to it whoever that is, and
 * for as long as nobody takes it back; of a single broker there is nobody to hand over to. In a roll both are one hand-over: who was
 * restarted leads again first, so that who is next hands over to it too, and no partition moves more than once by it.
 */
export function leadershipSteps(
  observed: Observed,
  views: readonly BrokerView[],
  { told, roll }: { readonly told: ToldCluster | null; readonly roll: Roll },
): Step[] {
  if (isAlone(observed) || told === null) return []
  const back: Step[] = []
  const off: Step[] = []
  for (const view of views) {
    const known = told.brokers.get(view.broker.brokerId)
    // Its own settings are taken by the broker itself, and by no other.
    if (known === undefined || view.sight?.kind !== 'seen') continue
    const reason = drainReason(view, observed, roll)
    if (reason === null) {
      if (known.isDrained && isServing(view)) back.push(givenBack(view))
      continue
    }
    // A broker that leads nothing is restarted as it is.
    const isGoing = roll.kind === 'restart' && roll.next === view
    if (!known.isDrained && !isGoing) off.push(drained(view, reason))
  }
  return [...back, ...off]
}

function drained({ broker }: BrokerView, because: string): Step {
  return {
    do: 'alter configs',
    broker: broker.name,
    changes: [{ of: { kind: 'broker', id: broker.brokerId }, configs: { [drainConfig]: 'true' } }],
    what: `leadership of ${broker.name}`,
    because,
    isOptional: true,
    event: {
      type: 'Normal',
      reason: 'LeadershipDrained',
      action: 'Drain',
      note: `Broker ${broker.name} leads nothing that another can: ${because}.`,
    },
  }
}

function givenBack({ broker }: BrokerView): Step {
  return {
    do: 'alter configs',
    broker: broker.name,
    changes: [{ of: { kind: 'broker', id: broker.brokerId }, configs: { [drainConfig]: null } }],
    what: `leadership of ${broker.name}`,
    because: 'it serves in sync, and is not about to go',
    isOptional: true,
    event: {
      type: 'Normal',
      reason: 'LeadershipGivenBack',
      action: 'Drain',
      note: `Broker ${broker.name} leads again what prefers it.`,
    },
  }
}
