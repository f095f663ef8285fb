import type { LogClusterStatus } from '../crd/cluster.ts'
import type { Observed } from '../plan/observed.ts'
import type { Plan } from '../plan/plan.ts'
import { catchUpBytes, roughQuantity } from './catch-up.ts'

/** Replicas that move, as numbers; undefined where none do, and none have to. */
export function rebalanceStatus(
  { places, sights }: Pick<Observed, 'places' | 'sights'>,
  { scaling: { departing, away, rebalance } }: Plan,
): LogClusterStatus['rebalance'] {
  const moving = places?.movingCount ?? 0
  const left = departing.length > 0 ? (away?.waitingCount ?? 0) : 0
  const raised = rebalance?.raise.waitingCount ?? 0
  const shared = rebalance?.share.waitingCount ?? 0
  const waiting = left + raised + shared
  if (moving + waiting === 0) return undefined
  const isArriving = rebalance !== null && rebalance.arriving.length > 0
  const reason =
    departing.length > 0
      ? 'BrokersLeave'
      : raised > 0
        ? 'InternalTopics'
        : isArriving
          ? 'BrokersArrive'
          : 'Asked'
  const bytes = [...catchUpBytes({ sights }).values()].reduce((sum, each) => sum + each, 0)
  const catchUp = roughQuantity(bytes)
  return { reason, moving, waiting, ...(catchUp === undefined ? {} : { catchUp }) }
}
