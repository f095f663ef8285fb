import { describe, expect, test } from 'vitest'
import { createTopic as create, expectSame } from '../../../test/helpers/brokers-checks.ts'
import { BrokersWorld } from '../../../test/helpers/brokers-world.ts'

describe('the office of a broker that lives, and whose place refuses the connections of another (1.5)', () => {
  test('is taken once by each of the two and then stays, as long as they refuse each other', async () => {
    const world = new BrokersWorld()
    const clusters = await world.startAll()
    await world.clock.run(5_000)
    world.reject(0, 1)
    await world.clock.run(10_000)
    const [holder] = world.officers()
    expect(clusters[2]!.image.controllerEpoch).toBe(3)
    await world.clock.run(120_000)
    expect([world.officers(), clusters[2]!.image.controllerEpoch]).toEqual([[holder], 3])
    expect(await create(world, clusters[2]!, 'a')).toBe('NONE')
    world.heal()
    await world.until(() => clusters.every(({ image }) => image.controllerEpoch === 3))
    await world.until(() => [...clusters[2]!.image.brokers.values()].every(each => !each.isFenced))
    await expectSame(world)
  })

  test('stays for long enough to fence who is silent', async () => {
    const world = new BrokersWorld()
    const clusters = await world.startAll()
    await world.clock.run(5_000)
    world.cut(2)
    world.storeCuts.add(2)
    world.reject(0, 1)
    const isFenced = ({ image }: (typeof clusters)[0]): boolean => image.brokers.get(2)!.isFenced
    await world.until(() => clusters.some(isFenced), 15_000)
  })

  test('goes on when its lease has run out, where it is killed at last', async () => {
    const world = new BrokersWorld()
    const clusters = await world.startAll()
    await world.clock.run(5_000)
    world.reject(0, 1)
    await world.clock.run(10_000)
    const [holder] = world.officers()
    world.storeCuts.add(2)
    world.node(holder!).kill()
    await world.until(() => world.officers().length === 1, 15_000)
    await world.until(() => clusters[2]!.controllerId === world.officers()[0])
  })

  test('is taken by force again where the place was not seen to refuse for half a minute', async () => {
    const world = new BrokersWorld()
    await world.startAll(2)
    await world.clock.run(5_000)
    world.node(0).kill()
    await world.until(() => world.officers().includes(1), 2_500)
    await world.start(0)
    await world.clock.run(30_000)
    world.storeCuts.add(1)
    await world.until(() => world.officers().includes(0))
    world.heal()
    await world.clock.run(5_000)
    world.node(0).kill()
    await world.until(() => world.officers().includes(1), 2_500)
  })
})
