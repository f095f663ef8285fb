import { beforeEach, describe, expect, test } from 'vitest'
import { SimClock } from '../../../sim/clock.ts'
import { SimDisk } from '../../../sim/disk.ts'
import { SimStore, SimStoreMedium } from '../../../sim/metadata-store.ts'
import { simRandom } from '../../../sim/random.ts'
import { utf8 } from '../../lib/bytes.ts'
import { Prng } from '../../lib/prng.ts'
import { MetadataCopy } from '../metadata/copy/metadata-copy.ts'
import type { MetadataRecord } from '../metadata/records.ts'
import { Cluster, type StandAlone, type TopicWish } from './cluster.ts'

const path = '/data/metadata.copy'

let isSoleBroker = true

/** A broker on a disk of its own, beside a store that others reach too. */
class World {
  readonly medium = new SimStoreMedium()
  readonly clock = new SimClock()
  disk = new SimDisk()
  /** What was told of standing alone, in the words that tell the kinds apart. */
  readonly told: (StandAlone | null)[] = []
  readonly failures: Error[] = []
  #lives = 0

  constructor() {
    this.disk.mkdir('/data')
  }

  /** Snapshots are due after `snapshotIntervalMax` records. */
  async start(snapshotIntervalMax = 8): Promise<Cluster> {
    const cluster = await Cluster.start({
      env: { clock: this.clock, random: simRandom(new Prng(++this.#lives)) },
      store: new SimStore(this.medium, snapshotIntervalMax),
      copy: MetadataCopy.open(this.disk, path),
      brokerId: 1,
      isSoleBroker,
      listeners: [],
      defaults: { partitionCount: 2, replicationFactor: 1 },
      producerIdBlockCount: 10,
      onStandAlone: reason => this.told.push(reason),
    })
    cluster.onFailure(error => this.failures.push(error))
    await this.clock.settle()
    return cluster
  }

  /** Without a word: what a killed process leaves. */
  kill(): void {
    this.disk = this.disk.crashProcess()
    this.medium.leaseHolder = null
  }

  /** As it is now, to be put back later. */
  backup(): () => void {
    const { snapshot } = this.medium
    const records = this.medium.records.slice()
    return () => {
      this.medium.records.splice(0, Infinity, ...records)
      this.medium.snapshot = snapshot
    }
  }
}

function wish(name: string): TopicWish {
  return { name, partitionCount: -1, replicationFactor: -1, assignments: [], configs: [] }
}

async function create(cluster: Cluster, name: string) {
  const [result] = await cluster.createTopics([wish(name)], false, 1_000)
  return result!
}

const epochsOf = (cluster: Cluster, name: string): number[] =>
  cluster.image.topicByName(name)!.partitions.map(({ leaderEpoch }) => leaderEpoch)

/** Alone in its store for good, or alone so far where others may come: it stands alone in the same way. */
describe.each([true, false])('with isSoleBroker %s', given => {
  beforeEach(() => {
    isSoleBroker = given
    return () => (isSoleBroker = true)
  })

  describe('a start while the store does not answer', () => {
    test('serves what the copy has, changes nothing, says why, and goes on when the store is back', async () => {
      const world = new World()
      const first = await world.start()
      expect((await create(first, 'a')).error).toBe('NONE')
      await first.stop()
      world.medium.isReachable = false
      const second = await world.start()
      expect(second.image.clusterId).toBe(first.image.clusterId)
      expect(second.image.topicByName('a')?.id).toBe(first.image.topicByName('a')?.id)
      expect([second.isWaiting, second.standsAlone?.kind]).toEqual([true, 'outage'])
      const { now } = first.registration
      expect(second.registration).toEqual({ before: now, now })
      const refused = await create(second, 'b')
      expect(refused.error).toBe('REQUEST_TIMED_OUT')
      expect(refused.message).toMatch(/Nothing can be changed: .*store does not answer/)
      await world.clock.run(10_000)
      expect(world.told).toEqual([second.standsAlone])

      const seen: MetadataRecord['type'][] = []
      second.onImage((_, records) => seen.push(...records.map(({ type }) => type)))
      world.medium.isReachable = true
      await world.clock.run(1_000)
      expect([second.isWaiting, second.standsAlone, world.told.at(-1)]).toEqual([false, null, null])
      expect(second.registration.now).toBeGreaterThan(now)
      expect(seen.slice(0, 3)).toEqual(['epochClaimed', 'brokerRegistered', 'partitionsChanged'])
      expect((await create(second, 'b')).error).toBe('NONE')
      await second.stop()
      expect([world.failures, world.clock.timerCount]).toEqual([[], 0])
    })

    test('leads in an epoch that no other start had or will have', async () => {
      const world = new World()
      const epochs: number[] = []
      let cluster = await world.start()
      await create(cluster, 'a')
      epochs.push(epochsOf(cluster, 'a')[0]!)
      for (const isReachable of [false, false, true, false, true]) {
        world.kill()
        world.medium.isReachable = isReachable
        cluster = await world.start()
        const [epoch, other] = epochsOf(cluster, 'a')
        expect(other).toBe(epoch)
        epochs.push(epoch!)
        if (isReachable) continue
        // It comes back while this start goes on: a later epoch again, and none in between.
        const images: number[] = []
        cluster.onImage(image => images.push(image.topicByName('a')!.partitions[0]!.leaderEpoch))
        if (epochs.length === 5) {
          world.medium.isReachable = true
          await world.clock.run(1_000)
          expect(Math.min(...images)).toBeGreaterThan(epoch!)
          epochs.push(images.at(-1)!)
        }
      }
      expect(epochs).toEqual([...new Set(epochs)].toSorted((a, b) => a - b))
      expect(epochs.length).toBe(7)
    })

    test('gives producer ids from the block that was kept, none twice, and refuses when it is spent', async () => {
      const world = new World()
      const ids: number[] = []
      let cluster = await world.start()
      for (let count = 0; count < 15; count++) ids.push(await cluster.allocateProducerId())
      for (let life = 0; life < 3; life++) {
        await world.clock.settle()
        world.kill()
        world.medium.isReachable = life === 2
        cluster = await world.start()
        const results = await Promise.allSettled(
          Array.from({ length: 12 }, () => cluster.allocateProducerId()),
        )
        const given = results.flatMap(each => (each.status === 'fulfilled' ? each.value : []))
        expect(given.length).toBe([10, 0, 12][life])
        for (const each of results) {
          if (each.status === 'rejected') expect(String(each.reason)).toMatch(/does not answer/)
        }
        ids.push(...given)
      }
      expect(new Set(ids).size).toBe(ids.length)
    })

    test('needs no answer to its claim either: the store may go away in the middle of the start', async () => {
      for (const isApplied of [true, false]) {
        const world = new World()
        const first = await world.start()
        await create(first, 'a')
        await first.stop()
        const [epoch] = epochsOf(first, 'a')
        const fault = isApplied ? 'applied' : 'dropped'
        world.medium.appendFaults.push(fault, 'dropped', 'dropped', 'dropped')
        const second = await world.start()
        expect([second.standsAlone?.kind, second.isWaiting]).toEqual(['outage', true])
        const [alone] = epochsOf(second, 'a')
        expect(alone).toBeGreaterThan(epoch!)
        expect((await create(second, 'b')).message).toMatch(/went away during the start/)
        await world.clock.run(3_000)
        expect(second.standsAlone).toBe(null)
        expect(epochsOf(second, 'a')[0]).toBeGreaterThan(alone!)
        expect((await create(second, 'b')).error).toBe('NONE')
        expect(world.told.map(reason => reason?.kind)).toEqual(['outage', undefined])
        await second.stop()
        expect([world.failures, world.clock.timerCount]).toEqual([[], 0])
      }
    })

    test('waits where the copy has nothing to stand on', async () => {
      const world = new World()
      world.medium.isReachable = false
      let cluster: Cluster | null = null
      void world.start().then(it => (cluster = it))
      await world.clock.run(5_000)
      expect([cluster, world.told]).toEqual([null, []])
      world.medium.isReachable = true
      await world.clock.run(1_000)
      expect(cluster).not.toBe(null)
    })

    test('is stopped as any other', async () => {
      const world = new World()
      await (await world.start()).stop()
      world.medium.isReachable = false
      const cluster = await world.start()
      await cluster.stop()
      await world.clock.run(5_000)
      expect([world.clock.timerCount, world.failures]).toEqual([0, []])
      expect((await create(cluster, 'a')).error).not.toBe('NONE')
    })
  })

  describe('a store that went back in time', () => {
    test.each(['at a start', 'under a running broker'])(
      '%s puts the broker in quarantine until it is restored: nothing is appended, nothing of its image is lost',
      async when => {
        const world = new World()
        let cluster = await world.start()
        await create(cluster, 'a')
        const rollBack = world.backup()
        await create(cluster, 'b')
        if (when === 'at a start') {
          await cluster.stop()
          const restore = world.backup()
          rollBack()
          cluster = await world.start()
          await checkQuarantine(world, cluster)
          restore()
        } else {
          const restore = world.backup()
          rollBack()
          // Only who writes finds out.
          expect((await create(cluster, 'c')).error).toBe('NOT_CONTROLLER')
          await world.clock.run(1_000)
          await checkQuarantine(world, cluster)
          restore()
        }
        await world.clock.run(5_500)
        expect(cluster.standsAlone).toBe(null)
        expect((await create(cluster, 'd')).error).toBe('NONE')
        expect(world.failures).toEqual([])
      },
    )

    async function checkQuarantine(world: World, cluster: Cluster): Promise<void> {
      const before = world.medium.cursor()
      expect(cluster.image.topicByName('b')).not.toBe(undefined)
      expect([cluster.standsAlone?.kind, cluster.isWaiting]).toEqual(['quarantine', false])
      expect(cluster.standsAlone?.message).toMatch(
        /went back in time.*Restore the store.*runbook LogClusterMetadataQuarantined/,
      )
      const refused = await create(cluster, 'c')
      expect(refused).toMatchObject({ error: 'REQUEST_TIMED_OUT' })
      expect(refused.message).toMatch(/Nothing can be changed: .*went back in time/)
      await world.clock.run(20_000)
      expect(world.medium.cursor()).toEqual(before)
      expect(world.told.filter(reason => reason?.kind === 'quarantine')).toHaveLength(1)
    }

    test('and went on in another way is never followed', async () => {
      const world = new World()
      const cluster = await world.start(1_000)
      const rollBack = world.backup()
      await create(cluster, 'a')
      await cluster.stop()
      rollBack()
      const other = new SimStore(world.medium, 1_000)
      for (let count = 0; count < 5; count++) {
        await other.append((await other.readAll()).cursor, 9, utf8('{"format":1,"records":[]}'))
      }
      const again = await world.start(1_000)
      expect(again.standsAlone?.message).toMatch(/another one than this broker followed/)
      expect(again.image.topicByName('a')).not.toBe(undefined)
    })

    test('and is accepted by hand is taken as it is', async () => {
      const world = new World()
      const cluster = await world.start()
      const rollBack = world.backup()
      await create(cluster, 'a')
      await cluster.stop()
      rollBack()
      world.disk.unlink(path)
      const again = await world.start()
      expect([again.standsAlone, again.image.topicByName('a')]).toEqual([null, undefined])
    })
  })
})

test('another writer that went on with the log ends the broker: somebody else is the controller', async () => {
  const world = new World()
  const cluster = await world.start()
  const rival = await Cluster.start({
    env: { clock: world.clock, random: simRandom(new Prng(77)) },
    store: new LeaselessStore(world.medium, 8),
    brokerId: 1,
    listeners: [],
    defaults: { partitionCount: 2, replicationFactor: 1 },
  })
  expect((await create(rival, 'theirs')).error).toBe('NONE')
  await create(cluster, 'ours')
  await world.clock.run(1_000)
  expect(world.failures).toMatchObject([{ name: 'Deposed' }])
  expect((await create(rival, 'theirs too')).error).toBe('INVALID_TOPIC_EXCEPTION')
  expect((await create(rival, 'theirs-too')).error).toBe('NONE')
})

class LeaselessStore extends SimStore {
  override readonly lease = {
    observe: () => Promise.resolve({ isHeld: true, isMine: true, holder: null }),
    acquire: () => Promise.resolve(true),
    renew: () => Promise.resolve(true),
    release: () => Promise.resolve(),
  }
}

test('a full disk delays what is committed, and nobody is told before the copy has it', async () => {
  const world = new World()
  const cluster = await world.start()
  const held = cluster.image
  for (let count = 0; count < 3; count++) {
    world.disk.failNext({ operation: 'write', pathPattern: /metadata\.copy/, code: 'ENOSPC' })
  }
  const created = cluster.createTopics([wish('a')], false)
  for (let pause = 0; pause < 3; pause++) {
    await world.clock.run(pause === 0 ? 10 : 500)
    expect([cluster.image === held, cluster.isWaiting]).toEqual([true, true])
  }
  await world.clock.run(500)
  expect((await created)[0]!.error).toBe('NONE')
  const count = world.medium.records.length
  await cluster.stop()
  world.medium.isReachable = false
  expect((await world.start()).image.topicByName('a')).not.toBe(undefined)
  expect(world.medium.records.length).toBe(count)
})
