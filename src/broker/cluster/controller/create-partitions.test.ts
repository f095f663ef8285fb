import { describe, expect, test } from 'vitest'
import { ControllerWorld } from '../../../../test/metadata/controller-world.ts'
import { registered } from '../../../../test/metadata/brokers.ts'
import { Prng } from '../../../lib/prng.ts'
import { uuidFrom } from '../../../lib/uuid.ts'
import { MetadataImage } from '../../metadata/image.ts'
import type { MetadataRecord } from '../../metadata/records.ts'
import { brokersOf } from '../../metadata/replicas.ts'
import type { PartitionsDraft } from './commands.ts'
import { decideCreatePartitions } from './create-partitions.ts'
import { newPartition } from './placement.ts'

const prng = new Prng(5)
const rules = {
  partitionCountDefault: 4,
  replicationFactorDefault: 1,
  requestPartitionCountMax: 6,
  clusterPartitionCountMax: 12,
  internalTopics: new Map(),
  validateConfigs: () => null,
}

function topic(name: string, ...replicas: number[][]): MetadataRecord {
  return {
    type: 'topicCreated',
    topicId: uuidFrom(prng.bytes(16)),
    name,
    isInternal: name.startsWith('__'),
    configs: [],
    partitions: replicas.map((ids, index) => newPartition(brokers, index, ids, new Map())),
  }
}

const brokers = [1, 2, 3].reduce((image, id) => image.apply(registered(id)), MetadataImage.empty)
const cluster = [
  topic('one', [1]),
  topic('two', [1, 2], [2, 3]),
  topic('__consumer_offsets', [1]),
].reduce((image, record) => image.apply(record), brokers)

function decide(drafts: readonly Partial<PartitionsDraft>[], validateOnly = false) {
  const usual = { name: 'one', count: 2, assignments: null, placementStart: 0 }
  const whole = drafts.map(draft => ({ ...usual, ...draft }))
  const decision = decideCreatePartitions(cluster, whole, { rules, validateOnly })
  if (decision.answer.type !== 'partitionsCreated') throw new Error(decision.answer.type)
  return { ...decision, results: decision.answer.results }
}

describe('a topic that shall have more partitions', () => {
  test('gets them behind those it has, with as many replicas, led and in sync', () => {
    const { image, results } = decide([{ name: 'two', count: 5, placementStart: 1 }])
    expect(results).toEqual([{ name: 'two', error: 'NONE', message: null }])
    const partitions = image.topicByName('two')!.partitions
    expect(partitions.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4])
    expect(partitions.slice(0, 2)).toEqual(cluster.topicByName('two')!.partitions)
    for (const { replicas, isr, leader, leaderEpoch } of partitions.slice(2)) {
      expect(new Set(replicas).size).toBe(2)
      expect([brokersOf(image, isr), leader, leaderEpoch]).toEqual([replicas, replicas[0], 0])
    }
  })

  test('gets them where the request says', () => {
    const assignments = [
      [3, 1],
      [1, 3],
    ]
    const { image } = decide([{ name: 'two', count: 4, assignments }])
    const found = image.topicByName('two')!.partitions.slice(2)
    expect(found.map(({ replicas }) => replicas)).toEqual(assignments)
  })

  test('is left as it is where the request only asks whether it could be', () => {
    const { image, records, results } = decide([{}, { name: 'absent' }], true)
    expect(results.map(({ error }) => error)).toEqual(['NONE', 'UNKNOWN_TOPIC_OR_PARTITION'])
    expect(image).toBe(cluster)
    expect(records).toEqual([])
  })

  test.each([
    ['no such topic', { name: 'x' }, 'UNKNOWN_TOPIC_OR_PARTITION', 'no topic "x"'],
    ['as many as before', { count: 1 }, 'INVALID_PARTITIONS', 'already has 1'],
    ['fewer', { name: 'two', count: 1 }, 'INVALID_PARTITIONS', 'would be fewer'],
    ['a negative count', { count: -1 }, 'INVALID_PARTITIONS', 'would be fewer'],
    ['an internal topic', { name: '__consumer_offsets' }, 'INVALID_PARTITIONS', 'internal'],
    ['more than one request may', { count: 8 }, 'INVALID_PARTITIONS', 'one request may'],
    ['too few places', { count: 3, assignments: [[1]] }, 'INVALID_REPLICA_ASSIGNMENT', '1 for 2'],
    ['no place', { assignments: [[]] }, 'INVALID_REPLICA_ASSIGNMENT', 'partition 1 no broker'],
    ['other replication', { assignments: [[1, 2]] }, 'INVALID_REPLICA_ASSIGNMENT', 'more replicas'],
    [
      'a broker twice',
      { name: 'two', count: 3, assignments: [[1, 1]] },
      'INVALID_REPLICA_ASSIGNMENT',
      'partition 2 a broker twice',
    ],
    ['a stranger', { assignments: [[9]] }, 'INVALID_REPLICA_ASSIGNMENT', 'broker 9'],
  ] as const)('is refused %s', (_, draft, error, message) => {
    const { image, results } = decide([draft as Partial<PartitionsDraft>])
    expect(results).toEqual([
      { name: results[0]!.name, error, message: expect.stringContaining(message) },
    ])
    expect(image).toBe(cluster)
  })

  test('counts against the limits with the others of its request', () => {
    const { results } = decide([
      { name: 'one', count: 5 },
      { name: 'two', count: 5 },
    ])
    expect(results.map(({ error }) => error)).toEqual(['NONE', 'INVALID_PARTITIONS'])
  })

  test('is not grown where the request names it twice, and answered once', () => {
    const { results, image } = decide([{}, { name: 'two', count: 3 }, { count: 4 }])
    const told = results.map(({ name, error }) => [name, error])
    expect(told).toEqual([
      ['two', 'NONE'],
      ['one', 'INVALID_REQUEST'],
    ])
    expect(image.topicByName('one')!.partitions).toHaveLength(1)
  })
})

test('beside a reassignment a new partition gets the replicas that it had before, and not those of both sides', () => {
  const world = new ControllerWorld()
  for (const id of [1, 2, 3, 4, 5, 6]) world.start(id)
  world.create('t', [[1, 2, 3]])
  const wishes = [{ topic: 't', index: 0, replicas: [4, 5, 6] }]
  world.ask({ type: 'alterReassignments', wishes })
  const grow = (count: number, assignments: number[][] | null) =>
    world.ask({
      type: 'createPartitions',
      drafts: [{ name: 't', count, assignments, placementStart: 0 }],
      validateOnly: false,
    })
  expect(grow(2, null)).toMatchObject({ results: [{ error: 'NONE' }] })
  expect(world.partition('t', 1).replicas).toHaveLength(3)
  expect(grow(3, [[1, 2, 3]])).toMatchObject({ results: [{ error: 'NONE' }] })
  expect(grow(4, [[1, 2, 3, 4, 5, 6]])).toMatchObject({
    results: [{ error: 'INVALID_REPLICA_ASSIGNMENT' }],
  })
})
