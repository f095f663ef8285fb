import type { GroupViews } from '../coordinator/group-views.ts'
import type { Partition } from '../partition/partition.ts'
import type { Partitions } from '../partition/partitions.ts'
import { type LedElsewhere, nowhere } from './elsewhere.ts'
import { lagOf } from './lag.ts'
import type { CommittedNumbers, CommittedPartition, LagNumbers } from './numbers.ts'
import type { Readers } from './readers.ts'

/** How far the groups' committed offsets are behind, wherever their partitions are led: whoever coordinates a group tells all of it. */
export function* committedLags(
  views: Pick<GroupViews, 'committed'>,
  partitions: Pick<Partitions, 'find'>,
  nowMs: number,
  elsewhere: LedElsewhere = nowhere,
): IterableIterator<LagNumbers> {
  for (const { groupId, topic, partition, committedOffset: offset } of views.committed()) {
    // A copy of what another broker leads may be behind itself.
    const lag = elsewhere.isElsewhere(topic, partition)
      ? elsewhere.lagOf({ topic, partition, offset }, nowMs)
      : lagOf(partitions.find(topic, partition), offset, nowMs)
    if (lag === null) continue
    const who = { position: 'committed', group: groupId, clientId: '' } as const
    yield { ...who, topic, partition, offset, ...lag }
  }
}

/** Of consumers with one name that read one partition, the one that is farthest behind stands for all. */
export function fetchLags(
  readers: Pick<Readers, 'positions'>,
  partitions: Pick<Partitions, 'find'>,
  nowMs: number,
  elsewhere: LedElsewhere = nowhere,
): Iterable<LagNumbers> {
  const farthest = new Map<string, LagNumbers>()
  for (const reader of readers.positions()) {
    const { topic, partition, fetchOffset, group, clientId } = reader
    // A connection may stay that read there while this broker led it.
    if (elsewhere.isElsewhere(topic, partition)) continue
    const lag = lagOf(partitions.find(topic, partition), fetchOffset, nowMs)
    if (lag === null) continue
    // Who is at the end is not asked about again in a session until there is news; who is behind would have asked.
    if (reader.isAway && lag.records > 0) continue
    const key = `${group}\u0000${clientId}\u0000${topic}\u0000${partition}`
    const known = farthest.get(key)
    if (known !== undefined && known.records >= lag.records) continue
    const who = { position: 'fetch', group, clientId: clientId ?? '' } as const
    farthest.set(key, { ...who, topic, partition, offset: fetchOffset, ...lag })
  }
  return farthest.values()
}

/** What each group has committed of each topic of which it has committed anything that is served. */
export function* committedTopics(
  views: Pick<GroupViews, 'list' | 'offsets'>,
  partitions: Pick<Partitions, 'all'>,
  elsewhere: LedElsewhere = nowhere,
): IterableIterator<CommittedNumbers> {
  const served = servedByTopic(partitions, elsewhere)
  for (const { groupId } of views.list()) {
    for (const [topic, offsets] of views.offsets(groupId)) {
      const here = (served.get(topic) ?? []).map(({ id, highWatermark }) => {
        return [id.partition, highWatermark] as const
      })
      const there = elsewhere.partitionsOf(topic).map(partition => {
        return [partition, elsewhere.endOf(topic, partition)?.highWatermark ?? null] as const
      })
      const rows = [...here, ...there].map(([partition, end]) =>
        committedOf(partition, end, offsets.get(partition)?.offset),
      )
      if (rows.some(({ offset }) => offset !== -1))
        yield { group: groupId, topic, partitions: rows }
    }
  }
}

/** `end`: of consumers; null where it is not known. */
function committedOf(
  partition: number,
  end: number | null,
  committed: number | bigint | undefined,
): CommittedPartition {
  if (committed === undefined) return { partition, offset: -1, records: -1 }
  const offset = Number(committed)
  return { partition, offset, records: end === null ? null : Math.max(0, end - offset) }
}

function servedByTopic(
  partitions: Pick<Partitions, 'all'>,
  elsewhere: LedElsewhere,
): Map<string, Partition[]> {
  const byTopic = new Map<string, Partition[]>()
  for (const partition of partitions.all()) {
    const { id, extent, role } = partition
    if (extent === null || role === null) continue
    if (elsewhere.isElsewhere(id.topic, id.partition)) continue
    const known = byTopic.get(id.topic)
    if (known === undefined) byTopic.set(id.topic, [partition])
    else known.push(partition)
  }
  return byTopic
}
