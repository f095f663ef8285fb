import type { Partition } from './partition.ts'

/** The end of a replica's log, for whoever compares those of several (durability.md R9). */
export interface LogReach {
  /** In which the replica stands, by the metadata that it knows; -1: in none. */
  readonly leaderEpoch: number
  /** The newest in the log; -1: it never had one, or cannot be read. */
  readonly lastEpoch: number
  /** -1: the log cannot be read. */
  readonly endOffset: number
}

/** Whoever leads; null while it is not known. What cannot be read ends before everything else. */
export function logReach({
  role,
  failure,
  extent,
}: Pick<Partition, 'role' | 'failure' | 'extent'>): LogReach | null {
  const { leaderEpoch = -1 } = role ?? {}
  if (failure !== null) return { leaderEpoch, lastEpoch: -1, endOffset: -1 }
  if (extent === null) return null
  return { leaderEpoch, lastEpoch: extent.latestEpoch, endOffset: extent.endOffset }
}
