import type { BrokerView } from './broker-view.ts'
import { cordonedNodeOf } from './cordon.ts'
import { isAlone } from './departure.ts'
import { restartReason } from './due.ts'
import type { Observed } from './observed.ts'
import { healthOf, isServing } from './pod-health.ts'
import { isTemplateCurrent } from './template.ts'
import { atRisk, type ToldBroker, type ToldCluster } from './told.ts'

/** Where the restarts that are due have come to. It is found anew from what is, so that any operator goes on with it. */
export type Roll =
  | { readonly kind: 'idle' }
  /** The next broker leads something that others can: it hands over first. */
  | { readonly kind: 'drain'; readonly next: BrokerView; readonly due: readonly BrokerView[] }
  | { readonly kind: 'restart'; readonly next: BrokerView; readonly due: readonly BrokerView[] }
  | {
      readonly kind: 'wait'
      /** null where none is chosen yet. */
      readonly next: BrokerView | null
      readonly due: readonly BrokerView[]
      /** For what, as a clause: `broker orders-main-1 does not serve`. */
      readonly waitsFor: string
      /** Partitions that are in the way, `topic-index`: the first few. */
      readonly partitions: readonly string[]
    }

/**
 * One broker at a time, and first one that does not run anyway: its restart harms nobody, and a repaired spec reaches it. One that runs
 * waits until all others serve, which they do only in sync; until no partition would lose its leader or its acks=all by it; and until it has handed
 * over what it leads. So a first broker that does not come up with what is new stops the rest, who serve on with what they have.
 */
export function rollOf(
  observed: Pick<Observed, 'nodes' | 'cluster' | 'logBrokers'>,
  views: readonly BrokerView[],
  told: ToldCluster | null,
): Roll {
  const { nodes } = observed
  const due = views.filter(view => restartReason(view) !== null && isTemplateCurrent(view))
  if (due.length === 0) return { kind: 'idle' }
  const broken = due.find(view => !isServing(view))
  if (broken !== undefined) return rollOfBroken(broken, due, told)
  const wait = (waitsFor: string, more: Partial<Extract<Roll, { kind: 'wait' }>> = {}): Roll => {
    return { kind: 'wait', next: null, due, waitsFor, partitions: [], ...more }
  }
  const away = views.find(view => !isServing(view))
  if (away !== undefined) return wait(`broker ${away.broker.name} does not serve in sync`)
  if (isAlone(observed)) return { kind: 'restart', next: due[0]!, due }
  if (told === null) return wait('no broker tells what a restart would risk')
  const able = due.filter(view => cordonedNodeOf(view, nodes) === null)
  const [next] = inOrder(able, told)
  if (next === undefined) {
    return wait(
      `node ${cordonedNodeOf(due[0]!, nodes)} takes no pods, so that a broker there would not come back`,
    )
  }
  const risk = told.brokers.get(next.broker.brokerId)
  if (risk === undefined) return wait('the cluster does not know the broker yet', { next })
  const { count, names } = atRisk(risk)
  if (count > 0) return wait(riskText(count, names), { next, partitions: names })
  return { kind: risk.leads > 0 && !risk.isDrained ? 'drain' : 'restart', next, due }
}

/** A process that runs may be in sync sets although it does not serve all of them; one that does not harms nobody by its end. */
function rollOfBroken(
  next: BrokerView,
  due: readonly BrokerView[],
  told: ToldCluster | null,
): Roll {
  const { kind } = healthOf(next.pod)
  const wait = { kind: 'wait', next, due } as const
  if (kind === 'ending') return { ...wait, waitsFor: 'its pod is ending', partitions: [] }
  const risk = kind === 'running' ? told?.brokers.get(next.broker.brokerId) : undefined
  const { count, names } = risk === undefined ? { count: 0, names: [] } : atRisk(risk)
  if (count > 0) return { ...wait, waitsFor: riskText(count, names), partitions: names }
  return { kind: 'restart', next, due }
}

/** Who has handed over already goes on, and the controller comes last, so that its office moves once. */
function inOrder(due: readonly BrokerView[], told: ToldCluster): readonly BrokerView[] {
  const isDrained = ({ broker }: BrokerView): boolean =>
    told.brokers.get(broker.brokerId)?.isDrained === true
  const rank = (view: BrokerView): number =>
    isDrained(view) ? 0 : view.broker.brokerId === told.controllerId ? 2 : 1
  return due.toSorted((a, b) => rank(a) - rank(b))
}

/** What stands in the way of a restart, as a clause. */
function riskText(count: ToldBroker['leads'], names: readonly string[]): string {
  const [first] = names
  return `${count} partitions have too few other replicas in sync, first ${first}`
}
