import { describe, expect, test } from 'vitest'
import { SimClock } from '../../../sim/clock.ts'
import { SimStore, SimStoreMedium } from '../../../sim/metadata-store.ts'
import { simRandom } from '../../../sim/random.ts'
import { utf8 } from '../../lib/bytes.ts'
import { Prng } from '../../lib/prng.ts'
import { MetadataImage } from '../metadata/image.ts'
import { decodeBatch, type MetadataRecord } from '../metadata/records.ts'
import { deferred } from '../../lib/deferred.ts'
import { Cluster, type ClusterOptions, type TopicWish } from './cluster.ts'

function options(medium: SimStoreMedium, changes: Partial<ClusterOptions> = {}) {
  const clock = new SimClock()
  return {
    clock,
    env: { clock, random: simRandom(new Prng(medium.records.length + 1)) },
    store: new SimStore(medium, 8),
    brokerId: 1,
    listeners: [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9092 }],
    defaults: { partitionCount: 4, replicationFactor: 1 },
    validateConfigs: (configs: ReadonlyMap<string, string>) => (configs.has('bad') ? 'bad!' : null),
    ...changes,
  }
}

function wish(name: string): TopicWish {
  return { name, partitionCount: -1, replicationFactor: -1, assignments: [], configs: [] }
}

const errors = (results: readonly { readonly error: string }[]): string[] =>
  results.map(({ error }) => error)

describe('a cluster of one broker', () => {
  test('is created at its first start, and found again at the next, with the broker in a later epoch', async () => {
    const medium = new SimStoreMedium()
    const first = await Cluster.start(options(medium))
    expect(first.image.brokers.get(1)).toMatchObject({ id: 1, listeners: [{ port: 9092 }] })
    const [created] = await first.createTopics([wish('a')], false)
    expect(created).toMatchObject({ error: 'NONE', partitionCount: 4 })
    await first.stop()
    const second = await Cluster.start(options(medium))
    expect(second.image.clusterId).toBe(first.image.clusterId)
    expect(second.image.controllerEpoch).toBe(2)
    expect(second.image.topicByName('a')?.id).toBe(created!.id)
    expect(second.image.topicByName('a')?.partitions[3]).toMatchObject({
      leader: 1,
      leaderEpoch: 1,
    })
    expect(second.image.brokers.get(1)!.epoch).toBeGreaterThan(first.image.brokers.get(1)!.epoch)
    const epochs = [first, second].map(each => each.image.brokers.get(1)!.epoch)
    expect(first.registration).toEqual({ before: null, now: epochs[0] })
    expect(second.registration).toEqual({ before: epochs[0], now: epochs[1] })
  })

  test('publishes each image with its records before it answers', async () => {
    const cluster = await Cluster.start(options(new SimStoreMedium()))
    let image = cluster.image
    const seen: MetadataRecord['type'][] = []
    const stop = cluster.onImage((next, records) => {
      image = next
      seen.push(...records.map(({ type }) => type))
    })
    const results = await cluster.createTopics([wish('a'), wish('not ok')], false)
    expect(image).toBe(cluster.image)
    expect(image.topicByName('a')?.id).toBe(results[0]!.id)
    await cluster.deleteTopics([{ name: 'a', id: null }])
    expect(image.topicByName('a')).toBe(undefined)
    stop()
    await cluster.createTopics([wish('b')], false)
    expect(image.topicByName('b')).toBe(undefined)
    expect(seen.filter(type => type !== 'producerIdsAllocated')).toEqual([
      'topicCreated',
      'topicDeleted',
    ])
  })

  test('merges concurrent creations of one name: all find the same topic', async () => {
    const cluster = await Cluster.start(options(new SimStoreMedium()))
    const found = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const [result] = await cluster.createTopics([wish('auto')], false)
        return [result!.error, cluster.image.topicByName('auto')!.id]
      }),
    )
    expect(found.filter(([error]) => error === 'NONE').length).toBe(1)
    expect(found.filter(([error]) => error === 'TOPIC_ALREADY_EXISTS').length).toBe(19)
    expect(new Set(found.map(([, id]) => id)).size).toBe(1)
  })

  test('answers each item on its own, in order', async () => {
    const cluster = await Cluster.start(options(new SimStoreMedium()))
    const bad = { ...wish('c'), configs: [{ name: 'bad', value: '1' }] }
    const created = await cluster.createTopics([wish('a'), wish('..'), bad], false)
    expect(errors(created)).toEqual(['NONE', 'INVALID_TOPIC_EXCEPTION', 'INVALID_CONFIG'])
    expect(created[2]!.message).toBe('bad!')
    const set = { operation: 'set', name: 'retention.ms', value: '1' } as const
    const altered = await cluster.alterConfigs(
      [
        { resource: { type: 'topic', name: 'a' }, edits: [set], isWhole: false },
        { resource: { type: 'topic', name: 'x' }, edits: [], isWhole: false },
      ],
      false,
    )
    expect(errors(altered)).toEqual(['NONE', 'UNKNOWN_TOPIC_OR_PARTITION'])
    expect(cluster.image.topicByName('a')?.configs.get('retention.ms')).toBe('1')
    const deleted = await cluster.deleteTopics([
      { name: null, id: created[0]!.id },
      { name: 'x', id: null },
      { name: null, id: null },
    ])
    expect(errors(deleted)).toEqual(['NONE', 'UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_REQUEST'])
    expect(deleted[0]).toMatchObject({ name: 'a', id: created[0]!.id })
  })

  test('gives every producer id once, over restarts too', async () => {
    const medium = new SimStoreMedium()
    const ids: number[] = []
    for (let life = 0; life < 3; life++) {
      const cluster = await Cluster.start(options(medium))
      ids.push(
        ...(await Promise.all(Array.from({ length: 1_700 }, () => cluster.allocateProducerId()))),
      )
      await cluster.stop()
    }
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('writes snapshots as often as the store wants, and starts from one', async () => {
    const medium = new SimStoreMedium()
    const cluster = await Cluster.start(options(medium))
    for (let count = 0; count < 40; count++) await cluster.createTopics([wish(`t${count}`)], false)
    const before = [...cluster.image.records()]
    await cluster.stop()
    expect(medium.cursor().nextSequence - 1 - medium.snapshot!.sequence).toBeLessThanOrEqual(9)
    const content = MetadataImage.empty.applyBatch(1, decodeBatch(medium.snapshot!.payload))
    expect(content.topicCount).toBeGreaterThan(25)
    const again = await Cluster.start(options(medium))
    const topics = (records: readonly MetadataRecord[]) =>
      records.flatMap(record => (record.type === 'topicCreated' ? record.topicId : []))
    expect(topics([...again.image.records()])).toEqual(topics(before))
  })
})

describe('a store that does not answer', () => {
  test('is waited for: nothing is answered and nothing changes, then all is', async () => {
    const medium = new SimStoreMedium()
    const { clock, ...rest } = options(medium)
    const cluster = await Cluster.start(rest)
    await clock.settle()
    const image = cluster.image
    medium.appendFaults.push('dropped', 'applied', 'dropped')
    let answered = 0
    const asked = ['a', 'b'].map(async name => {
      const [result] = await cluster.createTopics([wish(name)], false)
      answered++
      return result!.error
    })
    await clock.settle()
    for (let pause = 0; pause < 3; pause++) {
      expect([cluster.isWaiting, answered, cluster.image === image]).toEqual([true, 0, true])
      await clock.run(500)
    }
    expect(await Promise.all(asked)).toEqual(['NONE', 'NONE'])
    expect(cluster.isWaiting).toBe(false)
    expect(
      medium.records
        .flatMap(({ payload }) => decodeBatch(payload))
        .filter(({ type }) => type === 'topicCreated').length,
    ).toBe(2)
  })

  test('is waited for also while it is asked again', async () => {
    const medium = new SimStoreMedium()
    const { clock, ...rest } = options(medium)
    const cluster = await Cluster.start(rest)
    await clock.settle()
    const { store } = rest
    const append = store.append.bind(store)
    const again = deferred<void>()
    let askedCount = 0
    store.append = async (...asked) => {
      if (++askedCount === 2) await again.promise
      return append(...asked)
    }
    medium.appendFaults.push('dropped')
    const created = cluster.createTopics([wish('a')], false)
    await clock.run(600)
    expect([askedCount, cluster.isWaiting]).toEqual([2, true])
    again.resolve()
    expect((await created)[0]!.error).toBe('NONE')
    expect(cluster.isWaiting).toBe(false)
  })

  test('is waited for no longer than a request wants: what is under way may still happen, the rest not', async () => {
    const medium = new SimStoreMedium()
    const { clock, ...rest } = options(medium)
    const cluster = await Cluster.start(rest)
    await clock.settle()
    medium.isReachable = false
    const early = cluster.createTopics([wish('early')], false, 3_000)
    const late = cluster.createTopics([wish('late'), wish('too late')], false, 1_000)
    const others = [
      cluster.deleteTopics([{ name: 'early', id: null }], 2_000),
      cluster.createPartitions([{ name: 'early', count: 9, assignments: null }], false, 2_000),
    ]
    await clock.run(3_000)
    const [inFlight] = await early
    expect(inFlight).toMatchObject({ error: 'REQUEST_TIMED_OUT' })
    expect(inFlight!.message).toContain('may still happen')
    for (const result of [...(await late), ...(await Promise.all(others)).flat()]) {
      expect(result).toMatchObject({ error: 'REQUEST_TIMED_OUT' })
      expect(result.message).toContain('Nothing was done')
    }
    medium.isReachable = true
    await clock.run(1_000)
    expect(errors(await cluster.createTopics([wish('after')], false, 1_000))).toEqual(['NONE'])
    const names = ['early', 'late', 'too late', 'after']
    expect(names.map(name => cluster.image.topicByName(name)?.partitions.length)).toEqual([
      4,
      undefined,
      undefined,
      4,
    ])
    await cluster.stop()
    expect(clock.timerCount).toBe(0)
  })

  test('is waited for at the start', async () => {
    const medium = new SimStoreMedium()
    medium.isReachable = false
    const { clock, ...rest } = options(medium)
    let cluster: Cluster | null = null
    const started = Cluster.start(rest).then(it => (cluster = it))
    await clock.run(5_000)
    expect(cluster).toBe(null)
    medium.isReachable = true
    await clock.run(1_000)
    await started
    expect(cluster).not.toBe(null)
  })

  test('does not keep a stop waiting; what is under way has an unknown outcome', async () => {
    const medium = new SimStoreMedium()
    const { clock, ...rest } = options(medium)
    const cluster = await Cluster.start(rest)
    await clock.settle()
    medium.isReachable = false
    const asked = [
      cluster.createTopics([wish('a')], false),
      cluster.createTopics([wish('b')], false),
    ]
    await clock.settle()
    await cluster.stop()
    expect((await Promise.all(asked)).map(errors)).toEqual([
      ['REQUEST_TIMED_OUT'],
      ['NOT_CONTROLLER'],
    ])
    expect(errors(await cluster.createTopics([wish('c')], false))).toEqual(['NOT_CONTROLLER'])
    expect(clock.timerCount).toBe(0)
  })
})

describe('a failure', () => {
  test('of the store is told once; who waits is told, and who comes later refused', async () => {
    const medium = new SimStoreMedium()
    const { clock, ...rest } = options(medium)
    const cluster = await Cluster.start(rest)
    await clock.settle()
    const failures: Error[] = []
    cluster.onFailure(error => failures.push(error))
    medium.appendFaults.push('failed')
    const asked = [
      cluster.createTopics([wish('a')], false),
      cluster.createTopics([wish('b')], false),
    ]
    for (const each of asked) await expect(each).rejects.toThrow(/failed as told/)
    expect(failures).toEqual([cluster.failure])
    expect(errors(await cluster.createTopics([wish('c')], false))).toEqual(['NOT_CONTROLLER'])
    cluster.onFailure(error => failures.push(error))
    expect(failures.length).toBe(2)
    await cluster.stop()
  })

  test('is another writer: this broker resigns and answers no success', async () => {
    const medium = new SimStoreMedium()
    const { clock, ...rest } = options(medium)
    const cluster = await Cluster.start(rest)
    await clock.settle()
    const other = new SimStore(medium)
    const { cursor } = await other.readAll()
    await other.append(cursor, 9, utf8('{}'))
    const failures: Error[] = []
    cluster.onFailure(error => failures.push(error))
    expect(errors(await cluster.createTopics([wish('a')], false))).toEqual(['NOT_CONTROLLER'])
    expect(failures).toMatchObject([{ name: 'Deposed' }])
    expect(cluster.image.topicByName('a')).toBe(undefined)
  })

  test('is a listener that throws', async () => {
    const cluster = await Cluster.start(options(new SimStoreMedium()))
    const failures: Error[] = []
    cluster.onFailure(error => failures.push(error))
    cluster.onImage(() => {
      throw new Error('cannot follow')
    })
    await expect(cluster.createTopics([wish('a')], false)).rejects.toThrow('cannot follow')
    expect(failures).toMatchObject([{ message: 'cannot follow' }])
  })

  test.each([
    [
      'of records from the future',
      '{"format":1,"records":[{"type":"moonLanded","version":1}]}',
      /record 1: .*moonLanded.*run the version/,
    ],
    [
      'of records that contradict each other',
      '{"format":1,"records":[{"type":"topicDeleted","version":1,"topicId":"AAAAAAAAAAAAAAAAAAAAAA"}]}',
      /record 1: a changed topic exists/,
    ],
  ])('to start is told with the place: a log %s', async (_, payload, message) => {
    const medium = new SimStoreMedium()
    const store = new SimStore(medium)
    await store.append((await store.readAll()).cursor, 1, utf8(payload))
    await expect(Cluster.start(options(medium))).rejects.toMatchObject({
      reason: 'damaged',
      message: expect.stringMatching(message),
    })
    expect(medium.leaseHolder).toBe(null)
  })

  test('to start is another cluster in the store', async () => {
    const medium = new SimStoreMedium()
    await (await Cluster.start(options(medium))).stop()
    const other = options(medium, { clusterId: 'AAAAAAAAAAAAAAAAAAAAAQ' })
    await expect(Cluster.start(other)).rejects.toMatchObject({
      reason: 'unsuitable',
      message: expect.stringMatching(/holds cluster .* is of cluster AAAAAAAAAAAAAAAAAAAAAQ/),
    })
  })

  test('to start is another broker id in the store, which stays as it was', async () => {
    const medium = new SimStoreMedium()
    await (await Cluster.start(options(medium))).stop()
    const before = medium.cursor()
    await expect(Cluster.start(options(medium, { brokerId: 2 }))).rejects.toMatchObject({
      reason: 'unsuitable',
      message: expect.stringMatching(/belongs to broker 1, and this is broker 2. Set node.id back/),
    })
    expect(medium.cursor()).toEqual(before)
  })
})
