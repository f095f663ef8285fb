import type { ClusterPlaces, PartitionPlace, ReplicaMove } from '../brokers/brokers.ts'
import { type Choice, ledEvenly, Loads, nextReplica } from './loads.ts'
import { asManyAsMayMove, type Moves } from './moves.ts'

/**
 * Where the replicas of brokers that leave go: each to the broker of `staying` that has least, in a rack that has none of the
 * partition where there is one. Who stays keeps what he has. Internal topics have one replica less where nobody is left for it, as
 * there are no more brokers then that could have one. Same input, same moves; whoever asks again after some were made gets the rest.
 */
export function movesAway(
  places: ClusterPlaces,
  leaving: ReadonlySet<number>,
  staying: readonly number[],
): Moves {
  const loads = new Loads(places)
  const concerned = places.partitions.filter(({ replicas }) => replicas.some(id => leaving.has(id)))
  const moves: ReplicaMove[] = []
  const stuck: PartitionPlace[] = []
  for (const place of concerned) {
    if (place.isMoving) continue
    const replicas = without(place, leaving, { staying, loads, racks: places.racks })
    if (replicas === null) {
      stuck.push(place)
      continue
    }
    loads.add(place.replicas, -1)
    loads.add(replicas, 1)
    moves.push({ topic: place.topic, index: place.index, replicas })
  }
  return asManyAsMayMove(moves, places, stuck)
}

function without(
  { replicas, isInternal }: PartitionPlace,
  leaving: ReadonlySet<number>,
  choice: Choice,
): number[] | null {
  const taken = new Set(replicas.filter(id => !leaving.has(id)))
  const result: number[] = []
  for (const [at, id] of replicas.entries()) {
    if (!leaving.has(id)) {
      result.push(id)
      continue
    }
    const next = nextReplica(choice, taken, at === 0)
    if (next === undefined) {
      if (isInternal === true) continue
      return null
    }
    taken.add(next)
    result.push(next)
  }
  if (result.length === 0) return null
  // Somebody else leads it in any case.
  return leaving.has(replicas[0]!) ? ledEvenly(result, choice) : result
}
