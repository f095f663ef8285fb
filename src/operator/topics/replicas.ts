import type { PartitionPlace, ReplicaMove } from '../brokers/brokers.ts'
import type { LogTopic } from '../crd/topic.ts'
import { movesToFactor } from '../moves/factor.ts'
import { finalReplicas } from '../moves/loads.ts'
import { isGoing, needsRoom, topicNameOf, type ClusterSight } from './world.ts'

/** What is to be done, and is on its way, so that a topic has as many replicas as are wanted. */
export interface ReplicaWork {
  readonly wanted: number
  /** What is asked for now. */
  readonly moves: readonly ReplicaMove[]
  /** Partitions of the topic. */
  readonly count: number
  /** Of those: they have what is wanted, and nothing of them is on its way. */
  readonly doneCount: number
  readonly movingCount: number
  /** Brokers that could have replicas, where those are too few; null where they are enough. */
  readonly brokersOnly: number | null
  /** Why nothing begins, as a clause; null where it may. */
  readonly heldBy: string | null
}

/** By the name of the topic, of all topics of a cluster at once: they share its brokers. */
export function replicaWork(
  owners: ReadonlyMap<string, LogTopic>,
  sight: ClusterSight,
): ReadonlyMap<string, ReplicaWork> {
  const work = new Map<string, ReplicaWork>()
  if (sight.kind !== 'seen' || sight.room === null) return work
  const { places, staying, heldBy } = sight.room
  const wanted = new Map<string, number>()
  for (const topic of owners.values()) {
    const name = topicNameOf(topic)
    const { replicationFactor } = topic.spec
    if (isGoing(topic) || !needsRoom(topic, sight.topics.get(name))) continue
    if (replicationFactor !== undefined) wanted.set(name, replicationFactor)
  }
  const { moves, stuck } = movesToFactor(places, ({ topic }) => wanted.get(topic) ?? null, staying)
  const movesOf = Map.groupBy(moves, ({ topic }) => topic)
  const partitionsOf = Map.groupBy(places.partitions, ({ topic }) => topic)
  const stuckOf = new Set(stuck.map(({ topic }) => topic))
  for (const [name, factor] of wanted) {
    const partitions = partitionsOf.get(name) ?? []
    work.set(name, {
      wanted: factor,
      moves: heldBy === null ? (movesOf.get(name) ?? []) : [],
      count: partitions.length,
      doneCount: partitions.filter(place => isDone(place, factor)).length,
      movingCount: partitions.filter(({ isMoving }) => isMoving).length,
      brokersOnly: stuckOf.has(name) ? staying.length : null,
      heldBy,
    })
  }
  return work
}

/** Nothing is left to do, or to wait for. */
export function isComplete({ count, doneCount }: ReplicaWork): boolean {
  return doneCount === count
}

function isDone(place: PartitionPlace, factor: number): boolean {
  return !place.isMoving && finalReplicas(place).length === factor
}
