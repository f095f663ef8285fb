import { expect, test } from 'vitest'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'
import { SimStore, SimStoreMedium } from '../../sim/metadata-store.ts'
import { simRandom } from '../../sim/random.ts'
import { Cluster } from '../../src/broker/cluster/cluster.ts'
import { MetadataCopy } from '../../src/broker/metadata/copy/metadata-copy.ts'
import { Prng } from '../../src/lib/prng.ts'

const commandsPerLife = 14
const subsetsPerPoint = 2

/** What clients were told, and what they have asked and not been told yet. */
interface Told {
  readonly created: ReadonlySet<string>
  readonly deleted: ReadonlySet<string>
  readonly deleting: ReadonlySet<string>
  readonly producerIds: ReadonlySet<number>
  /** The highest leader epoch in which the broker served, by topic. */
  readonly epochs: ReadonlyMap<string, number>
}

interface Point {
  readonly what: string
  readonly disk: SimDisk
  readonly medium: SimStoreMedium
  readonly told: Told
}

interface Place {
  readonly disk: SimDisk
  readonly medium: SimStoreMedium
  readonly clock: SimClock
}

async function start({ disk, medium, clock }: Place, seed: number): Promise<Cluster> {
  const cluster = await Cluster.start({
    env: { clock, random: simRandom(new Prng(seed)) },
    store: new SimStore(medium, 6),
    copy: MetadataCopy.open(disk, '/data/metadata.copy'),
    brokerId: 0,
    listeners: [],
    defaults: { partitionCount: 1, replicationFactor: 1 },
    producerIdBlockCount: 8,
  })
  cluster.onFailure(error => {
    throw error
  })
  return cluster
}

class Clients {
  readonly created = new Set<string>()
  readonly deleted = new Set<string>()
  readonly deleting = new Set<string>()
  readonly producerIds = new Set<number>()
  readonly epochs = new Map<string, number>()
  readonly #prng: Prng

  constructor(seed: number, told?: Told) {
    this.#prng = new Prng(seed)
    for (const name of ['created', 'deleted', 'deleting', 'producerIds'] as const) {
      for (const each of told?.[name] ?? []) (this[name] as Set<unknown>).add(each)
    }
    for (const [topic, epoch] of told?.epochs ?? []) this.epochs.set(topic, epoch)
  }

  copy(): Told {
    return new Clients(0, this)
  }

  /** What is served from now on. */
  served(cluster: Cluster): void {
    for (const { id, partitions } of cluster.image.topics()) {
      this.epochs.set(id, partitions[0]!.leaderEpoch)
    }
  }

  async ask(cluster: Cluster): Promise<void> {
    switch (this.#prng.below(3)) {
      case 0: {
        const wish = { partitionCount: -1, replicationFactor: -1, assignments: [], configs: [] }
        const name = `topic-${this.#prng.below(1000)}`
        const [result] = await cluster.createTopics([{ name, ...wish }], false, 1_000)
        if (result!.error === 'NONE') this.created.add(result!.id!)
        return
      }
      case 1: {
        const [topic] = cluster.image.topics()
        if (topic === undefined) return
        this.deleting.add(topic.id)
        const [result] = await cluster.deleteTopics([{ name: null, id: topic.id }], 1_000)
        if (result!.error === 'NONE') this.deleted.add(topic.id)
        return
      }
      default:
        for (let count = 0; count < 3; count++) await this.#takeId(cluster)
    }
  }

  async #takeId(cluster: Cluster): Promise<void> {
    const [result] = await Promise.allSettled([cluster.allocateProducerId()])
    if (result.status === 'rejected') return
    expect(this.producerIds).not.toContain(result.value)
    this.producerIds.add(result.value)
  }
}

/** Three lives of a broker beside a store, the second one during an outage; every disk operation is a crash point. */
async function run(seed: number): Promise<Point[]> {
  const disk = new SimDisk()
  disk.mkdir('/data')
  await disk.syncDirectory('/')
  const place = { disk, medium: new SimStoreMedium(), clock: new SimClock() }
  const clients = new Clients(seed)
  const points: Point[] = []
  disk.onOperation(({ index, name }) =>
    points.push({
      what: `${index}: ${name}`,
      disk: disk.clone(),
      medium: place.medium.clone(),
      told: clients.copy(),
    }),
  )
  for (let life = 0; life < 3; life++) {
    place.medium.isReachable = life !== 1
    const cluster = await start(place, seed * 10 + life)
    clients.served(cluster)
    cluster.onImage(() => clients.served(cluster))
    for (let done = 0; done < commandsPerLife; done++) {
      const asked = Promise.all([clients.ask(cluster), clients.ask(cluster)])
      await place.clock.run(1_000)
      await asked
    }
    place.medium.isReachable = true
    await place.clock.run(1_000)
    expect(cluster.standsAlone).toBe(null)
    await cluster.stop()
  }
  disk.onOperation(null)
  return points
}

/** Starts on what a crash left, with the store and without it, compares, and goes on a little. */
async function check(point: Point, disk: SimDisk, isReachable: boolean): Promise<void> {
  const medium = point.medium.clone()
  medium.isReachable = isReachable
  const clients = new Clients(5, point.told)
  const place = { disk, medium, clock: new SimClock() }
  let cluster: Cluster | null = null
  const starting = start(place, 99).then(it => (cluster = it))
  await place.clock.settle()
  if (cluster === null) {
    // The copy has nothing yet: then nobody was told anything.
    expect([isReachable, clients.created.size, clients.producerIds.size]).toEqual([false, 0, 0])
    return
  }
  const running = await starting
  // Whatever the moment: its own crash is nothing that a broker takes for a store that went back.
  expect(running.standsAlone?.kind ?? 'attached').toBe(isReachable ? 'attached' : 'outage')
  checkImage(running, clients)
  for (const [id, epoch] of clients.epochs) {
    const partition = running.image.topicById(id)?.partitions[0]
    if (partition !== undefined) expect(partition.leaderEpoch).toBeGreaterThan(epoch)
  }
  clients.served(running)
  running.onImage(image => {
    for (const [id, epoch] of clients.epochs) {
      const after = image.topicById(id)?.partitions[0]!.leaderEpoch ?? epoch
      expect(after).toBeGreaterThanOrEqual(epoch)
    }
  })
  for (let done = 0; done < 3; done++) {
    const asked = clients.ask(running)
    await place.clock.run(1_000)
    await asked
  }
  medium.isReachable = true
  await place.clock.run(2_000)
  expect(running.standsAlone).toBe(null)
  checkImage(running, clients)
  await running.stop()
}

function checkImage({ image }: Cluster, clients: Clients): void {
  for (const id of clients.created) {
    if (!clients.deleting.has(id)) expect(image.topicById(id)).not.toBe(undefined)
  }
  for (const id of clients.deleted) expect(image.topicById(id)).toBe(undefined)
}

test.each([1, 2, 3])(
  'a crash at any disk operation of a broker with a copy takes nothing back, with the store and without it (seed %i)',
  async seed => {
    const points = await run(seed)
    expect(points.length).toBeGreaterThan(100)
    expect(points.at(-1)!.told.deleted.size).toBeGreaterThan(3)
    for (const [at, point] of points.entries()) {
      const subsets = Array.from({ length: subsetsPerPoint }, (_, subset) =>
        point.disk.clone().crashMachine(new Prng(seed * 100_000 + at * 10 + subset)),
      )
      for (const left of [...subsets, point.disk.clone().crashProcess()]) {
        for (const isReachable of [true, false]) {
          try {
            await check(point, left.clone(), isReachable)
          } catch (error) {
            const how = isReachable ? 'with' : 'without'
            throw new Error(`after a crash before ${point.what}, ${how} the store`, {
              cause: error,
            })
          }
        }
      }
    }
  },
)
