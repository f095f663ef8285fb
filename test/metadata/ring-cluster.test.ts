import { describe, expect, test } from 'vitest'
import { simRandom } from '../../sim/random.ts'
import { Cluster, type TopicWish } from '../../src/broker/cluster/cluster.ts'
import type { MetadataStore } from '../../src/broker/metadata/store.ts'
import type { NoReply } from '../../src/kubernetes/named-objects.ts'
import { Prng } from '../../src/lib/prng.ts'
import { eventually } from '../helpers/eventually.ts'
import { clusterId, SimulatedRing } from './simulated-ring.ts'

let seed = 0

function start(
  ring: SimulatedRing,
  store: MetadataStore = ring.store(),
  isSoleBroker = true,
): Promise<Cluster> {
  return Cluster.start({
    isSoleBroker,
    env: { clock: ring.clock, random: simRandom(new Prng(++seed)) },
    store,
    clusterId,
    brokerId: 0,
    listeners: [],
    defaults: { partitionCount: 1, replicationFactor: 1 },
  })
}

function wish(name: string, partitionCount = -1, value: string | null = null): TopicWish {
  const configs = value === null ? [] : [{ name: 'retention.ms', value }]
  return { name, partitionCount, replicationFactor: -1, assignments: [], configs }
}

async function create(cluster: Cluster, wishes: readonly TopicWish[], timeoutMs?: number) {
  return (await cluster.createTopics(wishes, false, timeoutMs)).map(({ error }) => error)
}

/** Bytes of every object, as etcd has them: binary is stored as it is. */
function sizes(ring: SimulatedRing): number[] {
  return ring.api.objects('ConfigMap').map(({ data, binaryData }) => {
    const { content } = binaryData as { content: string }
    return JSON.stringify(data).length + (content.length * 3) / 4
  })
}

describe('a cluster whose metadata are in the ring', () => {
  test.each([
    ['20 topics of 1,000 partitions', 20, 1_000],
    ['20,000 topics of one', 20_000, 1],
  ])('holds 20,000 partitions: %s', { timeout: 300_000 }, async (_, topicCount, partitionCount) => {
    const ring = new SimulatedRing()
    const cluster = await start(ring)
    // 10,000 partitions are the most for one request.
    const step = Math.min(1_000, 10_000 / partitionCount)
    for (let first = 0; first < topicCount; first += step) {
      const names = Array.from({ length: step }, (__, at) => `some.topic-${first + at}`)
      const errors = await create(
        cluster,
        names.map(name => wish(name, partitionCount)),
      )
      expect(new Set(errors)).toEqual(new Set(['NONE']))
    }
    await cluster.stop()
    // A start writes a new epoch of every partition: enough for a snapshot among them.
    for (let starts = 0; starts < 2; starts++) {
      const again = await start(ring)
      expect([...again.image.topics()].length).toBe(topicCount)
      expect(again.image.topicByName('some.topic-7')!.partitions.length).toBe(partitionCount)
      await again.stop()
    }
    const last = ring.store()
    expect((await last.readAll()).snapshot).not.toBe(null)
    const { usedBytes, bytesMax } = last.room
    expect(usedBytes / bytesMax).toBeLessThan(0.5)
    expect(Math.max(...sizes(ring))).toBeLessThan(263_000)
  })

  test('writes nothing at rest but its Lease, once every two seconds', async () => {
    const ring = new SimulatedRing()
    const store = ring.store()
    const readAll = store.readAll.bind(store)
    // It takes its time, as a real one does: what is renewed from the first request on and from the last would not coincide.
    store.readAll = async () => {
      await new Promise<void>(resolve => ring.clock.after(700, resolve))
      return readAll()
    }
    const starting = start(ring, store, false)
    await ring.clock.run(5_000)
    const cluster = await starting
    const before = ring.api.writeCount
    await ring.clock.run(60_000)
    expect(ring.api.writeCount - before).toBe(30)
    await cluster.stop()
  })

  test('grows until a snapshot is three quarters full, and is refused with a sentence; all else is not', async () => {
    const ring = new SimulatedRing({ slotCount: 64, chunkCount: 4, chunkBytesMax: 1_000 })
    const cluster = await start(ring)
    const created: string[] = []
    let refused = ''
    // The first refusal makes a snapshot, which may take less than the records that it replaces.
    for (let refusals = 0; refusals < 2;) {
      const name = `topic-${created.length}-${'x'.repeat(created.length % 100)}`
      const [result] = await cluster.createTopics([wish(name)], false)
      if (result!.error === 'NONE') created.push(name)
      else refused = `${result!.error}: ${result!.message}`
      refusals = result!.error === 'NONE' ? 0 : refusals + 1
    }
    expect(refused).toMatch(/^POLICY_VIOLATION: The metadata store is full.*Delete topics/)
    expect(created.length).toBeGreaterThan(10)
    const change = { operation: 'set', name: 'retention.ms', value: '1' } as const
    const resource = { type: 'topic', name: created[0]! } as const
    expect(
      await cluster.alterConfigs([{ resource, edits: [change], isWhole: false }], false),
    ).toMatchObject([{ error: 'POLICY_VIOLATION' }])
    for (let count = 0; count < 20_000; count++) await cluster.allocateProducerId()
    await cluster.stop()
    const again = await start(ring)
    expect(again.registration.now).toBeGreaterThan(again.registration.before!)
    const halfOfThem = created.slice(0, created.length / 2)
    await again.deleteTopics(halfOfThem.map(name => ({ name, id: null })))
    // The first attempt may still be refused: it makes the snapshot that tells what is free.
    await create(again, [wish('once-more')])
    expect(['NONE', 'TOPIC_ALREADY_EXISTS']).toContain(
      (await create(again, [wish('once-more')]))[0],
    )
    await again.stop()
  })

  test('splits a command over records, and answers when the last is committed', async () => {
    const ring = new SimulatedRing()
    const cluster = await start(ring)
    const before = cluster.image.sequence
    const wishes = Array.from({ length: 150 }, (_, at) => wish(`t${at}`, 2, '9'.repeat(10_000)))
    const answer = create(cluster, wishes)
    const beside = create(cluster, [wish('beside')])
    expect(new Set(await answer)).toEqual(new Set(['NONE']))
    expect(await beside).toEqual(['NONE'])
    expect(cluster.image.sequence).toBeGreaterThan(before + 10)
    expect([...cluster.image.topics()].length).toBe(151)
    await cluster.stop()
    const again = await start(ring)
    expect([...again.image.topics()].length).toBe(151)
    await again.stop()
  })

  test('refuses one topic that is larger than an append', async () => {
    const ring = new SimulatedRing()
    const cluster = await start(ring)
    const errors = await create(cluster, [wish('large', 1, 'x'.repeat(1_000_001)), wish('small')])
    expect(errors).toEqual(['INVALID_REQUEST', 'INVALID_REQUEST'])
    expect(await create(cluster, [wish('small')])).toEqual(['NONE'])
    await cluster.stop()
  })
})

describe('an outage of the Kubernetes API', () => {
  test('leaves the controller what it is; topics cannot change and clients are told why; producer ids come', async () => {
    const ring = new SimulatedRing()
    const cluster = await start(ring)
    expect(await create(cluster, [wish('before')])).toEqual(['NONE'])
    // The block that is fetched ahead.
    await cluster.allocateProducerId()
    await ring.clock.settle()
    ring.api.isReachable = false
    const image = cluster.image
    const asked = [1, 2].map(() => cluster.createTopics([wish('during')], false, 1_000))
    const altered = cluster.alterConfigs(
      [{ resource: { type: 'broker', brokerId: null }, edits: [], isWhole: true }],
      false,
      2_000,
    )
    await ring.clock.run(600_000)
    for (const [result] of await Promise.all(asked)) {
      expect(result).toMatchObject({ error: 'REQUEST_TIMED_OUT' })
      expect(result!.message).toMatch(
        /metadata store did not answer.*simulated API does not answer/,
      )
    }
    expect(await altered).toMatchObject([{ error: 'REQUEST_TIMED_OUT' }])
    const ids = new Set<number>()
    for (let count = 0; count < 5_000; count++) ids.add(await cluster.allocateProducerId())
    expect(ids.size).toBe(5_000)
    expect([cluster.failure, cluster.isWaiting, cluster.standsAlone]).toEqual([null, true, null])
    expect(cluster.image).toBe(image)
    ring.api.isReachable = true
    await ring.clock.run(1_000)
    expect(await create(cluster, [wish('after')])).toEqual(['NONE'])
    expect(cluster.image.controllerEpoch).toBe(image.controllerEpoch)
    await cluster.stop()
  })

  test('ends the wait for a producer id where none is left, in time for the client', async () => {
    const ring = new SimulatedRing()
    const cluster = await start(ring)
    await cluster.allocateProducerId()
    await ring.clock.settle()
    ring.api.isReachable = false
    let taken = 0
    let isRefused = false
    while (!isRefused) {
      const id = cluster.allocateProducerId().then(
        () => taken++,
        () => (isRefused = true),
      )
      await Promise.race([id, ring.clock.run(15_000)])
      if (taken > 30_000) throw new Error('ids without end')
    }
    expect(taken).toBeGreaterThanOrEqual(9_000)
    ring.api.isReachable = true
    await ring.clock.run(1_000)
    expect(await cluster.allocateProducerId()).toBeGreaterThan(taken)
    await cluster.stop()
  })

  test('as long as the server asks to be left alone, it is', async () => {
    const ring = new SimulatedRing()
    const cluster = await start(ring)
    await ring.clock.settle()
    ring.api.updateFaults.push({ type: 'busy', retryAfterMs: 5_000 })
    let gets = 0
    ring.api.onRequest = () => gets++
    const created = create(cluster, [wish('a')])
    await ring.clock.run(4_900)
    const early = gets
    await ring.clock.run(200)
    expect(await created).toEqual(['NONE'])
    expect(early).toBeLessThanOrEqual(2 + 3 * 2)
    await cluster.stop()
  })
})

test.each([
  ['the lease', 'get', 0],
  ['the ring', 'update', 65],
] as const)(
  'a start that finds %s busy asks again when the server wants it',
  async (...[, verb, count]) => {
    const ring = new SimulatedRing()
    const busy = { type: 'busy', retryAfterMs: 5_000 } as const
    if (verb === 'get') ring.api.getFaults.push(busy)
    let asked = 0
    ring.api.onRequest = request => {
      // The first update takes the lease; 64 slots are read next.
      if (request.verb === verb && asked === 1) ring.api.getFaults.push(busy)
      asked++
    }
    const starting = start(ring)
    await ring.clock.run(4_900)
    expect(asked).toBe(count)
    await ring.clock.run(200)
    await (await starting).stop()
  },
)

describe('a snapshot that the API does not take', () => {
  test('is tried again before each few changes, and nothing is taken any more when the ring is full', async () => {
    const ring = new SimulatedRing()
    const objects = ring.api.client()
    let takesChunks = false
    const store = ring.store({
      objects: {
        ...objects,
        update: (kind, object) => {
          if (takesChunks || !object.metadata.name.includes('-snap-'))
            return objects.update(kind, object)
          return Promise.resolve(quota)
        },
      },
    })
    const cluster = await start(ring, store)
    expect(await createUntilStuck(cluster)).toBeLessThan(64)
    expect(cluster.isWaiting).toBe(true)
    takesChunks = true
    await ring.clock.run(1_000)
    expect(await create(cluster, [wish('after')])).toEqual(['NONE'])
    const { image } = cluster
    await cluster.stop()
    const again = await start(ring)
    expect([...again.image.topics()].length).toBe([...image.topics()].length)
    await again.stop()
  })

  test('or whose commit nobody answered for, is repeated until it is known', async () => {
    const ring = new SimulatedRing()
    const objects = ring.api.client()
    const store = ring.store({
      objects: {
        ...objects,
        update: async (kind, object) => {
          const reply = await objects.update(kind, object)
          if (!JSON.stringify(object).includes('"kind\\":\\"snapshot')) return reply
          ring.api.isReachable = false
          return { type: 'unavailable', isUnknown: true, reason: 'lost', retryAfterMs: null }
        },
      },
    })
    const cluster = await start(ring, store)
    await createUntilStuck(cluster)
    await ring.clock.run(5_000)
    await eventually('another attempt in vain', () => cluster.isWaiting)
    ring.api.isReachable = true
    await ring.clock.run(1_000)
    expect(await create(cluster, [wish('after')])).toEqual(['NONE'])
    await cluster.stop()
    const log = await ring.store().readAll()
    expect(log.snapshot).not.toBe(null)
  })
})

const quota: NoReply = {
  type: 'unavailable',
  isUnknown: false,
  reason: 'quota',
  retryAfterMs: null,
}

/** Creates topics one by one, until one has to wait for the store; how many that were. */
async function createUntilStuck(cluster: Cluster): Promise<number> {
  for (let count = 0; ; count++) {
    let isDone = false
    void create(cluster, [wish(`t${count}`)]).then(() => (isDone = true))
    await eventually('an answer, or a store that is silent', () => isDone || cluster.isWaiting)
    if (!isDone) return count
    if (count > 70) throw new Error('the ring takes more than it holds')
  }
}
