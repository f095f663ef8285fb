import { expect, test } from 'vitest'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'
import { simRandom } from '../../sim/random.ts'
import { Cluster, type TopicWish } from '../../src/broker/cluster/cluster.ts'
import { FilesStore } from '../../src/broker/metadata/files/files-store.ts'
import { Prng } from '../../src/lib/prng.ts'

const livesPerRun = 3
const commandsPerLife = 15
const subsetsPerPoint = 2

/** What clients were told, and what they have asked and not been told yet. */
interface Told {
  readonly clusterId: string | null
  readonly created: ReadonlyMap<string, string>
  readonly deleted: ReadonlySet<string>
  readonly deleting: ReadonlySet<string>
  readonly producerIds: ReadonlySet<number>
}

interface CrashPoint {
  readonly what: string
  readonly disk: SimDisk
  readonly told: Told
}

async function start(disk: SimDisk, prng: Prng): Promise<Cluster> {
  const store = await FilesStore.open({ disk, path: '/data/metadata', snapshotIntervalMax: 10 })
  return Cluster.start({
    env: { clock: new SimClock(), random: simRandom(prng) },
    store,
    brokerId: 0,
    listeners: [],
    defaults: { partitionCount: 2, replicationFactor: 1 },
  })
}

/** Clients at a cluster, several requests under way at a time, over some restarts; every disk operation is a crash point. */
async function run(seed: number): Promise<CrashPoint[]> {
  const prng = new Prng(seed)
  const disk = new SimDisk()
  const points: CrashPoint[] = []
  const told = {
    clusterId: null as string | null,
    created: new Map<string, string>(),
    deleted: new Set<string>(),
    deleting: new Set<string>(),
    producerIds: new Set<number>(),
  }
  const copy = (): Told => ({
    clusterId: told.clusterId,
    created: new Map(told.created),
    deleted: new Set(told.deleted),
    deleting: new Set(told.deleting),
    producerIds: new Set(told.producerIds),
  })
  disk.onOperation(({ index, name, path }) =>
    points.push({ what: `${index}: ${name} ${path}`, disk: disk.clone(), told: copy() }),
  )
  const ask = async (cluster: Cluster): Promise<void> => {
    const name = `topic-${prng.below(12)}`
    switch (prng.below(4)) {
      case 0:
      case 1:
        for (const { id, error } of await cluster.createTopics(
          [wish(name), wish(`${name}-b`)],
          false,
        )) {
          if (error === 'NONE') told.created.set(id!, name)
        }
        return
      case 2: {
        const id = cluster.image.topicByName(name)?.id
        if (id === undefined) return
        told.deleting.add(id)
        const [result] = await cluster.deleteTopics([{ name: null, id }])
        if (result!.error === 'NONE') told.deleted.add(id)
        return
      }
      default:
        for (let count = 0; count < 400; count++) {
          told.producerIds.add(await cluster.allocateProducerId())
        }
    }
  }
  for (let life = 0; life < livesPerRun; life++) {
    const cluster = await start(disk, prng)
    expect(told.clusterId ?? cluster.image.clusterId).toBe(cluster.image.clusterId)
    told.clusterId = cluster.image.clusterId
    for (let done = 0; done < commandsPerLife; done++) {
      await Promise.all(Array.from({ length: 1 + prng.below(3) }, () => ask(cluster)))
    }
    await cluster.stop()
  }
  return points
}

function wish(name: string): TopicWish {
  return { name, partitionCount: -1, replicationFactor: -1, assignments: [], configs: [] }
}

/** Starts on what a crash left, compares, and goes on a little: returns what clients know after that. */
async function check(told: Told, disk: SimDisk): Promise<Told> {
  const cluster = await start(disk, new Prng(99))
  const { image } = cluster
  if (told.clusterId !== null) expect(image.clusterId).toBe(told.clusterId)
  for (const id of told.created.keys()) {
    if (!told.deleting.has(id)) expect(image.topicById(id)?.partitions.length).toBe(2)
  }
  for (const id of told.deleted) expect(image.topicById(id)).toBe(undefined)
  const producerIds = new Set(told.producerIds)
  for (let count = 0; count < 3; count++) {
    const id = await cluster.allocateProducerId()
    expect(producerIds).not.toContain(id)
    producerIds.add(id)
  }
  await cluster.stop()
  return { ...told, clusterId: image.clusterId, producerIds }
}

test.each([1, 2])(
  'a crash at any disk operation takes nothing back that a client was told (seed %i)',
  async seed => {
    const points = await run(seed)
    expect(points.length).toBeGreaterThan(250)
    expect(points.at(-1)!.told.deleted.size).toBeGreaterThan(3)
    for (const [at, { what, disk, told }] of points.entries()) {
      const subsets = Array.from({ length: subsetsPerPoint }, (_, subset) =>
        disk.clone().crashMachine(new Prng(seed * 100_000 + at * 10 + subset)),
      )
      for (const left of [...subsets, disk.clone().crashProcess()]) {
        try {
          const later = await check(told, left)
          await check(later, left.crashMachine(new Prng(at)))
        } catch (error) {
          throw new Error(`after a crash before ${what}`, { cause: error })
        }
      }
    }
  },
)
