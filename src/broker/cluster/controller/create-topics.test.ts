import { describe, expect, test } from 'vitest'
import { directoryOf, registered } from '../../../../test/metadata/brokers.ts'
import { Prng } from '../../../lib/prng.ts'
import { uuidFrom } from '../../../lib/uuid.ts'
import { MetadataImage } from '../../metadata/image.ts'
import type { TopicDraft, TopicResult } from './commands.ts'
import { decideCreateTopics, type TopicRules } from './create-topics.ts'
import { newPartition, place } from './placement.ts'
import { topicNameError } from '../../../lib/topic-name.ts'

const prng = new Prng(3)
const rules: TopicRules = {
  partitionCountDefault: 4,
  replicationFactorDefault: 1,
  requestPartitionCountMax: 100,
  clusterPartitionCountMax: 150,
  internalTopics: new Map([
    [
      '__consumer_offsets',
      { partitionCount: 7, configs: [{ name: 'cleanup.policy', value: 'compact' }] },
    ],
  ]),
  validateConfigs: configs => (configs.has('bad') ? `bad is ${configs.get('bad')}` : null),
}
const cluster = [1, 2, 3].reduce(
  (image, brokerId) => image.apply(registered(brokerId)),
  MetadataImage.empty,
)

function draft(name: string, changes: Partial<TopicDraft> = {}): TopicDraft {
  const counts = { partitionCount: 1, replicationFactor: 1 }
  const chance = { topicId: uuidFrom(prng.bytes(16)), placementStart: 0 }
  return { name, ...counts, assignments: [], configs: [], ...chance, ...changes }
}

function decide(image: MetadataImage, drafts: TopicDraft[], validateOnly = false) {
  const decision = decideCreateTopics(image, drafts, { rules, validateOnly })
  const { answer } = decision
  if (answer.type !== 'topicsCreated') throw new Error(answer.type)
  return { ...decision, results: answer.results }
}

function only(changes: Partial<TopicDraft>, image = cluster): TopicResult {
  return decide(image, [draft('topic', changes)]).results[0]!
}

const manual = (...brokers: number[][]): Partial<TopicDraft> => ({
  partitionCount: -1,
  replicationFactor: -1,
  assignments: brokers.map((ids, partition) => ({ partition, brokers: ids })),
})

describe('a topic that is wished for', () => {
  test('is created with its partitions led and in sync', () => {
    const wish = draft('orders', {
      partitionCount: 2,
      replicationFactor: 2,
      configs: [{ name: 'retention.ms', value: '5' }],
    })
    const { image, records, results } = decide(cluster, [wish])
    expect(results).toEqual([
      {
        name: 'orders',
        id: wish.topicId,
        error: 'NONE',
        message: null,
        partitionCount: 2,
        replicationFactor: 2,
        configs: [{ name: 'retention.ms', value: '5' }],
      },
    ])
    expect(records.length).toBe(1)
    const isr = (...ids: number[]) => ids.map(id => directoryOf(id))
    const {
      index: _,
      replicas: __,
      isr: ___,
      leader: ____,
      ...fresh
    } = newPartition(cluster, 0, [1], new Map())
    expect(image.topicByName('orders')).toEqual({
      id: wish.topicId,
      name: 'orders',
      isInternal: false,
      configs: new Map([['retention.ms', '5']]),
      partitions: [
        { index: 0, replicas: [1, 2], isr: isr(1, 2), leader: 1, ...fresh },
        { index: 1, replicas: [2, 3], isr: isr(2, 3), leader: 2, ...fresh },
      ],
    })
  })

  test('has the defaults for -1', () => {
    const result = only({ partitionCount: -1, replicationFactor: -1 })
    expect([result.error, result.partitionCount, result.replicationFactor]).toEqual(['NONE', 4, 1])
  })

  test('is internal by its name', () => {
    const { image } = decide(cluster, [draft('__consumer_offsets'), draft('__mine')])
    expect(image.topicByName('__consumer_offsets')?.isInternal).toBe(true)
    expect(image.topicByName('__mine')?.isInternal).toBe(false)
  })

  test('and internal is made as brokers make it, whatever was wished', () => {
    const configs = [{ name: 'cleanup.policy', value: 'delete' }]
    for (const wish of [
      {},
      { partitionCount: 2, configs },
      manual([3], [2]),
      { replicationFactor: 9 },
    ]) {
      const { image, results } = decide(cluster, [draft('__consumer_offsets', wish)])
      expect(results[0]).toMatchObject({ error: 'NONE', partitionCount: 7 })
      const topic = image.topicByName('__consumer_offsets')
      expect(topic?.partitions).toHaveLength(7)
      expect(topic?.configs).toEqual(new Map([['cleanup.policy', 'compact']]))
    }
  })

  test('has the replicas that it was assigned', () => {
    const wish = draft('t', { ...manual([3, 1], [2, 3]) })
    const { image, results } = decide(cluster, [wish])
    expect(results[0]).toMatchObject({ error: 'NONE', partitionCount: 2, replicationFactor: 2 })
    const partitions = image.topicByName('t')!.partitions
    expect(partitions.map(({ replicas }) => replicas)).toEqual([
      [3, 1],
      [2, 3],
    ])
    expect(partitions.map(({ leader }) => leader)).toEqual([3, 2])
  })

  test('is only looked at where only that is asked', () => {
    const drafts = [draft('a'), draft('a_b'), draft('a.b')]
    const { image, records, results } = decide(cluster, drafts, true)
    expect(image).toBe(cluster)
    expect(records).toEqual([])
    expect(results.map(({ error, id }) => [error, id])).toEqual([
      ['NONE', null],
      ['NONE', null],
      ['INVALID_TOPIC_EXCEPTION', null],
    ])
  })

  const wrong: readonly [string, Partial<TopicDraft>, TopicResult['error'], RegExp][] = [
    [
      'no partitions',
      { partitionCount: 0 },
      'INVALID_PARTITIONS',
      /cannot have 0 partitions. Ask for 1/,
    ],
    ['-2 partitions', { partitionCount: -2 }, 'INVALID_PARTITIONS', /cannot have -2/],
    [
      'too many partitions',
      { partitionCount: 101 },
      'INVALID_PARTITIONS',
      /one request may create 100/,
    ],
    ['no replicas', { replicationFactor: 0 }, 'INVALID_REPLICATION_FACTOR', /factor of 0/],
    ['-2 replicas', { replicationFactor: -2 }, 'INVALID_REPLICATION_FACTOR', /factor of -2/],
    [
      'more replicas than brokers',
      { replicationFactor: 4 },
      'INVALID_REPLICATION_FACTOR',
      /has 3 broker/,
    ],
    ['a bad config', { configs: [{ name: 'bad', value: '7' }] }, 'INVALID_CONFIG', /^bad is 7$/],
    [
      'a config without a value',
      { configs: [{ name: 'a', value: null }] },
      'INVALID_CONFIG',
      /'a' has no value/,
    ],
    ['assignments and a count', { ...manual([1]), partitionCount: 1 }, 'INVALID_REQUEST', /to -1/],
    [
      'assignments and a factor',
      { ...manual([1]), replicationFactor: 1 },
      'INVALID_REQUEST',
      /to -1/,
    ],
    [
      'an assignment of nobody',
      manual([1], []),
      'INVALID_REPLICA_ASSIGNMENT',
      /partition 1 no broker/,
    ],
    [
      'an assignment of a broker twice',
      manual([1, 1]),
      'INVALID_REPLICA_ASSIGNMENT',
      /a broker twice/,
    ],
    [
      'an assignment of a stranger',
      manual([1], [9]),
      'INVALID_REPLICA_ASSIGNMENT',
      /broker 9, which is not/,
    ],
    [
      'uneven assignments',
      manual([1], [1, 2]),
      'INVALID_REPLICA_ASSIGNMENT',
      /more replicas than others/,
    ],
    [
      'a gap in the assignments',
      { ...manual(), assignments: [{ partition: 1, brokers: [1] }] },
      'INVALID_REPLICA_ASSIGNMENT',
      /name partition 1; number 1 partitions from 0/,
    ],
    [
      'a partition assigned twice',
      {
        ...manual(),
        assignments: [
          { partition: 0, brokers: [1] },
          { partition: 0, brokers: [2] },
        ],
      },
      'INVALID_REPLICA_ASSIGNMENT',
      /partition 0 twice/,
    ],
    [
      'a negative partition assigned',
      { ...manual(), assignments: [{ partition: -1, brokers: [1] }] },
      'INVALID_REPLICA_ASSIGNMENT',
      /-1/,
    ],
    ['a reserved name', { name: '__cluster_metadata' }, 'TOPIC_AUTHORIZATION_FAILED', /reserved/],
  ]

  test.each(wrong)('with %s is refused', (_, changes, error, message) => {
    const wish = draft('topic', changes)
    const { image, records, results } = decide(cluster, [wish])
    expect(results[0]).toMatchObject({ error, id: null, partitionCount: -1, replicationFactor: -1 })
    expect(results[0]!.message).toMatch(message)
    expect(records).toEqual([])
    expect(image).toBe(cluster)
  })

  test('is refused where its name is taken or collides, in the cluster or in the request', () => {
    const { image } = decide(cluster, [draft('a.b'), draft('c_d')])
    const drafts = [
      draft('a.b'),
      draft('a_b'),
      draft('c.d'),
      draft('x.y'),
      draft('x_y'),
      draft('z'),
    ]
    expect(decide(image, drafts).results.map(({ error }) => error)).toEqual([
      'TOPIC_ALREADY_EXISTS',
      'INVALID_TOPIC_EXCEPTION',
      'INVALID_TOPIC_EXCEPTION',
      'NONE',
      'INVALID_TOPIC_EXCEPTION',
      'NONE',
    ])
  })

  test('is refused where it would keep brokers from making one of theirs, which is not there yet', () => {
    const names = ['..consumer_offsets', '_.consumer.offsets', '__consumer_offsets']
    const { results } = decide(
      cluster,
      names.map(name => draft(name)),
    )
    expect(results.map(({ error }) => error)).toEqual([
      'INVALID_TOPIC_EXCEPTION',
      'INVALID_TOPIC_EXCEPTION',
      'NONE',
    ])
  })

  test('is refused, and answered once, where one request names it twice', () => {
    const { image, results } = decide(cluster, [draft('a'), draft('b'), draft('a')])
    expect(results.map(({ name, error }) => [name, error])).toEqual([
      ['b', 'NONE'],
      ['a', 'INVALID_REQUEST'],
    ])
    expect(image.topicByName('a')).toBe(undefined)
  })

  test('is refused beyond the partitions of a request and of the cluster', () => {
    const wish = (name: string): TopicDraft => draft(name, { partitionCount: 60 })
    const first = decide(cluster, [wish('a'), wish('b')])
    expect(first.results.map(({ error }) => error)).toEqual(['NONE', 'INVALID_PARTITIONS'])
    const second = decide(first.image, [wish('c'), draft('d', { partitionCount: 40 })])
    expect(second.results.map(({ error }) => error)).toEqual(['NONE', 'INVALID_PARTITIONS'])
    expect(second.results[1]!.message).toMatch(/has 120 of the 150/)
  })

  test('is refused for its factor where no broker is there', () => {
    expect(only({}, MetadataImage.empty).error).toBe('INVALID_REPLICATION_FACTOR')
  })
})

describe('a topic name', () => {
  test.each(['a', 'A.b_c-9', 'x'.repeat(249), '...', '_', '-'])('may be %j', name => {
    expect(topicNameError(name)).toBe(null)
  })

  test.each([
    ['', /empty/],
    ['.', /directory/],
    ['..', /directory/],
    ['x'.repeat(250), /250 characters, at most 249/],
    ['a b', /character other than/],
    ['a/b', /character other than/],
    ['ä', /character other than/],
    ['a\n', /character other than/],
    ['\0', /"\\u0000"/],
  ])('may not be %j', (name, message) => {
    expect(topicNameError(name)).toMatch(message)
  })
})

describe('placement', () => {
  test('spreads leaders and replicas evenly, each broker once a partition', () => {
    for (let brokerCount = 1; brokerCount <= 6; brokerCount++) {
      const brokers = Array.from({ length: brokerCount }, (_, at) => at * 10)
      for (let replicationFactor = 1; replicationFactor <= brokerCount; replicationFactor++) {
        const partitionCount = brokerCount * Math.max(1, brokerCount - 1)
        const start = prng.uint32()
        const placed = place({ brokers, partitionCount, replicationFactor, start })
        const leaders = new Map<number, number>()
        const replicas = new Map<number, number>()
        for (const ids of placed) {
          expect(new Set(ids).size).toBe(replicationFactor)
          leaders.set(ids[0]!, (leaders.get(ids[0]!) ?? 0) + 1)
          for (const id of ids) replicas.set(id, (replicas.get(id) ?? 0) + 1)
        }
        expect(new Set(leaders.values()).size).toBe(1)
        expect(new Set(replicas.values()).size).toBe(1)
      }
    }
  })

  test('begins where it is told', () => {
    const leaders = (start: number): number[] =>
      place({ brokers: [1, 2, 3], partitionCount: 4, replicationFactor: 1, start }).flat()
    expect(leaders(0)).toEqual([1, 2, 3, 1])
    expect(leaders(5)).toEqual([3, 1, 2, 3])
  })
})

describe('an internal topic', () => {
  const name = '__consumer_offsets'
  const internalTopics = new Map([[name, { partitionCount: 7, replicationFactor: 3, configs: [] }]])
  const brokers = (...ids: number[]): MetadataImage =>
    ids.reduce((image, id) => image.apply(registered(id)), MetadataImage.empty)
  const made = (image: MetadataImage, clusterSize?: number): TopicResult => {
    const declared = clusterSize === undefined ? {} : { clusterSize }
    const options = { rules: { ...rules, internalTopics, ...declared }, validateOnly: false }
    const { answer } = decideCreateTopics(image, [draft(name)], options)
    if (answer.type !== 'topicsCreated') throw new Error(answer.type)
    return answer.results[0]!
  }

  test('waits for the brokers that the cluster is declared to have', () => {
    expect(made(brokers(1), 3)).toMatchObject({ error: 'INVALID_REPLICATION_FACTOR', id: null })
    expect(made(brokers(1, 2), 3).error).toBe('INVALID_REPLICATION_FACTOR')
    expect(made(brokers(1, 2, 3), 3)).toMatchObject({ error: 'NONE', replicationFactor: 3 })
    expect(made(brokers(1, 2), 2)).toMatchObject({ error: 'NONE', replicationFactor: 2 })
  })

  test('has no more replicas than it should have in a larger cluster, and needs not all of its brokers', () => {
    expect(made(brokers(1, 2, 3), 5)).toMatchObject({ error: 'NONE', replicationFactor: 3 })
  })

  test('has one on each registered broker where nobody declared how many there are', () => {
    expect(made(brokers(1))).toMatchObject({ error: 'NONE', replicationFactor: 1 })
    expect(made(brokers(1, 2))).toMatchObject({ error: 'NONE', replicationFactor: 2 })
    expect(made(brokers(1, 2, 3, 4), 2)).toMatchObject({ error: 'NONE', replicationFactor: 3 })
  })
})

test('of a config that is given twice the last counts, as in Kafka', () => {
  const configs = ['1', '3', '2'].map(value => ({ name: 'a', value }))
  expect(only({ configs })).toMatchObject({ error: 'NONE', configs: [{ name: 'a', value: '2' }] })
})
