import { isCountedOn } from './metadata/replicas.ts'
import type { Partitions } from './partition/partitions.ts'
import type { PartitionRole } from './partition/replica/role.ts'
import type { InSyncNumbers } from './telemetry/sources.ts'

/** How the in-sync sets of what a broker leads are. A look at every partition. */
export function inSyncNumbers(partitions: Partitions): InSyncNumbers {
  const sum = { led: 0, underReplicated: 0, underMinIsr: 0, leaderless: 0 }
  for (const { role, isLeader, isUnderMinInsync } of partitions.all()) {
    if (role === null) continue
    if (role.leader < 0) sum.leaderless++
    if (!isLeader) continue
    sum.led++
    if (isUnderReplicated(role)) sum.underReplicated++
    if (isUnderMinInsync) sum.underMinIsr++
  }
  return { ...sum, ...partitions.inSyncCounts }
}

/** A replica that is counted on is not in sync. As many as there are replicas are all of them. */
function isUnderReplicated({ replicas, addingReplicas = [], isr }: PartitionRole): boolean {
  if (isr.length >= replicas.length) return false
  return replicas.some(id => !isr.includes(id) && isCountedOn({ replicas, addingReplicas }, id))
}
