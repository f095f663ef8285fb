import type { PartitionCore } from './core.ts'
import type { PartitionFollowerLag } from './requests.ts'

/** See `Partition.followersBehind`. */
export function* followerLags({
  log,
  replica,
  clock,
}: Pick<PartitionCore, 'log' | 'replica' | 'clock'>): Iterable<PartitionFollowerLag> {
  if (log === null) return
  const nowMs = clock.monotonic()
  for (const { brokerId, fetchOffset, lastCaughtUpMs } of replica.followersBehind()) {
    const { bytes } = log.backlog(Math.max(fetchOffset, log.startOffset))
    const seconds = lastCaughtUpMs === -Infinity ? null : (nowMs - lastCaughtUpMs) / 1000
    yield { brokerId, bytes, seconds }
  }
}
