import { describe, expect, test } from 'vitest'
import { threeBrokers } from '../../../../test/metadata/controller-world.ts'

describe('a broker', () => {
  test('I-23: that is not heard of for a session is fenced: in no in-sync set, and another leads', () => {
    const world = threeBrokers()
    world.pass(6_000, 2, 3)
    expect([world.broker(1).isFenced, world.state()]).toEqual([false, [1, [1, 2, 3], [], []]])
    world.pass(200, 2, 3)
    expect([world.broker(1).isFenced, world.state()]).toEqual([true, [2, [2, 3], [], []]])
    world.heartbeat(1)
    expect([world.broker(1).isFenced, world.state()]).toEqual([false, [2, [2, 3], [], []]])
  })

  test('I-23: that comes back leads at once what nobody leads and it has all of', () => {
    const world = threeBrokers()
    world.pass(7_000)
    expect(world.state()).toEqual([-1, [], [1, 2, 3], []])
    const { leaderEpoch } = world.partition()
    world.heartbeat(3)
    expect(world.state()).toEqual([3, [3], [1, 2], []])
    expect(world.partition().leaderEpoch).toBe(leaderEpoch + 1)
  })

  test('is given a session by a new controller, and by one that did not run itself', () => {
    const world = threeBrokers()
    world.pass(5_500)
    world.takeOver()
    world.pass(4_500)
    expect(world.state()).toEqual([1, [1, 2, 3], [], []])
    world.nowMs += 60_000
    world.step({ type: 'tick', nowMs: world.nowMs })
    expect(world.state()).toEqual([1, [1, 2, 3], [], []])
    world.pass(2_000)
    expect(world.state()[0]).toBe(-1)
  })

  test('whose connection was reset is fenced at once, and one process once in 30 s', () => {
    const world = threeBrokers()
    world.pass(100, 1, 2, 3)
    world.step({ type: 'connectionReset', brokerId: 1 })
    expect(world.state()).toEqual([2, [2, 3], [], []])
    // It lives, and only its connections broke.
    world.heartbeat(1)
    expect(world.broker(1).isFenced).toBe(false)
    world.pass(20_000, 1, 2, 3)
    world.step({ type: 'connectionReset', brokerId: 1 })
    expect(world.broker(1).isFenced).toBe(false)
    world.pass(10_000, 1, 2, 3)
    world.step({ type: 'connectionReset', brokerId: 1 })
    expect(world.broker(1).isFenced).toBe(true)
  })

  test('that was started again since it was fenced so is fenced at once again: its process had ended', () => {
    const world = threeBrokers()
    world.pass(100, 1, 2, 3)
    for (let life = 0; life < 3; life++) {
      world.step({ type: 'connectionReset', brokerId: 1 })
      expect(world.broker(1).isFenced).toBe(true)
      expect(world.register(1).type).toBe('brokerRegistered')
      world.heartbeat(1)
      world.pass(1_000, 1, 2, 3)
      expect(world.broker(1).isFenced).toBe(false)
    }
  })

  test('that was the controller, and was silent all the time, is given a second and not a session', () => {
    const world = threeBrokers()
    world.pass(6_000, 1, 2, 3)
    world.takeOver()
    world.pass(100, 2, 3)
    const sinceMs = world.nowMs - 9_000
    world.step({ type: 'foundSilent', brokerId: 1, sinceMs })
    // Of the others nobody can know anything.
    world.pass(900)
    expect(world.state()).toEqual([1, [1, 2, 3], [], []])
    world.pass(300)
    expect([world.broker(1).isFenced, world.state()]).toEqual([true, [2, [2, 3], [], []]])
  })

  test('that was found silent, and speaks within that second, is given a session as any', () => {
    const world = threeBrokers()
    world.pass(6_000, 1, 2, 3)
    world.takeOver()
    world.pass(100, 2, 3)
    world.step({ type: 'foundSilent', brokerId: 1, sinceMs: world.nowMs - 9_000 })
    world.pass(500, 2, 3)
    world.heartbeat(1)
    world.pass(5_900, 2, 3)
    expect(world.broker(1).isFenced).toBe(false)
    // What is told late counts for nothing.
    world.heartbeat(1)
    world.step({ type: 'foundSilent', brokerId: 1, sinceMs: world.nowMs - 9_000 })
    world.pass(5_900, 2, 3)
    expect(world.broker(1).isFenced).toBe(false)
  })

  test('that was silent for less than a session has what is left of it', () => {
    const world = threeBrokers()
    world.pass(6_000, 1, 2, 3)
    world.takeOver()
    world.pass(100, 2, 3)
    world.step({ type: 'foundSilent', brokerId: 1, sinceMs: world.nowMs - 2_000 })
    world.pass(3_900, 2, 3)
    expect(world.broker(1).isFenced).toBe(false)
    world.pass(300, 2, 3)
    expect(world.broker(1).isFenced).toBe(true)
  })

  test.each(['before', 'after'])(
    'whose connection was reset %s it was fenced for a stop in order is fenced at once when it crashes next',
    when => {
      const world = threeBrokers()
      world.pass(100, 1, 2, 3)
      world.heartbeat(1, { wantsShutdown: true })
      if (when === 'after') {
        for (const id of [2, 3]) world.heartbeat(id)
        expect(world.heartbeat(1, { wantsShutdown: true })).toMatchObject({ mayShutDown: true })
      }
      expect(world.broker(1).isFenced).toBe(when === 'after')
      world.step({ type: 'connectionReset', brokerId: 1 })
      expect(world.broker(1).isFenced).toBe(true)
      world.register(1)
      world.heartbeat(1)
      world.pass(5_000, 1, 2, 3)
      expect(world.broker(1).isFenced).toBe(false)
      world.step({ type: 'connectionReset', brokerId: 1 })
      expect(world.broker(1).isFenced).toBe(true)
    },
  )

  test('that is not registered, or was started again since, is told so', () => {
    const world = threeBrokers()
    const { epoch } = world.broker(2)
    world.fence(2)
    world.register(2)
    expect(world.heartbeat(2, { brokerEpoch: epoch })).toMatchObject({
      error: 'STALE_BROKER_EPOCH',
    })
    const stranger = { brokerId: 9, brokerEpoch: 1 }
    expect(world.heartbeat(2, stranger)).toMatchObject({ error: 'BROKER_ID_NOT_REGISTERED' })
  })

  test('hears whether it has applied all that is committed', () => {
    const world = threeBrokers()
    const { sequence } = world.image
    expect(world.heartbeat(1)).toMatchObject({ isCaughtUp: true, isFenced: false })
    expect(world.heartbeat(1, { appliedSequence: sequence - 1 })).toMatchObject({
      isCaughtUp: false,
    })
  })
})

describe('I-22: a broker that wants to stop', () => {
  test('hands over, and may go when all who live have read that', () => {
    const world = threeBrokers()
    const stop = { wantsShutdown: true, appliedSequence: world.image.sequence }
    expect(world.heartbeat(1, stop)).toMatchObject({ mayShutDown: false })
    expect(world.state()).toEqual([2, [2, 3], [], []])
    expect([world.broker(1).isShuttingDown, world.broker(1).isFenced]).toEqual([true, false])
    const departed = world.image.sequence
    world.heartbeat(2)
    world.heartbeat(3, { appliedSequence: departed - 1 })
    expect(world.heartbeat(1, stop)).toMatchObject({ mayShutDown: false })
    world.heartbeat(3)
    expect(world.heartbeat(1, stop)).toMatchObject({ mayShutDown: true })
    expect(world.broker(1).isFenced).toBe(true)
    expect(world.register(1).type).toBe('brokerRegistered')
  })

  test('is in no in-sync set again meanwhile', () => {
    const world = threeBrokers()
    world.heartbeat(3, { wantsShutdown: true })
    expect(world.state()).toEqual([1, [1, 2], [], []])
    expect(world.alter(world.wish([1, 2, 3]))).toMatchObject({
      results: [{ error: 'INELIGIBLE_REPLICA' }],
    })
  })

  test('does not wait for those who do not live, nor for a new controller', () => {
    const world = threeBrokers()
    world.fence(3)
    world.heartbeat(1, { wantsShutdown: true })
    world.takeOver()
    expect(world.heartbeat(1, { wantsShutdown: true })).toMatchObject({ mayShutDown: false })
    world.heartbeat(2)
    expect(world.heartbeat(1, { wantsShutdown: true })).toMatchObject({ mayShutDown: true })
  })

  test('one after the other, as in a rolling restart, moves each leader once and leaves no partition without', () => {
    const world = threeBrokers()
    world.create('u', [[2, 3, 1]])
    world.create('v', [[3, 1, 2]])
    for (const id of [1, 2, 3]) {
      const before = ['t', 'u', 'v'].map(name => world.partition(name).leaderEpoch)
      world.heartbeat(id, { wantsShutdown: true })
      for (const name of ['t', 'u', 'v']) expect(world.partition(name).leader).toBeGreaterThan(0)
      for (const other of [1, 2, 3]) if (other !== id) world.heartbeat(other)
      expect(world.heartbeat(id, { wantsShutdown: true })).toMatchObject({ mayShutDown: true })
      world.start(id)
      for (const [at, name] of ['t', 'u', 'v'].entries()) {
        expect(world.partition(name).leaderEpoch - before[at]!).toBeLessThanOrEqual(1)
        const { topicId, ...wish } = wishOfAll(world, name)
        const brokerId = world.partition(name).leader
        const { epoch: brokerEpoch } = world.broker(brokerId)
        const partitions = [{ topicId, ...wish }]
        world.ask({ type: 'alterPartitions', brokerId, brokerEpoch, partitions })
        expect(world.partition(name).isr.length).toBe(3)
      }
    }
  })

  test('and is the only one, or the last, may go at once', () => {
    const world = threeBrokers()
    world.fence(2)
    world.fence(3)
    expect(world.heartbeat(1, { wantsShutdown: true })).toMatchObject({ mayShutDown: false })
    expect(world.heartbeat(1, { wantsShutdown: true })).toMatchObject({ mayShutDown: true })
    expect(world.state()).toEqual([-1, [], [3, 1], []])
    world.start(1)
    expect(world.state()[0]).toBe(1)
  })
})

function wishOfAll(world: ReturnType<typeof threeBrokers>, name: string) {
  const { leaderEpoch, partitionEpoch } = world.partition(name)
  const changes = { topicId: world.topicId(name), leaderEpoch, partitionEpoch }
  return world.wish([1, 2, 3], changes)
}

test('readers of the metadata log are told with what they have applied, and when they told it', () => {
  const world = threeBrokers()
  world.pass(300, 1, 2, 3)
  world.pass(500, 1)
  const { sequence } = world.image
  const answer = world.ask({ type: 'describeQuorum' })
  if (answer.type !== 'quorumDescribed') throw new Error(answer.type)
  expect(
    answer.followers.map(({ brokerId, appliedSequence }) => [brokerId, appliedSequence]),
  ).toEqual([1, 2, 3].map(id => [id, sequence]))
  const [first, second, third] = answer.followers.map(({ heardMsAgo }) => heardMsAgo ?? -1)
  expect(second! - first!).toBe(500)
  expect(third).toBe(second)
})
