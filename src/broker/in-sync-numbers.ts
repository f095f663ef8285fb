import type { Partitions } from './partition/partitions.ts'
import type { InSyncNumbers } from './telemetry/sources.ts'

/** How the in-sync sets of what a broker leads are. A look at every partition. */
export function inSyncNumbers(partitions: Partitions): InSyncNumbers {
  const sum = { led: 0, underReplicated: 0, underMinIsr: 0, leaderless: 0 }
  for (const { role, isLeader, isUnderReplicated, isUnderMinInsync } of partitions.all()) {
    if (role === null) continue
    if (role.leader < 0) sum.leaderless++
    if (!isLeader) continue
    sum.led++
    if (isUnderReplicated) sum.underReplicated++
    if (isUnderMinInsync) sum.underMinIsr++
  }
  return { ...sum, ...partitions.inSyncCounts }
}
