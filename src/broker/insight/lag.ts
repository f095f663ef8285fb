import type { Partition } from '../partition/partition.ts'
import type { Lag } from './numbers.ts'

/** The lag of somebody who reads `offset` next; null where the partition is not served here. */
export function lagOf(partition: Partition | undefined, offset: number, nowMs: number): Lag | null {
  const log = partition?.log ?? null
  if (partition === undefined || log === null) return null
  const from = Math.max(offset, log.startOffset)
  const records = Math.max(0, partition.highWatermark - from)
  if (records === 0) return { records, bytes: 0, seconds: 0 }
  const { bytes, timestampMs } = log.backlog(from)
  const seconds = timestampMs === null ? null : Math.max(0, nowMs - timestampMs) / 1000
  return { records, bytes, seconds }
}
