import type { PartitionPlace, ReplicaMove } from '../brokers/brokers.ts'

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

/** As many of `all` as may be on their way beside those that are; the rest waits. */
export function asManyAsMayMove(
  all: readonly ReplicaMove[],
  movingCount: number,
  stuck: readonly PartitionPlace[] = [],
): Moves {
  const moves = all.slice(0, Math.max(0, movingMax - movingCount))
  return { moves, movingCount, waitingCount: all.length, stuck }
}
