import { describe, expect, test } from 'vitest'
import { createTopic as create, expectSame } from '../../../test/helpers/brokers-checks.ts'
import { BrokersWorld } from '../../../test/helpers/brokers-world.ts'
import type { Cluster } from './cluster.ts'

interface Meanwhile {
  readonly world: BrokersWorld
  readonly first: Cluster
  /** How often the first asked to be registered since. */
  readonly registrations: () => number
}

/** Broker 0 is the only one, and cannot reach the store; 1 takes the office meanwhile, and 2 joins. */
async function takenOver(reaches: (to: number) => boolean = () => true): Promise<Meanwhile> {
  const world = new BrokersWorld()
  let registrations = 0
  world.fault = ({ api, from, to }) => {
    if (from === 0 && api.name === 'BrokerRegistration') registrations++
    return reaches(to) ? 'pass' : 'drop'
  }
  const first = await world.start(0)
  expect(await create(world, first, 'a')).toBe('NONE')
  world.storeCuts.add(0)
  await world.clock.run(15_000)
  // It stops for nothing before somebody else is there.
  expect([world.officers(), first.standsAlone]).toEqual([[0], null])
  await world.start(1)
  await world.start(2)
  return { world, first, registrations: () => registrations }
}

/** It follows broker 1, as the start of it that was registered first. */
async function expectFollowing({ world, first, registrations }: Meanwhile): Promise<void> {
  const { now } = first.registration
  await world.until(() => first.image.controllerId === 1, 5_000)
  await world.until(() => first.image.brokers.get(0)!.isFenced === false, 5_000)
  expect(world.officers()).toEqual([1])
  expect(await create(world, first, 'b')).toBe('NONE')
  await world.clock.run(60_000)
  expect([registrations(), world.node(0).warnings]).toEqual([0, []])
  expect([first.registration.now, first.standsAlone]).toEqual([now, null])
  await expectSame(world)
}

describe('a broker that was the only one, and came back to others (1.5)', () => {
  test('gives its office up when it hears of a later controller, and follows it', async () => {
    const meanwhile = await takenOver()
    const { world } = meanwhile
    world.storeCuts.delete(0)
    await expectFollowing(meanwhile)
    world.node(1).kill()
    await world.until(() => world.officers().some(id => id !== 1))
    await world.clock.run(20_000)
    await expectSame(world)
  })

  test('gives its office up when another has its lease, though nobody tells', async () => {
    const meanwhile = await takenOver(to => to !== 0)
    meanwhile.world.storeCuts.delete(0)
    await expectFollowing(meanwhile)
    const message = 'This broker is not the controller any more: another broker has its lease.'
    expect(meanwhile.world.node(0).told).toEqual([{ kind: 'outage', message }, null])
  })

  test('goes on as the only one it knows of while the store does not answer', async () => {
    const { world, first } = await takenOver()
    await world.clock.run(600_000)
    expect(world.node(0).failures).toEqual([])
    expect(first.image.topicByName('a')?.partitions[0]).toMatchObject({ leader: 0 })
    expect(first.standsAlone?.kind).toBe('outage')
    world.heal()
    await world.until(() => first.image.controllerId === 1, 5_000)
    await world.until(() => first.image.brokers.get(0)!.isFenced === false, 5_000)
    await expectSame(world)
  })

  test('keeps its office where its lease is given back, and nobody takes it', async () => {
    const world = new BrokersWorld()
    const first = await world.start(0)
    world.lease = null
    await world.clock.run(30_000)
    expect([world.officers(), first.image.controllerEpoch]).toEqual([[0], 1])
  })

  test('knows itself where it was registered anew, and the answer did not come', async () => {
    const world = new BrokersWorld()
    const first = await world.start(0)
    const { now } = first.registration
    world.lease = { holder: 1, renewedAtMs: world.clock.monotonic() }
    await world.until(() => first.office === null)
    // It claims the office again, and then the append that registers it takes its time.
    let appends = 0
    let open = (): void => {}
    const stuck = new Promise<void>(resolve => (open = resolve))
    Object.defineProperty(world, 'gate', { get: () => (++appends === 2 ? stuck : null) })
    world.lease = null
    await world.until(() => appends === 2)
    world.lease = { holder: 1, renewedAtMs: world.clock.monotonic() + 5_000 }
    await world.clock.run(3_000)
    open()
    await world.until(() => first.registration.now > now, 5_000)
    await world.until(() => world.officers().length === 1)
    expect(first.image.brokers.get(0)?.epoch).toBe(first.registration.now)
    expect(await create(world, first, 'a')).toBe('NONE')
    await expectSame(world)
  })
})
