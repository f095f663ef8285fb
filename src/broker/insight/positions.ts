import type { GroupViews } from '../coordinator/group-views.ts'
import type { Partition } from '../partition/partition.ts'
import type { Partitions } from '../partition/partitions.ts'
import { lagOf } from './lag.ts'
import type { CommittedNumbers, LagNumbers } from './numbers.ts'
import type { Readers } from './readers.ts'

/** How far the groups' committed offsets are behind. */
export function* committedLags(
  views: Pick<GroupViews, 'committed'>,
  partitions: Pick<Partitions, 'find'>,
  nowMs: number,
): IterableIterator<LagNumbers> {
  for (const { groupId, topic, partition, committedOffset } of views.committed()) {
    const lag = lagOf(partitions.find(topic, partition), committedOffset, nowMs)
    if (lag === null) continue
    const who = { position: 'committed', group: groupId, clientId: '' } as const
    yield { ...who, topic, partition, offset: committedOffset, ...lag }
  }
}

/** Of consumers with one name that read one partition, the one that is farthest behind stands for all. */
export function fetchLags(
  readers: Pick<Readers, 'positions'>,
  partitions: Pick<Partitions, 'find'>,
  nowMs: number,
): Iterable<LagNumbers> {
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

/** What each group has committed of each topic of which it has committed anything that is served here. */
export function* committedTopics(
  views: Pick<GroupViews, 'list' | 'offsets'>,
  partitions: Pick<Partitions, 'all'>,
): IterableIterator<CommittedNumbers> {
  const served = servedByTopic(partitions)
  for (const { groupId } of views.list()) {
    for (const [topic, offsets] of views.offsets(groupId)) {
      const rows = (served.get(topic) ?? []).map(({ id, highWatermark }) => {
        const { partition } = id
        const committed = offsets.get(partition)?.offset
        if (committed === undefined) return { partition, offset: -1, records: -1 }
        const offset = Number(committed)
        return { partition, offset, records: Math.max(0, highWatermark - offset) }
      })
      if (rows.some(({ offset }) => offset !== -1))
        yield { group: groupId, topic, partitions: rows }
    }
  }
}

function servedByTopic(partitions: Pick<Partitions, 'all'>): Map<string, Partition[]> {
  const byTopic = new Map<string, Partition[]>()
  for (const partition of partitions.all()) {
    if (partition.extent === null || partition.role === null) continue
    const known = byTopic.get(partition.id.topic)
    if (known === undefined) byTopic.set(partition.id.topic, [partition])
    else known.push(partition)
  }
  return byTopic
}
