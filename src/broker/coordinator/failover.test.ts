import { describe, expect, test } from 'vitest'
import { CoordinatorsWorld, uuidOf } from '../../../test/helpers/coordinators-world.ts'

/** A world in which broker 1 leads, and has committed `offset` in it, which all have. */
async function committedWorld(offset = 7): Promise<CoordinatorsWorld> {
  const world = new CoordinatorsWorld()
  await world.start()
  const call = world.commit(1, offset)
  await world.clock.settle()
  expect(call.answer).toBeNull()
  await world.replicate()
  expect(call.answer).toBe('NONE')
  return world
}

describe('a coordinator', () => {
  test('is whoever leads the partition, and nobody else', async () => {
    const world = await committedWorld()
    expect([1, 2, 3].map(broker => world.committed(broker))).toEqual([
      7,
      'NOT_COORDINATOR',
      'NOT_COORDINATOR',
    ])
  })

  test('that begins to lead has what the one before had committed', async () => {
    const world = await committedWorld()
    await world.elect(2)
    await world.replicate()
    expect([1, 2, 3].map(broker => world.committed(broker))).toEqual([
      'NOT_COORDINATOR',
      7,
      'NOT_COORDINATOR',
    ])
  })

  test('says nothing before its watermark has reached the start of its epoch (R10, I12)', async () => {
    const world = await committedWorld(7)
    await world.replicate()
    const call = world.commit(1, 8)
    await world.clock.settle()
    await world.replicate()
    expect([call.answer, world.committed(1)]).toEqual(['NONE', 8])
    // It has the record, and does not know yet that it is committed.
    expect(world.replica(2).highWatermark).toBeLessThan(world.replica(2).endOffset)
    await world.elect(2)
    expect(world.committed(2)).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    expect(world.coordinator(2).isLoading).toBe(true)
    await world.replicate()
    expect(world.committed(2)).toBe(8)
    expect(world.coordinator(2).isLoading).toBe(false)
  })

  test('that waits, and has heard of nobody for too long, sends its clients on to the one that may be by now', async () => {
    const world = await committedWorld()
    await world.elect(2)
    expect(world.committed(2)).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    await world.elect(3, { deaf: [2] })
    await world.replicate()
    world.replica(2).silenceMs = 6_001
    expect([world.committed(2), world.committed(3)]).toEqual(['NOT_COORDINATOR', 7])
    world.replica(2).silenceMs = 0
    expect(world.committed(2)).toBe('COORDINATOR_LOAD_IN_PROGRESS')
  })

  test('that waits for longer than 10 s, since it is alone, keeps nobody from hearing of all other groups', async () => {
    const world = await committedWorld()
    await world.elect(2)
    await world.clock.run(9_999)
    expect(world.coordinator(2).isTooEarlyToList).toBe(true)
    await world.clock.run(1)
    expect([world.coordinator(2).isTooEarlyToList, world.committed(2)]).toEqual([
      false,
      'COORDINATOR_LOAD_IN_PROGRESS',
    ])
  })

  test('begins once it is asked where nobody told it that the time has come', async () => {
    const world = await committedWorld()
    world.replica(2).isOutOfTouch = false
    await world.elect(2)
    world.replica(2).isOutOfTouch = true
    await world.replicate()
    expect(world.committed(2)).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    world.replica(2).isOutOfTouch = false
    expect(world.committed(2)).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    await world.clock.settle()
    expect(world.committed(2)).toBe(7)
  })

  test('that was deposed without hearing of it stores nothing, and is asked in vain once it is out of touch', async () => {
    const world = await committedWorld()
    await world.elect(2, { deaf: [1] })
    await world.replicate()
    const call = world.commit(1, 9)
    const newer = world.commit(2, 8)
    await world.clock.settle()
    await world.replicate()
    expect([call.answer, newer.answer, world.committed(2)]).toEqual([null, 'NONE', 8])
    world.replica(1).isOutOfTouch = true
    expect(world.committed(1)).toBe('NOT_COORDINATOR')
    await world.elect(2)
    expect(call.answer).toBe('NOT_COORDINATOR')
    await world.replicate()
    expect(world.committed(2)).toBe(8)
  })

  test('that was deposed while it stood still says nothing before it has heard of somebody (I12)', async () => {
    const world = await committedWorld()
    await world.elect(2, { deaf: [1] })
    world.replica(1).silenceMs = 6_000
    expect(world.committed(1)).toBe(7)
    world.replica(1).silenceMs = 6_001
    expect(world.committed(1)).toBe('NOT_COORDINATOR')
    world.replica(1).silenceMs = 0
    expect(world.committed(1)).toBe(7)
  })

  test('loads anew in each epoch, also where it leads on, and in no two at once', async () => {
    const world = await committedWorld()
    const lost = world.commit(1, 8)
    await world.clock.settle()
    await world.elect(1)
    expect(lost.answer).toBe('NOT_COORDINATOR')
    // Written by the former epoch, and kept: it is committed once this one is.
    expect(world.committed(1)).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    await world.replicate()
    expect(world.committed(1)).toBe(8)
  })

  test('tells whoever waits in a group that somebody else coordinates it now', async () => {
    const world = await committedWorld()
    const joining = world.join(1)
    await world.clock.run(0)
    const { memberId, generation } = await joining
    const again = world.join(1)
    await world.elect(2)
    expect(await again).toMatchObject({ error: 'NOT_COORDINATOR' })
    const claim = { memberId, generation, instanceId: null }
    expect(world.coordinator(1).refusal('group')).toBe('NOT_COORDINATOR')
    await world.replicate()
    // What was formed there and never stored is nobody's generation here.
    expect(await world.coordinator(2).heartbeat('group', claim)).toBe('UNKNOWN_MEMBER_ID')
    expect(world.clock.timerCount).toBeLessThan(10)
  })

  test('keeps the groups of partitions that it leads on', async () => {
    const world = new CoordinatorsWorld(8)
    await world.start()
    const groups = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    const calls = groups.map((group, at) => world.commit(1, at, group))
    await world.clock.settle()
    for (let at = 0; at < 8; at++) await world.replicate(at)
    expect(calls.map(({ answer }) => answer)).toEqual(groups.map(() => 'NONE'))
    await world.elect(2, { partition: 1 })
    await world.replicate(1)
    // Java's hash of 'a' is 97, and so on.
    const moved = groups.filter(group => group.charCodeAt(0) % 8 === 1)
    expect(moved).toEqual(['a'])
    for (const [at, group] of groups.entries()) {
      const isMoved = moved.includes(group)
      expect(world.committed(isMoved ? 2 : 1, group)).toBe(at)
      expect(world.committed(isMoved ? 1 : 2, group)).toBe('NOT_COORDINATOR')
    }
  })
})

test('what was committed for a topic that was made anew meanwhile is forgotten by the next coordinator', async () => {
  const world = await committedWorld(7)
  world.topicId = uuidOf(2)
  await world.elect(2)
  await world.replicate()
  // What it forgets counts when that is committed.
  await world.replicate()
  expect(world.committed(2)).toBe(-1)
  world.commit(2, 3)
  await world.clock.settle()
  await world.replicate()
  await world.elect(3)
  await world.replicate()
  expect(world.committed(3)).toBe(3)
})

describe('a stable group', () => {
  async function stableWorld() {
    const world = new CoordinatorsWorld()
    await world.start()
    const joining = world.join(1)
    await world.clock.run(0)
    const { memberId, generation } = await joining
    const assignments = [{ memberId, assignment: Uint8Array.of(1, 2, 3) }]
    const wish = { memberId, generation, instanceId: null, protocolType: null, protocol: null }
    const syncing = world.coordinator(1).sync('group', { ...wish, assignments })
    await world.clock.settle()
    return { world, claim: { memberId, generation, instanceId: null }, wish, syncing }
  }

  test('goes on with its members, its generation and its assignment at the next coordinator', async () => {
    const { world, claim, wish, syncing } = await stableWorld()
    await world.replicate()
    expect(await syncing).toMatchObject({ error: 'NONE' })
    await world.elect(3)
    await world.replicate()
    expect(await world.coordinator(3).heartbeat('group', claim)).toBe('NONE')
    const again = await world.coordinator(3).sync('group', { ...wish, assignments: [] })
    expect(again).toMatchObject({ error: 'NONE', assignment: Uint8Array.of(1, 2, 3) })
    const next = world.join(3, { memberId: claim.memberId })
    await world.clock.run(0)
    expect(await next).toMatchObject({ error: 'NONE', generation: claim.generation + 1 })
  })

  test('keeps its members where its coordinator stood still, whenever in that time their sessions would have ended', async () => {
    for (const restMs of [100, 400, 600, 2_000, 8_500, 9_600]) {
      const { world, claim, syncing } = await stableWorld()
      await world.replicate()
      await syncing
      // A session is 10 s; it has `restMs` left when the process is stopped.
      await world.clock.run(10_000 - restMs)
      world.life(1).stop()
      await world.clock.run(10_000)
      world.life(1).resume()
      await world.clock.settle()
      expect(await world.coordinator(1).heartbeat('group', claim)).toBe('NONE')
      await world.clock.run(9_999)
      expect(await world.coordinator(1).heartbeat('group', claim)).toBe('NONE')
      await world.clock.run(10_000)
      expect(await world.coordinator(1).heartbeat('group', claim)).toBe('UNKNOWN_MEMBER_ID')
    }
  })

  test('loses a member that is silent for its session where its coordinator stood still for no longer than a second', async () => {
    const { world, claim, syncing } = await stableWorld()
    await world.replicate()
    await syncing
    await world.clock.run(9_600)
    world.life(1).stop()
    await world.clock.run(500)
    world.life(1).resume()
    await world.clock.settle()
    expect(await world.coordinator(1).heartbeat('group', claim)).toBe('UNKNOWN_MEMBER_ID')
  })

  test('does not become one where its assignment is not committed before the coordinator is gone', async () => {
    const { world, claim, syncing } = await stableWorld()
    await world.elect(2)
    expect(await syncing).toMatchObject({ error: 'NOT_COORDINATOR' })
    await world.replicate()
    expect(await world.coordinator(2).heartbeat('group', claim)).toBe('UNKNOWN_MEMBER_ID')
  })
})

describe('a commit whose time is up', () => {
  test('is not told to anybody before it is committed, and then it is (R11, I12)', async () => {
    const world = await committedWorld(7)
    const call = world.commit(1, 8)
    await world.clock.settle()
    world.replica(1).timeOut()
    await world.clock.settle()
    expect([call.answer, world.committed(1)]).toEqual(['COORDINATOR_NOT_AVAILABLE', 7])
    await world.replicate()
    expect(world.committed(1)).toBe(8)
  })

  test('is gone without a trace where the next leader does not have it', async () => {
    const world = await committedWorld(7)
    const call = world.commit(1, 8)
    await world.clock.settle()
    world.replica(1).timeOut()
    await world.elect(2)
    await world.replicate()
    await world.elect(1)
    await world.replicate()
    expect([call.answer, world.committed(1)]).toEqual(['COORDINATOR_NOT_AVAILABLE', 7])
  })

  test('keeps its place before those that came behind it', async () => {
    const world = await committedWorld(7)
    const first = world.commit(1, 8)
    await world.clock.settle()
    const second = world.commit(1, 9)
    await world.clock.settle()
    world.commit(1, 1, 'another group')
    await world.clock.settle()
    // Only the first one's time is up.
    const replica = world.replica(1)
    const [waiting, ...others] = replica.waiting
    replica.waiting = [waiting!]
    replica.timeOut()
    replica.waiting = others
    await world.clock.settle()
    expect([first.answer, second.answer]).toEqual(['COORDINATOR_NOT_AVAILABLE', null])
    replica.raise(replica.endOffset - 1)
    await world.clock.settle()
    // What lies behind them is not committed, and need not be.
    expect([second.answer, world.committed(1)]).toEqual(['NONE', 9])
  })

  test('and a deletion whose time is up leaves a group that is dead until it is known to be', async () => {
    const world = await committedWorld(7)
    const deleting = world.coordinator(1).deleteGroup('group')
    await world.clock.settle()
    world.replica(1).timeOut()
    expect(await deleting).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(world.committed(1)).toBe(7)
    await world.replicate()
    expect(world.committed(1)).toBe(-1)
    expect(await world.coordinator(1).deleteGroup('group')).toBe('GROUP_ID_NOT_FOUND')
  })

  test('holds up nobody who is refused behind it', async () => {
    const world = new CoordinatorsWorld()
    await world.start()
    const joining = world.join(1)
    await world.clock.run(0)
    const { memberId, generation } = await joining
    const first = world.commit(1, 1, 'simple')
    await world.clock.settle()
    // Both followers are gone: too few are in sync, for as long as it takes.
    world.replica(1).timeOut()
    world.replica(1).refuses = 'NOT_ENOUGH_REPLICAS'
    const coordinator = world.coordinator(1)
    const second = world.commit(1, 2, 'simple')
    const wish = { memberId, generation, instanceId: null, protocolType: null, protocol: null }
    const assignments = [{ memberId, assignment: Uint8Array.of(1) }]
    const syncing = coordinator.sync('group', { ...wish, assignments })
    const deleting = coordinator.deleteGroup('simple')
    await world.clock.settle()
    expect([first.answer, second.answer, await deleting, (await syncing).error]).toEqual(
      Array.from({ length: 4 }, () => 'COORDINATOR_NOT_AVAILABLE'),
    )
    // The one in the log is told to nobody meanwhile, and counts once it is committed.
    expect(world.committed(1, 'simple')).toBe(-1)
    await world.replicate()
    expect(world.committed(1, 'simple')).toBe(1)
  })
})
