import { describe, expect, test } from 'vitest'
import {
  answered,
  errorOf,
  groupId,
  GroupWorld,
  offset,
} from '../../../../test/helpers/group-world.ts'
import { stable, reasons } from '../../../../test/helpers/stable-group.ts'
import { fromUtf8 } from '../../../lib/bytes.ts'
import type { JoinAnswer } from './events.ts'

describe('heartbeats and sessions', () => {
  test('a member without a heartbeat is out when its session ends, and the others are told', () => {
    const { world, joined } = stable(2)
    world.advance(9_000)
    expect(world.heartbeat(joined[0]!)).toBe('NONE')
    world.advance(1_000)
    expect(world.state).toBe('PreparingRebalance')
    expect(world.heartbeat(joined[1]!)).toBe('UNKNOWN_MEMBER_ID')
    expect(world.heartbeat(joined[0]!)).toBe('REBALANCE_IN_PROGRESS')
    expect(answered(world.join({ memberId: 'm0' }))).toMatchObject({
      generation: 3,
      leaderId: 'm0',
    })
    expect(reasons(world).at(-1)).toBe('The session of a member timed out')
  })

  test('a heartbeat keeps a session through a rebalance, and is judged by its generation', () => {
    const { world, joined } = stable(2)
    world.join({ memberId: 'm0' })
    for (let at = 0; at < 5; at++) {
      world.advance(5_000)
      expect(world.heartbeat(joined[1]!)).toBe('REBALANCE_IN_PROGRESS')
    }
    expect(world.heartbeat({ ...joined[1]!, generation: 1 })).toBe('ILLEGAL_GENERATION')
    const [again] = [world.join({ memberId: 'm1' })]
    expect(answered(again).generation).toBe(3)
    expect(world.heartbeat(answered(again))).toBe('NONE')
  })

  test('a heartbeat of a member whose JoinGroup is parked says nothing', () => {
    const { world, joined } = stable(2)
    world.join({ memberId: 'm0' })
    expect(world.heartbeat(joined[0]!)).toBe('NONE')
  })

  test('a parked member has no session, however long it waits', () => {
    const { world, joined } = stable(2)
    const parked = world.join({ memberId: 'm0' })
    for (let at = 0; at < 5; at++) {
      world.advance(5_000)
      world.heartbeat(joined[1]!)
    }
    expect(parked.answer).toBeNull()
    world.advance(5_000)
    // The rebalance timeout of 30 s is over: the one that did not join is out.
    expect(answered(parked)).toMatchObject({ error: 'NONE', generation: 3 })
    expect(answered(parked).members).toHaveLength(1)
    expect(world.heartbeat(joined[1]!)).toBe('UNKNOWN_MEMBER_ID')
  })

  test('a new member that is parked too long is given up', () => {
    const { world, joined } = stable(1, {})
    const parked = world.join({ rebalanceTimeoutMs: 3_600_000 })
    for (let at = 0; at < 60; at++) {
      world.advance(5_000)
      world.heartbeat(joined[0]!)
    }
    expect(errorOf(parked)).toBe('UNKNOWN_MEMBER_ID')
  })

  test('the last session that ends leaves an empty group, which is stored', () => {
    const { world } = stable(3)
    world.advance(10_000)
    expect(world.state).toBe('Empty')
    expect(world.log.at(-1)).toMatchObject({
      value: { generation: 4, members: [], protocol: null },
    })
    expect(errorOf(world.join({ memberId: 'm1' }))).toBe('UNKNOWN_MEMBER_ID')
  })

  test('nobody is known in a group that is not there', () => {
    const world = new GroupWorld()
    expect(world.heartbeat({ memberId: 'a', generation: 1 } as JoinAnswer)).toBe(
      'UNKNOWN_MEMBER_ID',
    )
    expect(world.leave({ memberId: 'a' }, { memberId: 'b' })).toEqual([
      'UNKNOWN_MEMBER_ID',
      'UNKNOWN_MEMBER_ID',
    ])
  })
})

test('a broker that stood still holds it against nobody', () => {
  const { world, joined } = stable(2)
  world.advance(9_000)
  // Sessions would end in a second; the process is stopped for a minute.
  world.nowMs += 61_000
  world.step({ type: 'wake', groupId })
  expect(joined.map(one => world.heartbeat(one))).toEqual(['NONE', 'NONE'])
  world.advance(10_000)
  expect(world.state).toBe('Empty')
})

test('a broker that stood still holds it against no group, and each goes on by its own time', () => {
  const { world, joined } = stable(2)
  const parked = world.join({ memberId: 'm0' })
  world.advance(9_000)
  world.heartbeat(joined[1]!)
  world.nowMs += 61_000
  world.step({ type: 'stoodStill', lostMs: 61_000 })
  expect(world.lines.at(-1)).toMatchObject({ fields: { lostMs: 61_000, groups: 1 } })
  // What was due meanwhile is due no more.
  world.step({ type: 'wake', groupId })
  expect([parked.answer, world.heartbeat(joined[1]!)]).toEqual([null, 'REBALANCE_IN_PROGRESS'])
  // The rebalance had 21 s left.
  world.advance(9_000)
  expect(world.heartbeat(joined[1]!)).toBe('REBALANCE_IN_PROGRESS')
  world.advance(9_000)
  expect(world.heartbeat(joined[1]!)).toBe('REBALANCE_IN_PROGRESS')
  world.advance(4_000)
  expect(answered(parked).members).toHaveLength(1)
})

test('who is parked while the broker stands still goes on waiting for the others', () => {
  const { world, joined } = stable(2)
  const parked = world.join({ memberId: 'm0' })
  world.advance(5_000)
  world.nowMs += 60_000
  world.step({ type: 'wake', groupId })
  expect(parked.answer).toBeNull()
  expect(errorOf(world.join({ memberId: 'm1' }))).toBe('NONE')
  expect(answered(parked).members).toHaveLength(2)
  expect(world.heartbeat(joined[1]!)).toBe('ILLEGAL_GENERATION')
})

describe('a member that dies', () => {
  test('before it joined: the rebalance ends without it', () => {
    const { world } = stable(3)
    const alive = ['m0', 'm1'].map(memberId => world.join({ memberId }))
    world.advance(10_000)
    expect(alive.map(call => answered(call).generation)).toEqual([4, 4])
  })

  test('the leader, with its JoinGroup parked: another leads after the next rebalance', () => {
    const { world } = stable(2)
    const calls = ['m0', 'm1'].map(memberId => world.join({ memberId }))
    const [, follower] = calls.map(answered)
    const waiting = world.sync(follower!)
    world.advance(10_000)
    expect(errorOf(waiting)).toBe('REBALANCE_IN_PROGRESS')
    const again = answered(world.join({ memberId: 'm1' }))
    expect(again).toMatchObject({ leaderId: 'm1', generation: 4 })
    expect(again.members).toHaveLength(1)
  })

  test('the leader, while its assignment is stored', () => {
    const { world } = stable(2)
    const joined = ['m0', 'm1'].map(memberId => world.join({ memberId })).map(answered)
    world.isHeld = true
    const calls = joined.map(one => world.sync(one, { m1: 'part' }))
    expect(world.leave({ memberId: 'm0' })).toEqual(['NONE'])
    expect(calls.map(errorOf)).toEqual(['UNKNOWN_MEMBER_ID', 'REBALANCE_IN_PROGRESS'])
    world.finish()
    expect(world.state).toBe('PreparingRebalance')
  })
})

describe('leaving', () => {
  test('members leave together, each is answered, and one rebalance follows', () => {
    const { world, joined } = stable(4)
    const before = reasons(world).length
    const errors = world.leave(
      { memberId: 'm1', reason: 'bye' },
      { memberId: 'x' },
      { memberId: 'm2' },
    )
    expect(errors).toEqual(['NONE', 'UNKNOWN_MEMBER_ID', 'NONE'])
    expect(reasons(world).slice(before)).toEqual(['A member left'])
    expect(world.heartbeat(joined[1]!)).toBe('UNKNOWN_MEMBER_ID')
    expect(world.heartbeat(joined[0]!)).toBe('REBALANCE_IN_PROGRESS')
  })

  test('the last one of those who are missing ends the rebalance by leaving', () => {
    const { world } = stable(2)
    const parked = world.join({ memberId: 'm0' })
    expect(world.leave({ memberId: 'm1' })).toEqual(['NONE'])
    expect(answered(parked).generation).toBe(3)
  })

  test('an id that was given out is given back', () => {
    const { world } = stable(1)
    world.join({ needsKnownMemberId: true, freshMemberId: 'p' })
    expect(world.leave({ memberId: 'p' })).toEqual(['NONE'])
    expect(world.state).toBe('Stable')
  })
})

describe('a restart of the broker', () => {
  test('members go on with the generation that was stored, and have a whole session to be heard of', () => {
    const { world, joined } = stable(3)
    world.advance(9_000)
    world.restart()
    expect(world.state).toBe('Stable')
    world.advance(9_000)
    expect(joined.map(one => world.heartbeat(one))).toEqual(['NONE', 'NONE', 'NONE'])
    expect(fromUtf8(answered(world.sync(joined[1]!)).assignment)).toBe('part of m1')
    world.advance(10_000)
    expect(world.state).toBe('Empty')
  })

  test('what was not stored was never told', () => {
    const { world, joined } = stable(2)
    world.isHeld = true
    const next = ['m0', 'm1'].map(memberId => world.join({ memberId })).map(answered)
    world.sync(next[0]!, { m0: 'new' })
    world.commit(next[0]!, [offset('topic', 0, 99)])
    world.restart()
    expect(next.map(one => world.heartbeat(one))).toEqual([
      'ILLEGAL_GENERATION',
      'ILLEGAL_GENERATION',
    ])
    expect(world.heartbeat(joined[0]!)).toBe('NONE')
  })
})
