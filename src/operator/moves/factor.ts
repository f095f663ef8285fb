import type { ClusterPlaces, PartitionPlace, ReplicaMove } from '../brokers/brokers.ts'
import { type Choice, finalReplicas, ledEvenly, Loads, nextReplica } from './loads.ts'
import { asManyAsMayMove, type Moves } from './moves.ts'

/**
 * What gives the partitions of topics as many replicas as `factorOf` says; null: as they are. More: each new one goes to a rack that has
 * none of the partition where there is one, and of those to the broker of `staying` that has least; whoever of all is preferred as leader
 * least often becomes it, so that a cluster which was one broker is not led by that for good. Fewer: those go first that are on
 * brokers which leave, then those that share a rack with another, then those of whoever has most; the preferred leader stays where
 * his broker does. A partition that is on its way to another number of replicas is given the other target at once. Same input, same
 * moves.
 */
export function movesToFactor(
  places: ClusterPlaces,
  factorOf: (place: PartitionPlace) => number | null,
  staying: readonly number[],
): Moves {
  const loads = new Loads(places)
  const choice = { staying, loads, racks: places.racks }
  const moves: ReplicaMove[] = []
  const stuck: PartitionPlace[] = []
  for (const place of places.partitions) {
    const factor = factorOf(place)
    const before = finalReplicas(place)
    if (factor === null || before.length === factor) continue
    const replicas =
      before.length < factor ? more(before, factor, choice) : fewer(before, factor, choice)
    if (replicas === null) {
      stuck.push(place)
      continue
    }
    loads.add(before, -1)
    loads.add(replicas, 1)
    moves.push({ topic: place.topic, index: place.index, replicas })
  }
  return asManyAsMayMove(moves, places, stuck)
}

function more(before: readonly number[], factor: number, choice: Choice): number[] | null {
  const taken = new Set(before)
  while (taken.size < factor) {
    const next = nextReplica(choice, taken, false)
    if (next === undefined) return null
    taken.add(next)
  }
  return ledEvenly([...taken], choice)
}

function fewer(before: readonly number[], factor: number, choice: Choice): number[] {
  let after = [...before]
  while (after.length > Math.max(1, factor)) {
    const goes = leastMissed(after, choice)
    after = after.filter(id => id !== goes)
  }
  return after
}

/** Who of several is given up first. */
function leastMissed(replicas: readonly number[], { staying, loads, racks }: Choice): number {
  const isStaying = (id: number): boolean => staying.includes(id)
  const sharing = (id: number): number => {
    const rack = racks.get(id) ?? null
    return rack === null ? 0 : replicas.filter(each => racks.get(each) === rack).length - 1
  }
  const [first] = replicas
  const rank = (id: number): number => (!isStaying(id) ? 0 : id === first ? 2 : 1)
  const [goes] = replicas.toSorted(
    (a, b) => rank(a) - rank(b) || sharing(b) - sharing(a) || loads.of(b) - loads.of(a) || b - a,
  )
  return goes!
}
