import type { ClusterPlaces, PartitionPlace, ReplicaMove } from '../brokers/brokers.ts'
import type { LogBroker } from '../crd/broker.ts'
import type { LogCluster } from '../crd/cluster.ts'
import { internalFactorOf } from '../desired/replication.ts'
import { finalReplicas } from '../moves/loads.ts'
import { movesToFactor } from '../moves/factor.ts'
import type { Moves } from '../moves/moves.ts'
import { movesTo } from '../moves/share.ts'
import type { BrokerView } from './broker-view.ts'
import type { Observed } from './observed.ts'
import { annotated } from './annotated.ts'
import type { Step } from './step.ts'

/** What moves among brokers that stay. */
export interface Rebalance {
  /** LogBrokers that came, and are given their share. */
  readonly arriving: readonly LogBroker[]
  readonly share: Moves
  /** Internal topics that are given as many replicas as are declared. */
  readonly raise: Moves
}

/** On a LogBroker: it held nothing when others held something, and does not have its share yet. */
const arrivingAnnotation = 'logcluster.dev/arriving'

/** Whether replicas may be asked to move: `spec.rebalance` can hold that up. */
export function mayMove({ spec }: Pick<LogCluster, 'spec'>): boolean {
  return spec.rebalance.state === 'Active'
}

/** Whether who holds what decides something about brokers that stay. */
export function needsRebalance({
  cluster,
  logBrokers: all,
  sights,
  glance,
}: Pick<Observed, 'cluster' | 'logBrokers' | 'sights' | 'glance'>): boolean {
  if (all.some(isArriving)) return true
  const seen = [...sights.values()].flatMap(each => (each.kind === 'seen' ? [each.status] : []))
  if (seen.length > 1 && seen.some(({ partitionCount }) => partitionCount === 0)) return true
  if (glance === null) return false
  const factor = internalFactorOf(cluster)
  return glance.movingCount > 0 || glance.partitions.some(place => isBelow(place, factor))
}

/** Of brokers that serve and were heard. `isWhole`: these are all: who does not serve now may be the one that has less than the others. */
export function rebalanceOf(
  { cluster }: Pick<Observed, 'cluster'>,
  places: ClusterPlaces,
  { serving, isWhole }: { readonly serving: readonly BrokerView[]; readonly isWhole: boolean },
): Rebalance {
  const ids = serving.map(({ broker }) => broker.brokerId)
  const arriving = serving.filter(view => {
    const { logBroker } = view
    return logBroker !== null && (isArriving(logBroker) || isEmpty(view, places))
  })
  const isShared = isWhole && arriving.length > 0
  const factor = internalFactorOf(cluster)
  return {
    arriving: arriving.flatMap(({ logBroker }) => logBroker ?? []),
    share: isShared
      ? movesTo(
          places,
          arriving.map(({ broker }) => broker.brokerId),
          ids,
        )
      : none(places),
    raise:
      ids.length < factor
        ? none(places)
        : movesToFactor(places, place => (isBelow(place, factor) ? factor : null), ids),
  }
}

/** First it is written down who came, so that whoever is interrupted goes on; in the end that is taken away. */
export function arrivalSteps({ arriving, share }: Rebalance): Step[] {
  const isOver = share.waitingCount === 0 && share.movingCount === 0
  return arriving.flatMap(broker => {
    if (isArriving(broker))
      return isOver ? [annotated(broker, arrivingAnnotation, null, 'it has its share')] : []
    return share.waitingCount === 0
      ? []
      : [annotated(broker, arrivingAnnotation, 'true', 'it holds nothing yet')]
  })
}

/** Everything that is on its way, to be called off where the spec says so. */
export function callOffs({ spec }: LogCluster, { partitions }: ClusterPlaces): ReplicaMove[] {
  if (spec.rebalance.state !== 'Cancelled') return []
  return partitions
    .filter(({ isMoving }) => isMoving)
    .map(({ topic, index }) => ({ topic, index, replicas: null }))
}

function isArriving({ metadata }: LogBroker): boolean {
  return metadata.annotations?.[arrivingAnnotation] !== undefined
}

function isEmpty({ sight, broker }: BrokerView, { partitions }: ClusterPlaces): boolean {
  if (sight?.kind !== 'seen' || sight.status.partitionCount > 0) return false
  return !partitions.some(({ replicas }) => replicas.includes(broker.brokerId))
}

/** They are raised, and never lowered: who has more of them wanted that. */
function isBelow(place: PartitionPlace, factor: number): boolean {
  return place.isInternal === true && finalReplicas(place).length < factor
}

function none({ movingCount }: ClusterPlaces): Moves {
  return { moves: [], movingCount, waitingCount: 0, stuck: [] }
}
