import { expect, test } from 'vitest'
import { createTopic as create, expectSame } from '../../../test/helpers/brokers-checks.ts'
import { BrokersWorld } from '../../../test/helpers/brokers-world.ts'

/** As the store is now, to be put back later. */
function backup({ medium }: BrokersWorld): () => void {
  const { snapshot } = medium
  const records = medium.records.slice()
  return () => {
    medium.records.splice(0, Infinity, ...records)
    medium.snapshot = snapshot
  }
}

test('a store that went back in time puts whoever writes in quarantine; all go on when it is restored, whoever wins the office', async () => {
  const world = new BrokersWorld()
  const clusters = await world.startAll()
  expect(await create(world, clusters[0]!, 'a')).toBe('NONE')
  const rollBack = backup(world)
  expect(await create(world, clusters[0]!, 'b')).toBe('NONE')
  await world.clock.run(200)
  const restore = backup(world)
  rollBack()
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
