import type { Clock } from '../../env/env.ts'
import { lagOf } from './consumer-lag.ts'
import type { GroupViews } from '../coordinator/group-views.ts'
import type { Readers } from './readers.ts'
import type { Partitions } from '../partition/partitions.ts'
import type { GroupNumbers, LagNumbers } from '../telemetry/sources.ts'

export interface GroupSourcesOptions {
  readonly views: GroupViews
  readonly partitions: Partitions
  readonly readers: Readers
  readonly clock: Clock
}

/** What `/metrics` tells of groups: who they are, and how far their committed and live positions are behind. */
export function groupSources({ views, partitions, readers, clock }: GroupSourcesOptions): {
  groups: () => Iterable<GroupNumbers>
  lags: () => Iterable<LagNumbers>
} {
  return {
    *groups() {
      for (const { groupId, state, memberCount } of views.groups()) {
        yield { group: groupId, state, memberCount }
      }
    },
    *lags() {
      const nowMs = clock.now()
      for (const { groupId, topic, partition, committedOffset } of views.committed()) {
        const lag = lagOf(partitions.find(topic, partition), committedOffset, nowMs)
        if (lag === null) continue
        const who = { position: 'committed', group: groupId, clientId: '' } as const
        yield { ...who, topic, partition, offset: committedOffset, ...lag }
      }
      yield* fetchLags(readers, partitions, nowMs)
    },
  }
}

/** Of consumers with one name that read one partition, the one that is farthest behind stands for all. */
function fetchLags(readers: Readers, partitions: Partitions, nowMs: number): Iterable<LagNumbers> {
  const farthest = new Map<string, LagNumbers>()
  for (const { topic, partition, fetchOffset, group, clientId } of readers.positions()) {
    const lag = lagOf(partitions.find(topic, partition), fetchOffset, nowMs)
    if (lag === null) continue
    const key = `${group}\u0000${clientId}\u0000${topic}\u0000${partition}`
    const known = farthest.get(key)
    if (known !== undefined && known.records >= lag.records) continue
    const who = { position: 'fetch', group, clientId: clientId ?? '' } as const
    farthest.set(key, { ...who, topic, partition, offset: fetchOffset, ...lag })
  }
  return farthest.values()
}
