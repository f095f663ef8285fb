import { describe, expect, test } from 'vitest'
import { directoryOf, registered, soleBroker } from '../../../test/metadata/brokers.ts'
import { Prng } from '../../lib/prng.ts'
import { uuidFrom } from '../../lib/uuid.ts'
import { deletedTopicCountMax } from './deleted-topics.ts'
import { MetadataImage } from './image.ts'
import type { MetadataRecord, PartitionState, RecordOf } from './records.ts'
import { ShardedMap } from './sharded-map.ts'

const prng = new Prng(7)
const newId = (): string => uuidFrom(prng.bytes(16))

function partition(index: number, changes: Partial<PartitionState> = {}): PartitionState {
  return { index, ...soleBroker, ...changes }
}

function topic(name: string, partitionCount = 1): RecordOf<'topicCreated'> {
  const partitions = Array.from({ length: partitionCount }, (_, index) => partition(index))
  const configs = [{ name: 'retention.ms', value: '1' }]
  return { type: 'topicCreated', topicId: newId(), name, isInternal: false, configs, partitions }
}

function imageOf(...records: MetadataRecord[]): MetadataImage {
  return records.reduce((image, record) => image.apply(record), MetadataImage.empty)
}

describe('an image', () => {
  test('knows a topic by name, by id, and by the name that its metrics have', () => {
    const created = topic('a.b', 3)
    const image = imageOf(created)
    expect(image.topicByName('a.b')).toBe(image.topicById(created.topicId))
    expect(image.topicCollidingWith('a_b')?.name).toBe('a.b')
    expect(image.topicByName('a_b')).toBe(undefined)
    expect(image.topicByName('a.b')?.configs.get('retention.ms')).toBe('1')
    expect([...image.topics()].length).toBe(1)
    expect(image.partitionCount).toBe(3)
  })

  test('does not know a deleted topic, by any name, nor does the one before change', () => {
    const created = topic('a.b', 3)
    const before = imageOf(created, topic('c'))
    const after = before.apply({ type: 'topicDeleted', topicId: created.topicId })
    expect(after.topicById(created.topicId)).toBe(undefined)
    expect(after.topicByName('a.b')).toBe(undefined)
    expect(after.topicCollidingWith('a_b')).toBe(undefined)
    expect([after.topicCount, after.partitionCount]).toEqual([1, 1])
    expect(before.topicById(created.topicId)?.name).toBe('a.b')
    expect([before.topicCount, before.partitionCount]).toEqual([2, 4])
  })

  test('remembers which topics were deleted last, over snapshots too, and no more of them than it may', () => {
    const gone = Array.from({ length: deletedTopicCountMax + 2 }, (_, at) => topic(`t${at}`))
    let image = imageOf(topic('stays'))
    for (const { topicId, ...created } of gone) {
      image = image.apply({ topicId, ...created }).apply({ type: 'topicDeleted', topicId })
    }
    const again = imageOf(...image.records())
    for (const each of [image, again]) {
      const remembered = gone.map(({ topicId }) => each.wasDeleted(topicId))
      expect(remembered.slice(0, 3)).toEqual([false, false, true])
      expect(remembered.filter(Boolean)).toHaveLength(deletedTopicCountMax)
      expect(each.wasDeleted(newId())).toBe(false)
    }
    expect([...again.records()]).toEqual([...image.records()])
    expect(imageOf(topic('stays')).wasDeleted(gone[0]!.topicId)).toBe(false)
  })

  test('changes partitions and configs of one topic and shares the others', () => {
    const [first, second] = [topic('a', 2), topic('b')]
    const before = imageOf(first, second)
    const changed = partition(1, { leaderEpoch: 1, partitionEpoch: 1 })
    const after = before
      .apply({ type: 'partitionsChanged', topicId: first.topicId, partitions: [changed] })
      .apply({
        type: 'topicConfigsChanged',
        topicId: first.topicId,
        configs: [
          { name: 'retention.ms', value: null },
          { name: 'segment.ms', value: '5' },
        ],
      })
    expect(after.topicByName('a')?.partitions).toEqual([partition(0), changed])
    expect(after.topicByName('a')).toBe(after.topicById(first.topicId))
    expect([...after.topicByName('a')!.configs]).toEqual([['segment.ms', '5']])
    expect(after.topicByName('b')).toBe(before.topicByName('b'))
    expect(before.topicByName('a')?.partitions[1]).toEqual(partition(1))
  })

  test('tells the next producer id', () => {
    const block = { type: 'producerIdsAllocated', brokerId: 1, count: 1_000 } as const
    const image = imageOf({ ...block, firstProducerId: 0 }, { ...block, firstProducerId: 1_000 })
    expect(image.nextProducerId).toBe(2_000)
    expect(() => image.apply({ ...block, firstProducerId: 1_999 })).toThrow(/allocated once/)
  })

  test.each([
    ['a second cluster', { type: 'clusterCreated', clusterId: newId() }, /created once/],
    ['an old epoch', { type: 'epochClaimed', epoch: 3, brokerId: 1, claimId: newId() }, /rise/],
    ['a topic name twice', topic('a'), /share a name/],
    ['a colliding name', topic('x_y'), /share a name/],
    ['an unknown topic', { type: 'topicDeleted', topicId: newId() }, /exists/],
    ['misnumbered partitions', { ...topic('n'), partitions: [partition(1)] }, /numbered from 0/],
  ] satisfies [string, MetadataRecord, RegExp][])('refuses %s', (_, record, message) => {
    const claim = { type: 'epochClaimed', epoch: 3, brokerId: 1, claimId: newId() } as const
    const cluster = { type: 'clusterCreated', clusterId: newId() } as const
    const image = imageOf(cluster, claim, topic('a'), topic('x.y'))
    expect(() => image.apply(record)).toThrow(message)
  })

  test('refuses a leader epoch that falls and a partition epoch that stays', () => {
    const created = topic('a')
    const image = imageOf(created).apply({
      type: 'partitionsChanged',
      topicId: created.topicId,
      partitions: [partition(0, { leaderEpoch: 2, partitionEpoch: 2 })],
    })
    const change = (leaderEpoch: number, partitionEpoch: number): MetadataRecord => ({
      type: 'partitionsChanged',
      topicId: created.topicId,
      partitions: [partition(0, { leaderEpoch, partitionEpoch })],
    })
    expect(() => image.apply(change(1, 3))).toThrow(/leader epochs never fall/)
    expect(() => image.apply(change(2, 2))).toThrow(/partition epochs rise/)
  })

  test('adds partitions behind the last ones, and nowhere else', () => {
    const created = topic('a', 2)
    const before = imageOf(created, topic('b'))
    const add = (...indexes: number[]): MetadataImage =>
      before.apply({
        type: 'partitionsAdded',
        topicId: created.topicId,
        partitions: indexes.map(index => partition(index)),
      })
    const after = add(2, 3)
    expect(after.topicByName('a')?.partitions.map(({ index }) => index)).toEqual([0, 1, 2, 3])
    expect(after.topicById(created.topicId)).toBe(after.topicByName('a'))
    expect([before.partitionCount, after.partitionCount]).toEqual([3, 5])
    expect(after.topicByName('b')).toBe(before.topicByName('b'))
    expect(() => add(1)).toThrow(/go on where/)
    expect(() => add(3)).toThrow(/go on where/)
  })

  test('is made again by its own records', () => {
    const doomed = topic('gone')
    const listeners = [{ name: 'PLAINTEXT', host: 'h', port: 9092 }]
    const state = { brokerId: 1, brokerEpoch: 2, isFenced: false, isShuttingDown: true }
    const image = imageOf(
      { type: 'clusterCreated', clusterId: newId() },
      { type: 'epochClaimed', epoch: 1, brokerId: 1, claimId: newId() },
      registered(1, { brokerEpoch: 2, listeners, isFenced: true }),
      { type: 'brokerStateChanged', ...state },
      registered(2),
      { type: 'directoryRetired', directoryId: directoryOf(3) },
      { type: 'directoryFailed', directoryId: directoryOf(2) },
      { type: 'featureLevelChanged', level: 2 },
      { type: 'quarantined', reason: 'ahead' },
      { type: 'producerIdsAllocated', brokerId: 1, firstProducerId: 0, count: 1_000 },
      doomed,
      ...Array.from({ length: 300 }, (_, at) => topic(`topic-${at}`, 2)),
      { type: 'topicDeleted', topicId: doomed.topicId },
    )
    const copy = MetadataImage.empty.applyBatch(9, image.records())
    expect([...copy.records()]).toEqual([...image.records()])
    expect([copy.clusterId, copy.nextProducerId, copy.sequence]).toEqual([
      image.clusterId,
      image.nextProducerId,
      9,
    ])
    expect(copy.partitionCount).toBe(600)
    expect(copy.brokers.get(1)).toMatchObject({ isFenced: false, isShuttingDown: true })
    expect([copy.isRetired(directoryOf(3)), copy.isFailed(directoryOf(2))]).toEqual([true, true])
    expect([copy.featureLevel, copy.quarantine]).toEqual([2, 'ahead'])
  })
})

test('a sharded map does what a map does, and keeps its past', () => {
  const model = new Map<string, number>()
  let map = ShardedMap.empty<number>()
  const past: [ShardedMap<number>, Map<string, number>][] = []
  for (let step = 0; step < 3_000; step++) {
    const key = `key ${prng.below(400)}`
    if (prng.chance(1, 3)) {
      map = map.without(key)
      model.delete(key)
    } else {
      map = map.with(key, step)
      model.set(key, step)
    }
    if (step % 500 === 0) past.push([map, new Map(model)])
  }
  for (const [then, expected] of [...past, [map, model] as const]) {
    expect(then.size).toBe(expected.size)
    expect(new Set(then.values())).toEqual(new Set(expected.values()))
    for (const [key, value] of expected) expect(then.get(key)).toBe(value)
  }
})
