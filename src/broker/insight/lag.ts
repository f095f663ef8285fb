import type { Partition } from '../partition/partition.ts'
import type { Lag } from './numbers.ts'

/** The lag of somebody who reads `offset` next; null where the partition is not served here. */
export function lagOf(partition: Partition | undefined, offset: number, nowMs: number): Lag | null {
  const backlog = partition?.backlog(offset) ?? null
  if (backlog === null) return null
  const { records, bytes, timestampMs } = backlog
  if (records === 0) return { records, bytes, seconds: 0 }
  const seconds = timestampMs === null ? null : Math.max(0, nowMs - timestampMs) / 1000
  return { records, bytes, seconds }
}
