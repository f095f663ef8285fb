import { expect, test } from 'vitest'
import type { KubernetesObject, NamedObjects } from '../../src/kubernetes/named-objects.ts'
import { MetadataCopy } from '../../src/broker/metadata/copy/metadata-copy.ts'
import { KubernetesStore } from '../../src/broker/metadata/kubernetes/kubernetes-store.ts'
import { createTopic as create } from '../helpers/brokers-checks.ts'
import { BrokersWorld } from '../helpers/brokers-world.ts'
import { clusterId, SimulatedRing } from './simulated-ring.ts'

const lease = 'orders-controller'

/** Brokers whose metadata log lies in the ring of a LogCluster that an operator has just made. */
class World extends BrokersWorld {
  ring = new SimulatedRing()
  /** Whose copy may fill a ring that waits for one; null: nobody's. */
  filler: number | null = null
  /** Who is cut off from the API. */
  readonly silent = new Set<number>()

  begin(id: number): Promise<unknown> {
    const mayFill = (): Promise<boolean> => Promise.resolve(this.filler === id)
    const copy = MetadataCopy.open(this.node(id).disk, '/data/metadata.copy', { mayFill })
    return this.node(id).start({ clusterId, clusterSize: 3, store: this.storeOf(id), copy })
  }

  /** As pods do: all of them at the same time. */
  async beginAll(): Promise<void> {
    const starting = [0, 1, 2].map(id => this.begin(id))
    await this.until(() => [0, 1, 2].every(id => this.node(id).cluster !== null))
    await Promise.all(starting)
  }

  get holder(): unknown {
    const found: KubernetesObject | undefined = this.ring.api.object('Lease', lease)
    return (found?.['spec'] as Readonly<Record<string, unknown>> | undefined)?.['holderIdentity']
  }

  private storeOf(brokerId: number): KubernetesStore {
    const client = this.ring.api.client()
    const noReply = {
      type: 'unavailable',
      isUnknown: true,
      reason: 'cut off',
      retryAfterMs: null,
    } as const
    const objects: NamedObjects = {
      ...client,
      get: (kind, name) =>
        this.silent.has(brokerId) ? Promise.resolve(noReply) : client.get(kind, name),
      update: (kind, object) =>
        this.silent.has(brokerId) ? Promise.resolve(noReply) : client.update(kind, object),
    }
    return new KubernetesStore({
      objects,
      clock: this.clock,
      cluster: 'orders',
      clusterId,
      brokerId,
      warn: () => {},
    })
  }
}

test('three brokers that start at the same time are one cluster, and one of them has the Lease', async () => {
  const world = new World()
  await world.beginAll()
  const [officer] = world.officers()
  expect(world.officers()).toHaveLength(1)
  expect(world.holder).toBe(`broker-${officer}`)
  const cluster = world.node(officer!).cluster!
  await world.until(() => cluster.image.brokers.size === 3)
  expect(await create(world, cluster, 'a')).toBe('NONE')
  await world.clock.run(500)
  const ends = [0, 1, 2].map(id => world.node(id).cluster!.image.sequence)
  expect(new Set(ends).size).toBe(1)
})

test('a Lease that somebody deletes changes nobody’s office', async () => {
  const world = new World()
  await world.beginAll()
  const [officer] = world.officers()
  const { controllerEpoch } = world.node(officer!).cluster!.image
  world.ring.api.delete('Lease', lease)
  await world.clock.run(60_000)
  expect(world.officers()).toEqual([officer])
  expect(world.node(officer!).cluster!.image.controllerEpoch).toBe(controllerEpoch)
  world.ring.api.post('Lease', lease, { spec: {} })
  await world.clock.run(4_000)
  expect(world.holder).toBe(`broker-${officer}`)
})

test('the Lease of one that is cut off passes on, and so does its office', async () => {
  const world = new World()
  await world.beginAll()
  const [officer] = world.officers()
  world.silent.add(officer!)
  world.cut(officer!)
  await world.until(() => world.holder !== `broker-${officer}`)
  await world.until(() => world.officers().some(id => id !== officer))
  const [successor] = world.officers().filter(id => id !== officer)
  expect(world.holder).toBe(`broker-${successor}`)
  expect(await create(world, world.node(successor!).cluster!, 'a')).toBe('NONE')
})

test('a ring that was made anew waits until somebody says whose copy is the longest; filled from it, it is followed by all', async () => {
  const world = new World()
  await world.beginAll()
  const first = world.node(world.officers()[0]!).cluster!
  await world.until(() => first.image.brokers.size === 3)
  expect(await create(world, first, 'a')).toBe('NONE')
  await world.clock.run(500)
  // One goes, and misses what comes after.
  const short = [0, 1, 2].find(id => !world.officers().includes(id))!
  const stopped = world.node(short).stop()
  await world.until(() => world.node(short).cluster === null)
  await world.clock.run(10_000)
  await stopped
  const officer = world.node(world.officers()[0]!)
  expect(await create(world, officer.cluster!, 'b')).toBe('NONE')
  await world.clock.run(500)
  for (const id of [0, 1, 2]) world.node(id).kill()
  const copies = [0, 1, 2].map(id => {
    const copy = MetadataCopy.open(world.node(id).disk, '/data/metadata.copy')
    return { id, end: copy.cursor!.nextSequence }
  })
  const [longest] = copies.toSorted((a, b) => b.end - a.end)
  expect(copies[short]!.end).toBeLessThan(longest!.end)

  world.ring = new SimulatedRing(undefined, 'disks')
  const starting = [0, 1, 2].map(id => world.begin(id))
  await world.clock.run(5_000)
  // Nobody fills it by himself, and nobody gives up.
  expect([0, 1, 2].map(id => world.node(id).cluster)).toEqual([null, null, null])
  world.filler = longest!.id
  await world.until(() => [0, 1, 2].every(id => world.node(id).cluster !== null))
  await Promise.all(starting)
  const clusters = [0, 1, 2].map(id => world.node(id).cluster!)
  await world.until(() => clusters.every(({ image }) => image.topicByName('b') !== undefined))
  expect(clusters.map(({ standsAlone }) => standsAlone)).toEqual([null, null, null])
  expect(await create(world, world.node(world.officers()[0]!).cluster!, 'c')).toBe('NONE')
})
