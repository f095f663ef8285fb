import { describe, expect, test } from 'vitest'
import { Prng } from '../../src/lib/prng.ts'
import type { LogClusterSpecInput } from '../../src/operator/crd/cluster.ts'
import type {
  ConfigMap,
  PersistentVolumeClaim,
  Secret,
} from '../../src/operator/kubernetes/objects.ts'
import { Crash, created, minimal, reasons, type World } from './world.ts'

const [pool] = minimal.pools
const three: LogClusterSpecInput = { ...minimal, pools: [{ ...pool!, brokers: 3 }] }
const ids = [0, 1, 2]
const identity = (id: number): string => `orders-main-${id}-identity`

/** A cluster of three whose objects are all gone but for its claims, with copies of the metadata log that reach so far. */
async function kept(copies: readonly number[]): Promise<World> {
  const world = await created(three)
  world.api.remove('LogCluster', world.cluster.metadata)
  await world.converge().catch(() => {})
  for (const slot of ['00', '01']) {
    world.api.remove('ConfigMap', { namespace: 'streaming', name: `orders-md-${slot}` })
  }
  for (const id of ids)
    world.api.remove('ConfigMap', { namespace: 'streaming', name: identity(id) })
  world.disks.copies = new Map(ids.map(id => [id, copies[id]!]))
  return world
}

const permitted = (world: World): number[] =>
  ids.filter(id => world.get<ConfigMap>('ConfigMap', identity(id)).data?.['mayFill'] === 'true')

async function go(world: World, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await world.pass()
    world.nodes.tick()
    world.clock.advance(1000)
  }
}

test('the volumes of several brokers are adopted with the longest copy of the metadata, and no disk is formatted', async () => {
  const world = await kept([10, 12, 11])
  world.apply(three)
  await world.converge()
  expect(world.disks.filledBy).toEqual([1])
  expect(world.disks.formats).toHaveLength(3)
  expect(world.condition('Stable')).toBe('True Stable')
  expect(permitted(world)).toEqual([])
  expect(reasons(world)).toEqual(expect.arrayContaining(['VolumesAdopted', 'MetadataFromDisk']))
})

test('passwords of an earlier LogCluster of the name are taken over before Kubernetes deletes them with it', async () => {
  const world = await created(three)
  const left = world.get<Secret>('Secret', 'orders-private')
  world.api.remove('LogCluster', world.cluster.metadata)
  world.api.put(left)
  world.apply(three)
  await world.converge()
  const { metadata, data } = world.get<Secret>('Secret', 'orders-private')
  expect(metadata.ownerReferences?.map(({ uid }) => uid)).toEqual([world.cluster.metadata.uid])
  expect(data).toEqual(left.data)
  expect(world.condition('Stable')).toBe('True Stable')
})

test('nothing is taken before every broker has told how far its copy reaches', async () => {
  const world = await kept([10, 12, 11])
  world.nodes.cordon('n1')
  world.apply(three)
  await go(world, 10)
  expect([world.disks.filledBy, permitted(world)]).toEqual([[], []])
  world.nodes.cordon('n1', false)
  await world.converge()
  expect(world.disks.filledBy).toEqual([1])
})

test('a broker that does not answer is waited for by its name; a person may decide without it', async () => {
  const world = await kept([10, 12, 11])
  // The one with the longest copy does not come up.
  world.disks.mute.add(1)
  world.apply(three)
  await go(world, 12)
  expect(world.message('Progressing')).toBe(
    'The metadata is taken from the longest copy on the disks, and waits: broker orders-main-1 has not told how far its copy reaches.',
  )
  expect(permitted(world)).toEqual([])
  const map = world.get<ConfigMap>('ConfigMap', identity(2))
  world.api.put({ ...map, data: { ...map.data, mayFill: 'true' } } as never)
  await go(world, 12)
  expect([world.disks.filledBy, permitted(world)]).toEqual([[2], []])
})

test('without any copy it waits, and says so', async () => {
  const world = await kept([0, 0, 0])
  world.apply(three)
  await go(world, 12)
  expect(world.message('Progressing')).toContain('and waits: no broker has a copy.')
  expect(permitted(world)).toEqual([])
})

test('the longest is chosen whichever it is, once, wherever the operator ends', async () => {
  for (let seed = 1; seed <= 3; seed++) {
    const random = new Prng(seed)
    const copies = ids.map(() => 1 + random.below(4))
    const world = await kept(copies)
    world.api.onWrite = () => {
      if (random.below(12) === 0) throw new Crash()
    }
    world.apply(three)
    await go(world, 40)
    world.api.onWrite = () => {}
    await world.converge()
    const [chosen] = world.disks.filledBy
    expect(world.disks.filledBy, `seed ${seed}`).toHaveLength(1)
    expect(copies[chosen!], `seed ${seed}`).toBe(Math.max(...copies))
    expect(world.disks.formats, `seed ${seed}`).toHaveLength(3)
  }
})

describe('a spec that has no place for brokers whose volumes are here', () => {
  const one: LogClusterSpecInput = { ...minimal, pools: [{ ...pool!, brokers: 1 }] }

  test('begins nothing, and says whose they are, and what to do', async () => {
    const world = await kept([10, 12, 11])
    world.apply(one)
    await go(world, 12)
    expect(world.condition('Ready')).toBe('False BrokersMissing')
    expect(world.message('Degraded')).toContain('no place for: orders-main-1, orders-main-2.')
    expect([world.disks.filledBy, world.has('StatefulSet', 'orders-main-0')]).toEqual([[], false])
    world.apply(three)
    await world.converge()
    expect(world.disks.filledBy).toEqual([1])
    expect(world.condition('Stable')).toBe('True Stable')
  })

  test('goes on without them once their claims are taken out of the cluster', async () => {
    const world = await kept([10, 12, 11])
    world.apply(one)
    await go(world, 3)
    const [, command] = /kubectl label pvc -n streaming (.*) logcluster\.dev\/cluster-/.exec(
      world.message('Degraded'),
    )!
    for (const name of command!.split(' ')) {
      const live = world.get<PersistentVolumeClaim>('PersistentVolumeClaim', name)
      const { ['logcluster.dev/cluster']: _, ...labels } = live.metadata.labels!
      world.api.put({ ...live, metadata: { ...live.metadata, labels } })
    }
    world.disks.copies = null
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.api.all('PersistentVolumeClaim')).toHaveLength(3)
  })

  test('is the same that it was where these brokers had left, emptied', async () => {
    const world = await created(three)
    world.disks.cluster.places = []
    world.apply(one)
    await world.converge()
    world.api.remove('LogCluster', world.cluster.metadata)
    await world.converge().catch(() => {})
    world.apply(one)
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
    expect(reasons(world)).toContain('VolumesAdopted')
    // And they come back to their disks, and are missed again.
    world.apply(three)
    await world.converge()
    expect(world.disks.formats).toHaveLength(3)
    world.api.remove('LogCluster', world.cluster.metadata)
    await world.converge().catch(() => {})
    world.apply(one)
    await go(world, 3)
    expect(world.condition('Ready')).toBe('False BrokersMissing')
  })

  test('comes too late for a ring that waits already, and no broker is alone with its copy', async () => {
    const world = await kept([10, 12, 11])
    world.disks.mute.add(1)
    world.apply(three)
    await go(world, 12)
    world.apply(one)
    await go(world, 12)
    expect(world.message('Progressing')).toContain('spec.pools has no place for orders-main-2')
    expect([permitted(world), world.nodes.starts.length]).toEqual([[], 6])
    world.disks.mute.clear()
    world.apply(three)
    await world.converge()
    expect(world.disks.filledBy).toEqual([1])
  })
})
