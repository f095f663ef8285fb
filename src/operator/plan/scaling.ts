import type { ReplicaMove } from '../brokers/brokers.ts'
import type { LogBroker } from '../crd/broker.ts'
import { movesAway } from '../moves/away.ts'
import type { Moves } from '../moves/moves.ts'
import type { BrokerView } from './broker-view.ts'
import { departingOf, departureSteps } from './departure.ts'
import type { Observed } from './observed.ts'
import { isHeard } from './pod-health.ts'
import {
  arrivalSteps,
  callOffs,
  mayMove,
  needsRebalance,
  rebalanceOf,
  type Rebalance,
} from './rebalance.ts'
import type { Step, StepEvent } from './step.ts'
import type { ToldCluster } from './told.ts'

/** What becomes of replicas while brokers come and go. */
export interface Scaling {
  /** Brokers that the spec has no place for any more, whoever leaves first before. */
  readonly departing: readonly LogBroker[]
  /** Replicas that leave with them; null where none do, or nobody told who holds what. */
  readonly away: Moves | null
  /** What moves among those that stay; null while brokers leave, and where nothing asks for it or nobody told. */
  readonly rebalance: Rebalance | null
}

/** Whether who holds what decides something: brokers leave or came, or internal topics have too few replicas; or somebody wants to see it. */
export function needsPlaces(
  observed: Pick<Observed, 'cluster' | 'logBrokers' | 'sights' | 'glance'>,
): boolean {
  if (departingOf(observed).length > 0) return true
  return observed.cluster.spec.state !== 'Hibernated' && needsRebalance(observed)
}

export function scalingOf(observed: Observed, views: readonly BrokerView[]): Scaling {
  const departing = departingOf(observed)
  const { places } = observed
  if (places === null) return { departing, away: null, rebalance: null }
  const serving = views.filter(isHeard)
  if (departing.length === 0) {
    const isWhole = serving.length === views.length
    return { departing, away: null, rebalance: rebalanceOf(observed, places, { serving, isWhole }) }
  }
  const leaving = new Set(departing.map(({ spec }) => spec.brokerId))
  const staying = serving.map(({ broker }) => broker.brokerId)
  return { departing, away: movesAway(places, leaving, staying), rebalance: null }
}

/** Brokers that leave are emptied and removed, those that came are given their share, and internal topics their replicas. */
export function scalingSteps(
  observed: Observed,
  found: {
    readonly views: readonly BrokerView[]
    readonly scaling: Scaling
    readonly told: ToldCluster | null
  },
): Step[] {
  const { views, scaling, told } = found
  const teller = views.find(({ sight }) => sight?.kind === 'seen')?.broker.name
  if (teller === undefined) return []
  const { cordons, removals } = departureSteps(observed, {
    views,
    departing: scaling.departing,
    told,
    teller,
  })
  return [...cordons, ...moveSteps(observed, scaling, teller), ...removals]
}

function moveSteps({ cluster, places }: Observed, scaling: Scaling, teller: string): Step[] {
  const { away, rebalance } = scaling
  const calledOff = places === null ? [] : callOffs(cluster, places)
  if (calledOff.length > 0) return moved(teller, calledOff, cancelled(calledOff.length))
  if (!mayMove(cluster)) return []
  if (away !== null) return moved(teller, away.moves, begun(away.moves, 'their brokers leave'))
  if (rebalance === null) return []
  const { raise, share } = rebalance
  // One after the other, since each is planned as if it were alone.
  const isRaised = raise.moves.length > 0
  const because = `internal topics are to have more replicas, as there are brokers for them`
  return [
    ...arrivalSteps(rebalance),
    ...moved(teller, raise.moves, begun(raise.moves, because)),
    ...(isRaised
      ? []
      : moved(teller, share.moves, begun(share.moves, 'brokers that came hold too little yet'))),
  ]
}

type Story = Pick<StepEvent, 'reason' | 'note'> & Pick<Step, 'because'>

function begun({ length }: readonly ReplicaMove[], because: string): Story {
  const note = `Replicas of ${length} partitions begin to move: ${because}.`
  return { because, reason: 'ReplicasMove', note }
}

function cancelled(count: number): Story {
  return {
    because: 'spec.rebalance.state is Cancelled',
    reason: 'ReassignmentsCancelled',
    note: `Reassignments of ${count} partitions are called off, because spec.rebalance.state is Cancelled: who held them before holds them.`,
  }
}

function moved(broker: string, moves: readonly ReplicaMove[], story: Story): Step[] {
  if (moves.length === 0) return []
  const { because, reason, note } = story
  return [
    {
      do: 'move replicas',
      broker,
      moves,
      what: `Replicas of ${moves.length} partitions`,
      because,
      event: { type: 'Normal', reason, action: 'Rebalance', note },
    },
  ]
}
