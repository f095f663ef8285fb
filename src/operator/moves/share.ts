import type { ClusterPlaces, PartitionPlace } from '../brokers/brokers.ts'
import { finalReplicas, Loads } from './loads.ts'
import { asManyAsMayMove, type Moves } from './moves.ts'

/**
 * What brokers that came are given, until each holds as many replicas as the others, and is preferred as leader as often: from whoever
 * has most, and of those partitions for which the racks stay as many. Same input, same moves; whoever asks again after some
 * were made, or while they are on their way, gets the rest.
 */
export function movesTo(
  places: ClusterPlaces,
  arriving: readonly number[],
  all: readonly number[],
): Moves {
  const loads = new Loads(places)
  const total = places.partitions.reduce((sum, place) => sum + finalReplicas(place).length, 0)
  const fair = Math.floor(total / all.length)
  const fairFirsts = Math.floor(places.partitions.length / all.length)
  const movable = places.partitions.filter(({ isMoving }) => !isMoving)
  const moved = new Map<PartitionPlace, readonly number[]>()
  const move = (place: PartitionPlace, replicas: readonly number[]): void => {
    loads.add(place.replicas, -1)
    loads.add(replicas, 1)
    moved.set(place, replicas)
  }
  const giving = { loads, fair, fairFirsts, racks: places.racks }
  for (const id of arriving) {
    for (const place of movable) {
      if (loads.of(id) >= fair) break
      if (moved.has(place) || place.replicas.includes(id)) continue
      const donor = donorOf(place, { ...giving, id })
      if (donor === null) continue
      move(
        place,
        place.replicas.map(each => (each === donor ? id : each)),
      )
    }
    for (const place of ledByMost(movable, loads)) {
      if (loads.firstsOf(id) >= fairFirsts) break
      const [first] = place.replicas
      if (moved.has(place) || first === id || !place.replicas.includes(id)) continue
      // Nothing is copied for another order.
      if (loads.firstsOf(first!) > fairFirsts) move(place, asFirst(place.replicas, id))
    }
  }
  const moves = Array.from(moved, ([{ topic, index }, replicas]) => ({ topic, index, replicas }))
  return asManyAsMayMove(moves, places)
}

/** Those first whose preferred leader has most of them. */
function ledByMost(movable: readonly PartitionPlace[], loads: Loads): PartitionPlace[] {
  const firstsOf = ({ replicas }: PartitionPlace): number => loads.firstsOf(replicas[0] ?? -1)
  return movable.toSorted((a, b) => firstsOf(b) - firstsOf(a))
}

function asFirst(replicas: readonly number[], id: number): readonly number[] {
  return [id, ...replicas.filter(each => each !== id)]
}

interface Giving {
  readonly id: number
  readonly loads: Loads
  readonly fair: number
  readonly fairFirsts: number
  readonly racks: ClusterPlaces['racks']
}

/** Of the replicas of a partition the one of a broker that has more than is fair; null where none has. */
function donorOf({ replicas }: PartitionPlace, giving: Giving): number | null {
  const { id, loads, fair, fairFirsts, racks } = giving
  const rackOf = (each: number): string => racks.get(each) ?? `${each}`
  const racksOf = (ids: readonly number[]): number => new Set(ids.map(rackOf)).size
  const [donor] = replicas
    .filter((each, at) => {
      if (loads.of(each) <= fair) return false
      if (at === 0 && loads.firstsOf(id) >= fairFirsts) return false
      return racksOf(replicas.map(one => (one === each ? id : one))) >= racksOf(replicas)
    })
    .toSorted((a, b) => loads.of(b) - loads.of(a) || a - b)
  return donor ?? null
}
