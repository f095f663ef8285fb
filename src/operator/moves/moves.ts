import type { ClusterPlaces, PartitionPlace, ReplicaMove } from '../brokers/brokers.ts'

/** How many partitions are on their way at a time: what is copied for them has the brokers' disks and network beside clients. */
const movingMax = 50

/**
 * The front door of the room: what is to be asked of the brokers, so that replicas come to lie where they are wanted. Of the same places it is
 * the same answer, without I/O; at most `movingMax` partitions are on their way at a time, and asked again and again it comes to an end.
 */
export interface Moves {
  /** What is asked for now. */
  readonly moves: readonly ReplicaMove[]
  /** Partitions that are on their way already, whoever asked for it. */
  readonly movingCount: number
  /** Partitions that have still to move, without those on their way. */
  readonly waitingCount: number
  /** Partitions that fit nowhere: they have as many replicas as there are brokers for them, or more. */
  readonly stuck: readonly PartitionPlace[]
}

/**
 * As many of `all` as may be on their way beside those that are; the rest waits. Another target of what is on its way adds nothing to
 * that, and may be what ends it: it waits for nobody.
 */
export function asManyAsMayMove(
  all: readonly ReplicaMove[],
  { partitions, movingCount }: ClusterPlaces,
  stuck: readonly PartitionPlace[] = [],
): Moves {
  const moving = new Set(partitions.filter(({ isMoving }) => isMoving).map(keyOf))
  const turned = all.filter(move => moving.has(keyOf(move)))
  const begun = all.filter(move => !moving.has(keyOf(move)))
  const moves = [...turned, ...begun.slice(0, Math.max(0, movingMax - movingCount))]
  return { moves, movingCount, waitingCount: begun.length, stuck }
}

function keyOf({ topic, index }: Pick<PartitionPlace, 'topic' | 'index'>): string {
  return `${topic}-${index}`
}
