import { assert } from '../../lib/assert.ts'
import type { Uuid } from '../../lib/uuid.ts'
import type { PartitionState, RecordOf } from './records.ts'

export type PartitionImage = PartitionState

export interface TopicImage {
  readonly id: Uuid
  readonly name: string
  readonly isInternal: boolean
  /** Overrides only; a name that is missing here has the broker's value. */
  readonly configs: ReadonlyMap<string, string>
  /** `partitions[n].index` is n; never empty. */
  readonly partitions: readonly PartitionImage[]
}

export function topicOf(record: RecordOf<'topicCreated'>): TopicImage {
  const { type: _, topicId: id, configs: entries, ...topic } = record
  assert(
    topic.partitions.length > 0 && topic.partitions.every(({ index }, at) => index === at),
    'partitions are numbered from 0',
  )
  const configs = new Map(entries.map(({ name, value }) => [name, value]))
  return { id, configs, ...topic }
}

export function grown(topic: TopicImage, record: RecordOf<'partitionsAdded'>): TopicImage {
  const partitions = [...topic.partitions, ...record.partitions]
  assert(
    partitions.every(({ index }, at) => index === at),
    'added partitions go on where the last ones end',
  )
  return { ...topic, partitions }
}

export function withStates(topic: TopicImage, record: RecordOf<'partitionsChanged'>): TopicImage {
  const partitions = topic.partitions.slice()
  for (const after of record.partitions) {
    const before = partitions[after.index]
    assert(before !== undefined, 'a changed partition exists')
    assert(after.leaderEpoch >= before.leaderEpoch, 'leader epochs never fall')
    assert(after.partitionEpoch > before.partitionEpoch, 'partition epochs rise')
    partitions[after.index] = after
  }
  return { ...topic, partitions }
}
