import { expect, test } from 'vitest'
import { SimClock } from '../../sim/clock.ts'
import { SimStore, SimStoreMedium } from '../../sim/metadata-store.ts'
import { simRandom } from '../../sim/random.ts'
import { Cluster } from '../../src/broker/cluster/cluster.ts'
import { MetadataImage } from '../../src/broker/metadata/image.ts'
import { decodeBatch, type MetadataRecord } from '../../src/broker/metadata/records.ts'
import type { Lease } from '../../src/broker/metadata/store.ts'
import { Prng } from '../../src/lib/prng.ts'

/** A store whose lease everybody has: only the log itself can tell who is the controller. */
class LeaselessStore extends SimStore {
  override readonly lease: Lease = {
    observe: () => Promise.resolve({ isHeld: true, isMine: true, holder: null }),
    acquire: () => Promise.resolve(true),
    renew: () => Promise.resolve(true),
    release: () => Promise.resolve(),
  }
}

/** Controllers that do not know of each other, at one log, with lost answers; what each was told and showed. */
class Rivals {
  readonly medium = new SimStoreMedium()
  readonly clock = new SimClock()
  readonly created = new Set<string>()
  readonly producerIds: number[] = []
  readonly images: MetadataImage[] = []
  readonly #prng: Prng
  readonly #rivals: Cluster[] = []

  constructor(seed: number) {
    this.#prng = new Prng(seed)
  }

  get count(): number {
    return this.#rivals.length
  }

  /** A start that is overtaken fails; so does one during which the store fails. */
  async start(): Promise<void> {
    const started = await Promise.allSettled([
      Cluster.start({
        env: { clock: this.clock, random: simRandom(this.#prng) },
        store: new LeaselessStore(this.medium, 1_000_000),
        brokerId: this.#prng.below(2),
        isSoleBroker: false,
        listeners: [],
        defaults: { partitionCount: 1, replicationFactor: 1 },
      }),
    ])
    for (const result of started) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ name: 'Deposed' })
      else this.#join(result.value)
    }
  }

  async ask(): Promise<void> {
    const cluster = this.#prng.pick(this.#rivals)
    if (this.#prng.chance(1, 3)) {
      const [result] = await Promise.allSettled([cluster.allocateProducerId()])
      if (result.status === 'fulfilled') this.producerIds.push(result.value)
      return
    }
    const name = `topic-${this.#prng.below(30)}`
    const wish = { name, partitionCount: -1, replicationFactor: -1, assignments: [], configs: [] }
    const [result] = await cluster.createTopics([wish], false)
    if (result!.error === 'NONE') this.created.add(result!.id!)
  }

  #join(cluster: Cluster): void {
    this.images.push(cluster.image)
    cluster.onImage(image => this.images.push(image))
    cluster.onFailure(error => expect(error.name).toBe('Deposed'))
    this.#rivals.push(cluster)
  }
}

test.each(Array.from({ length: 25 }, (_, seed) => seed))(
  'controllers that do not know of each other never tell two stories (seed %i)',
  async seed => {
    const prng = new Prng(seed)
    const rivals = new Rivals(seed)
    await rivals.start()
    const underWay: Promise<void>[] = []
    for (let step = 0; step < 150; step++) {
      if (prng.chance(1, 6)) rivals.medium.appendFaults.push(prng.pick(['applied', 'dropped']))
      if (prng.chance(1, 10)) underWay.push(rivals.start())
      underWay.push(rivals.ask())
      if (prng.chance(1, 2)) await rivals.clock.run(prng.below(700))
    }
    rivals.medium.appendFaults.length = 0
    await rivals.clock.run(10_000)
    await Promise.all(underWay)
    expect(rivals.count).toBeGreaterThan(3)
    expectOneStory(rivals)
  },
)

function expectOneStory({ medium, images, created, producerIds }: Rivals): void {
  const topicIds = new Set<string>()
  const prefixes: MetadataRecord[][] = [[]]
  let image = MetadataImage.empty
  for (const { sequence, payload } of medium.records) {
    image = image.applyBatch(sequence, decodeBatch(payload))
    prefixes[sequence] = [...image.records()]
  }
  for (const { id } of image.topics()) topicIds.add(id)
  expect(created.size).toBeGreaterThan(5)
  expect([...created].filter(id => !topicIds.has(id))).toEqual([])
  expect(new Set(producerIds).size).toBe(producerIds.length)
  for (const seen of images) expect([...seen.records()]).toEqual(prefixes[seen.sequence])
}
