import { describe, expect, test } from 'vitest'
import { threeBrokers, type ControllerWorld } from '../../../../test/metadata/controller-world.ts'
import { Prng } from '../../../lib/prng.ts'
import type { StartClass } from '../../metadata/records.ts'

const all = [1, 2, 3]

function freeze(world: ControllerWorld, isWanted = true, brokerId: number | null = null): void {
  const name = 'hibernation.freeze.enable'
  const edit = isWanted
    ? ({ operation: 'set', name, value: 'true' } as const)
    : ({ operation: 'delete', name } as const)
  const resource = { type: 'broker', brokerId } as const
  const changes = [{ resource, edits: [edit], isWhole: false }]
  world.ask({ type: 'alterConfigs', changes, validateOnly: false })
}

/** Stops in order: it wants to go, and goes. */
function stop(world: ControllerWorld, id: number): void {
  world.heartbeat(id, { wantsShutdown: true })
  world.heartbeat(id, { wantsShutdown: true })
}

function start(world: ControllerWorld, id: number, startClass: StartClass = 'A'): void {
  world.register(id, { startClass })
  world.heartbeat(id)
}

/** Frozen, and all stopped: of the three broker 1 is in sync, and the others are eligible. */
function onlyOneInSync(configs: Record<string, string> = {}): ControllerWorld {
  const world = threeBrokers()
  for (const [name, value] of Object.entries(configs)) world.setConfig(name, value)
  world.alter(world.wish([1]))
  freeze(world)
  for (const id of [3, 2, 1]) stop(world, id)
  expect(world.state()).toEqual([-1, [1], [2, 3], []])
  return world
}

describe('a cluster that is frozen (R1b)', () => {
  test('stops as a whole with its in-sync sets as they were, and nobody leads', () => {
    const world = threeBrokers()
    freeze(world)
    for (const id of all) stop(world, id)
    expect(all.map(id => world.broker(id).isFenced || world.broker(id).isShuttingDown)).toEqual([
      true,
      true,
      true,
    ])
    expect(world.state()).toEqual([-1, all, [], []])
  })

  test('wakes with the same in-sync sets, led by whoever is first, in a later epoch', () => {
    const world = threeBrokers()
    const { leaderEpoch } = world.partition()
    freeze(world)
    for (const id of all) stop(world, id)
    start(world, 3)
    expect(world.state()).toEqual([3, all, [], []])
    expect(world.partition().leaderEpoch).toBeGreaterThan(leaderEpoch)
    start(world, 1)
    start(world, 2)
    freeze(world, false)
    // What is preferred leads again, in the append that ends it.
    expect(world.state()).toEqual([1, all, [], []])
  })

  test('keeps who was killed, and who is silent', () => {
    const world = threeBrokers()
    freeze(world)
    world.fence(2)
    world.pass(10_000, 1)
    expect([2, 3].map(id => world.broker(id).isFenced)).toEqual([true, true])
    expect(world.state()).toEqual([1, all, [], []])
  })

  test('lets no leader take anybody out of an in-sync set, and lets in who catches up', () => {
    const world = threeBrokers()
    world.alter(world.wish([1, 2]))
    freeze(world)
    expect(world.alter(world.wish([1]))).toMatchObject({
      results: [{ error: 'INELIGIBLE_REPLICA' }],
    })
    expect(world.state()[1]).toEqual([1, 2])
    world.alter(world.wish([1, 2, 3]))
    expect(world.state()[1]).toEqual(all)
  })

  test('trusts no disk that may have lost something', () => {
    const world = threeBrokers()
    freeze(world)
    for (const id of all) stop(world, id)
    start(world, 2, 'C')
    expect(world.state()).toEqual([-1, [1, 3], [], []])
    start(world, 1)
    expect(world.state()).toEqual([1, [1, 3], [], []])
    start(world, 3, 'D')
    expect(world.state().slice(0, 2)).toEqual([1, [1]])
  })

  test('keeps who is in sync and away under an eligible one that is back first', () => {
    const world = onlyOneInSync()
    start(world, 2)
    expect(world.state()).toEqual([2, [1, 2], [], []])
    start(world, 1)
    expect(world.state()).toEqual([2, [1, 2], [], []])
  })

  test('keeps both, and the other as eligible, where they are too few', () => {
    const world = onlyOneInSync({ 'min.insync.replicas': '3' })
    start(world, 2)
    expect(world.state()).toEqual([2, [1, 2], [3], []])
  })

  test('has nobody lead who lost something while one in sync is away, though he was last known alone', () => {
    const world = threeBrokers()
    freeze(world)
    for (const id of all) stop(world, id)
    start(world, 2, 'C')
    start(world, 3, 'C')
    expect(world.state()).toEqual([-1, [1], [], [3]])
    start(world, 1)
    expect(world.state()).toEqual([1, [1], [], [3]])
  })

  test.each(['t', null])(
    'waits for who is in sync where an unclean election is allowed by a config of %s, until it ends',
    whose => {
      const world = threeBrokers()
      world.setConfig('unclean.leader.election.enable', 'true', whose)
      world.alter(world.wish([1, 3]))
      freeze(world)
      for (const id of all) stop(world, id)
      start(world, 3, 'C')
      start(world, 2)
      expect(world.state()).toEqual([-1, [1], [], [3]])
      freeze(world, false)
      expect(world.state()[0]).not.toBe(-1)
    },
  )

  test('waits no longer where a person asks for an unclean election', () => {
    const world = threeBrokers()
    world.alter(world.wish([1, 3]))
    freeze(world)
    for (const id of all) stop(world, id)
    start(world, 3, 'C')
    world.ask({ type: 'electLeaders', kind: 'unclean', partitions: null })
    expect(world.state()).toEqual([3, [3], [], []])
  })

  test('leaves who is still away when it ends, and counts him as eligible where too few are left (R8)', () => {
    const world = threeBrokers()
    freeze(world)
    for (const id of all) stop(world, id)
    start(world, 2)
    freeze(world, false)
    expect(world.state()).toEqual([2, [2], [1, 3], []])
  })

  test('is all of it: what is given to one broker freezes nothing', () => {
    const world = threeBrokers()
    freeze(world, true, 2)
    world.fence(2)
    expect(world.state()[1]).toEqual([1, 3])
  })

  test('stays so under the next controller', () => {
    const world = threeBrokers()
    freeze(world)
    stop(world, 2)
    world.takeOver()
    for (const id of [1, 3]) world.heartbeat(id)
    world.pass(10_000, 1)
    expect(world.state()).toEqual([1, all, [], []])
  })

  test.each([
    { inSync: all, minInsync: '2' },
    { inSync: [1], minInsync: '1' },
    { inSync: [1], minInsync: '2' },
    { inSync: [1, 2], minInsync: '3' },
  ])('of $inSync and $minInsync loses no member that lost nothing', ({ inSync, minInsync }) => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = new Prng(seed)
      const world = threeBrokers()
      world.setConfig('min.insync.replicas', minInsync)
      world.alter(world.wish(inSync))
      freeze(world)
      for (let step = 0; step < 30; step++) {
        const id = 1 + random.below(3)
        const act = random.below(4)
        if (act === 0) stop(world, id)
        else if (act === 1) world.fence(id)
        else if (act === 2) start(world, id, random.below(2) === 0 ? 'A' : 'B')
        else world.takeOver()
        const [leader, isr] = world.state()
        expect(isr, `seed ${seed}, step ${step}`).toEqual(expect.arrayContaining(inSync))
        if (leader === -1) continue
        const { isFenced, isShuttingDown } = world.broker(leader)
        expect([isFenced, isShuttingDown], `seed ${seed}, step ${step}`).toEqual([false, false])
      }
    }
  })
})
