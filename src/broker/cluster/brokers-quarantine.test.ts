import { expect, test, vi } from 'vitest'
import { SimDisk } from '../../../sim/disk.ts'
import { SimStore } from '../../../sim/metadata-store.ts'
import { createTopic as create, expectSame } from '../../../test/helpers/brokers-checks.ts'
import { BrokersWorld } from '../../../test/helpers/brokers-world.ts'
import type { Cluster } from './cluster.ts'

/** As the store is now, to be put back later. */
function backup({ medium }: BrokersWorld): () => void {
  const { snapshot } = medium
  const records = medium.records.slice()
  return () => {
    medium.records.splice(0, Infinity, ...records)
    medium.snapshot = snapshot
  }
}

/** Everybody knows of `topic`, and the store does no more; returns what restores it. */
async function forget(world: BrokersWorld, cluster: Cluster, topic: string): Promise<() => void> {
  const rollBack = backup(world)
  expect(await create(world, cluster, topic)).toBe('NONE')
  await world.clock.run(200)
  const restore = backup(world)
  rollBack()
  return restore
}

test('a store that went back in time puts whoever writes in quarantine; all go on when it is restored, whoever wins the office', async () => {
  const world = new BrokersWorld()
  const clusters = await world.startAll()
  expect(await create(world, clusters[0]!, 'a')).toBe('NONE')
  const restore = await forget(world, clusters[0]!, 'b')
  const end = world.medium.cursor()
  expect(await create(world, clusters[0]!, 'c')).not.toBe('NONE')
  await world.until(() => clusters[0]!.standsAlone?.kind === 'quarantine')
  await world.clock.run(20_000)
  expect(world.medium.cursor()).toEqual(end)
  for (const { image } of clusters) expect(image.topicByName('b')).not.toBe(undefined)
  restore()
  // Not the one that was in quarantine first.
  world.storeCuts.add(0)
  await world.until(() => world.officers().some(id => id !== 0))
  world.heal()
  await world.until(() => clusters.every(({ standsAlone }) => standsAlone === null))
  for (const [id, cluster] of clusters.entries()) {
    expect(await create(world, cluster, `after-${id}`)).toBe('NONE')
  }
  await world.clock.run(200)
  await expectSame(world)
})

test('a broker that was away, and comes back to an older store, takes no office over it: it is told by the others, and is there when the store is restored', async () => {
  const world = new BrokersWorld()
  const clusters = await world.startAll()
  world.node(2).kill()
  await world.clock.run(10_000)
  const restore = await forget(world, clusters[0]!, 'b')
  const end = world.medium.cursor()
  const starting = world.node(2).start({})
  await world.clock.run(30_000)
  expect(world.medium.cursor()).toEqual(end)
  expect(world.officers()).toEqual([])
  restore()
  await world.until(() => world.node(2).cluster !== null)
  const back = await starting
  await world.until(() => back.standsAlone === null)
  expect(await create(world, back, 'c')).toBe('NONE')
  await world.clock.run(200)
  await expectSame(world)
})

test('a follower in quarantine reads the store every two seconds, whatever the controller tells it, and warns once (1.7)', async () => {
  const world = new BrokersWorld()
  const clusters = await world.startAll()
  await world.clock.run(1_000)
  world.cut(2)
  world.storeCuts.add(2)
  const rollBack = backup(world)
  for (const name of ['b', 'c']) expect(await create(world, clusters[0]!, name)).toBe('NONE')
  await world.clock.run(500)
  rollBack()
  world.node(0).kill()
  world.storeCuts.delete(2)
  await world.until(() => world.officers().includes(2))
  for (const name of ['d', 'e', 'f']) expect(await create(world, clusters[2]!, name)).toBe('NONE')
  world.cuts.clear()
  await world.until(() => clusters[1]!.standsAlone?.kind === 'quarantine')
  await world.clock.run(5_000)
  const { warnings } = world.node(1)
  const warned = warnings.length
  const reads = vi.spyOn(SimStore.prototype, 'readAll')
  await world.clock.run(10_000)
  expect(reads.mock.calls.length).toBeLessThanOrEqual(5)
  reads.mockRestore()
  expect(warnings.slice(warned)).toEqual([])
  expect(warnings).toContain('What another broker tells of the metadata log is not taken')
})

test('one whose copy goes on for longer than the store refuses to start', async () => {
  const world = new BrokersWorld()
  const clusters = await world.startAll()
  await forget(world, clusters[0]!, 'b')
  world.node(2).kill()
  const starting = world.node(2).start({})
  const refused = expect(starting).rejects.toThrow(/went back in time/)
  await world.clock.run(5_000)
  await refused
})

test('a follower whose disk has no room for its copy of the log says so once, and goes on when there is', async () => {
  const world = new BrokersWorld()
  const node = world.node(1)
  const size = { capacityBytes: 16 * 4_096 }
  node.disk = new SimDisk(size)
  node.disk.mkdir('/data')
  const clusters = await world.startAll()
  for (let count = 0; node.warnings.length === 0; count++) {
    expect(await create(world, clusters[0]!, `t${count}`)).toBe('NONE')
    await world.clock.run(50)
  }
  await world.clock.run(20_000)
  expect(node.warnings).toEqual(['The disk has no room for a copy of the metadata log'])
  size.capacityBytes *= 2
  await world.clock.run(1_000)
  await expectSame(world)
})
