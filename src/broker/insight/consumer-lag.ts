import type { Partition } from '../partition/partition.ts'

/** How far a position is behind the end of its partition. */
export interface Lag {
  readonly records: number
  /** Estimated from the indexes in memory. */
  readonly bytes: number
  /** Age of the oldest record that is not read yet, by its own timestamp; null where it has none. 0 without lag. */
  readonly seconds: number | null
}

/** The lag of somebody who reads `offset` next; null where the partition is not served here. */
export function lagOf(partition: Partition | undefined, offset: number, nowMs: number): Lag | null {
  const backlog = partition?.backlog(offset) ?? null
  if (backlog === null) return null
  const { records, bytes, timestampMs } = backlog
  if (records === 0) return { records, bytes, seconds: 0 }
  const seconds = timestampMs === null ? null : Math.max(0, nowMs - timestampMs) / 1000
  return { records, bytes, seconds }
}
