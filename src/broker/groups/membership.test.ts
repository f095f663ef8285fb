import { describe, expect, test } from 'vitest'
import {
  answered,
  errorOf,
  groupId,
  GroupWorld,
  offset,
  protocol,
  subscription,
} from '../../../test/helpers/group-world.ts'
import { fromUtf8 } from '../../lib/bytes.ts'
import type { GroupsConfig } from './groups.ts'
import type { JoinAnswer } from './events.ts'

/** A stable group of `count`; the first is the leader. */
function stable(count: number, config: Partial<GroupsConfig> = {}) {
  const world = new GroupWorld(config)
  let joined: JoinAnswer[] = []
  for (let at = 0; at < count; at++) {
    const newcomer = world.join({ freshMemberId: `m${at}` })
    const calls = [...joined.map(({ memberId }) => world.join({ memberId })), newcomer]
    world.advance(0)
    joined = calls.map(answered)
    settle(world, joined)
  }
  return { world, joined }
}

/** Everybody syncs, the leader with a part for each. */
function settle(world: GroupWorld, joined: readonly JoinAnswer[]): void {
  const parts = Object.fromEntries(joined.map(({ memberId }) => [memberId, `part of ${memberId}`]))
  const calls = joined.map(one => world.sync(one, one.memberId === one.leaderId ? parts : {}))
  for (const call of calls) expect(errorOf(call)).toBe('NONE')
  expect(world.state).toBe('Stable')
}

const reasons = (world: GroupWorld): unknown[] =>
  world.lines
    .filter(({ message }) => message === 'A rebalance begins')
    .map(({ fields }) => fields['reason'])

describe('joining', () => {
  test('a new dynamic member is sent back once with its id (G39)', () => {
    const world = new GroupWorld()
    const first = answered(world.join({ needsKnownMemberId: true, freshMemberId: 'a' }))
    expect(first).toMatchObject({ error: 'MEMBER_ID_REQUIRED', memberId: 'a', generation: -1 })
    expect(world.state).toBe('Empty')
    const again = world.join({ needsKnownMemberId: true, memberId: 'a' })
    world.advance(0)
    expect(answered(again)).toMatchObject({
      error: 'NONE',
      memberId: 'a',
      leaderId: 'a',
      generation: 1,
    })
  })

  test('an id that nobody comes back with is forgotten, and its group with it', () => {
    const world = new GroupWorld()
    world.join({ needsKnownMemberId: true, freshMemberId: 'a', sessionTimeoutMs: 5_000 })
    world.advance(4_999)
    expect(world.state).toBe('Empty')
    world.advance(1)
    expect(world.state).toBeUndefined()
    expect(errorOf(world.join({ memberId: 'a' }))).toBe('UNKNOWN_MEMBER_ID')
    expect(world.state).toBeUndefined()
  })

  test('a rebalance waits for an id that was given out, until its time is up', () => {
    const { world, joined } = stable(1)
    world.join({ needsKnownMemberId: true, freshMemberId: 'p', sessionTimeoutMs: 5_000 })
    expect(world.state).toBe('Stable')
    const [call] = [world.join({ memberId: joined[0]!.memberId })]
    expect(call.answer).toBeNull()
    world.advance(5_000)
    expect(answered(call)).toMatchObject({ error: 'NONE', generation: 2 })
  })

  test('the first rebalance waits, and waits again while members come, no longer than the longest may', () => {
    const world = new GroupWorld({ initialRebalanceDelayMs: 3_000 })
    const calls = [world.join({ rebalanceTimeoutMs: 10_000 })]
    for (let second = 0; second < 11; second += 2) {
      world.advance(2_000)
      calls.push(world.join({ rebalanceTimeoutMs: 10_000 }))
    }
    // Rounds of 3, 3, 3 and 1 s make up the ten: who came at 0, 2, 4, 6 and 8 is in, who came later is not.
    expect(calls.map(errorOf)).toEqual(['NONE', 'NONE', 'NONE', 'NONE', 'NONE', null, null])
    expect(answered(calls[0]!).members).toHaveLength(5)
  })

  test('the first rebalance ends after one delay where nobody else comes', () => {
    const world = new GroupWorld({ initialRebalanceDelayMs: 3_000 })
    const call = world.join()
    world.advance(2_999)
    expect(call.answer).toBeNull()
    world.advance(1)
    expect(answered(call).error).toBe('NONE')
  })

  test('only the leader is told who the members are', () => {
    const { joined } = stable(3)
    expect(joined[0]!.members.map(({ memberId }) => memberId)).toEqual(['m0', 'm1', 'm2'])
    expect(joined[1]!.members).toEqual([])
    expect(joined.map(({ leaderId }) => leaderId)).toEqual(['m0', 'm0', 'm0'])
    expect(joined.map(({ generation }) => generation)).toEqual([3, 3, 3])
  })

  test('the protocol is the one that all know and most want', () => {
    const world = new GroupWorld({ initialRebalanceDelayMs: 100 })
    const wishes = [
      ['a', 'b', 'c'],
      ['x', 'c', 'b'],
      ['c', 'b'],
    ]
    const calls = wishes.map(names => world.join({ protocols: names.map(name => protocol(name)) }))
    world.advance(1_000)
    expect(calls.map(call => answered(call).protocol)).toEqual(['c', 'c', 'c'])
  })

  test('who knows no common protocol, or comes with another type, is refused and changes nothing', () => {
    const { world } = stable(2)
    for (const wish of [
      { protocols: [protocol('sticky')] },
      { protocolType: 'connect' },
      { protocols: [] },
      { protocolType: '' },
    ]) {
      expect(errorOf(world.join(wish))).toBe('INCONSISTENT_GROUP_PROTOCOL')
    }
    expect(world.state).toBe('Stable')
    expect(errorOf(new GroupWorld().join({ protocols: [] }))).toBe('INCONSISTENT_GROUP_PROTOCOL')
  })

  test.each([
    [{ sessionTimeoutMs: 999 }, groupId, 'INVALID_SESSION_TIMEOUT'],
    [{ sessionTimeoutMs: 100_001 }, groupId, 'INVALID_SESSION_TIMEOUT'],
    [{}, '', 'INVALID_GROUP_ID'],
  ])('%o in group "%s" is refused with %s', (wish, group, error) => {
    const world = new GroupWorld()
    expect(errorOf(world.join(wish, group))).toBe(error)
    expect([...world.groups.all()]).toEqual([])
  })

  test('a session timeout out of range is refused in a group that is there, too', () => {
    const { world } = stable(1)
    expect(errorOf(world.join({ sessionTimeoutMs: 1 }))).toBe('INVALID_SESSION_TIMEOUT')
  })

  test('group.max.size is a limit for members that are new', () => {
    const { world, joined } = stable(2, { groupSizeMax: 2 })
    expect(answered(world.join())).toMatchObject({ error: 'GROUP_MAX_SIZE_REACHED', memberId: '' })
    expect(world.heartbeat(joined[1]!)).toBe('NONE')
    const again = joined.map(({ memberId }) => world.join({ memberId }))
    expect(again.map(errorOf)).toEqual(['NONE', 'NONE'])
  })

  test('a follower that says the same again gets what it has, the leader a rebalance', () => {
    const { world, joined } = stable(2)
    expect(answered(world.join({ memberId: 'm1' }))).toEqual(joined[1])
    expect(world.state).toBe('Stable')
    expect(world.join({ memberId: 'm0' }).answer).toBeNull()
    expect(world.state).toBe('PreparingRebalance')
    expect(reasons(world).at(-1)).toBe('The leader joined again')
  })

  test('a follower that says something new makes a rebalance', () => {
    const { world } = stable(2)
    const protocols = [protocol('range', subscription('other'))]
    expect(world.join({ memberId: 'm1', protocols, reason: 'topics' }).answer).toBeNull()
    const line = world.lines.findLast(({ message }) => message === 'A rebalance begins')!
    expect(line.fields).toMatchObject({
      reason: 'A member changed what it can do',
      member: 'm1',
      client: 'client',
      host: '/host',
      clientReason: 'topics',
      generation: 2,
    })
  })

  test('who missed the answer to his JoinGroup gets it again before the assignment is there', () => {
    const { world } = stable(2)
    const calls = ['m0', 'm1'].map(memberId =>
      world.join({ memberId, protocols: [protocol('range', subscription('new'))] }),
    )
    const joined = calls.map(answered)
    expect(world.state).toBe('CompletingRebalance')
    const protocols = [protocol('range', subscription('new'))]
    expect(answered(world.join({ memberId: 'm0', protocols }))).toEqual(joined[0])
    expect(answered(world.join({ memberId: 'm1', protocols }))).toEqual(joined[1])
  })

  test('a JoinGroup that is sent once more takes the place of the one that is parked', () => {
    const { world } = stable(2)
    const lost = world.join({ memberId: 'm0' })
    const again = world.join({ memberId: 'm0' })
    expect(errorOf(lost)).toBe('REBALANCE_IN_PROGRESS')
    expect(again.answer).toBeNull()
    const other = world.join({ memberId: 'm1' })
    expect([again, other].map(errorOf)).toEqual(['NONE', 'NONE'])
  })
})

describe('syncing', () => {
  test("followers wait for the leader's assignment, and that for the log", () => {
    const { world, joined } = stable(2)
    const [leader, follower] = ['m0', 'm1'].map(memberId => world.join({ memberId })).map(answered)
    const early = world.sync(follower!)
    expect(early.answer).toBeNull()
    world.isHeld = true
    const own = world.sync(leader!, { m0: 'zero', m1: 'one' })
    expect(own.answer).toBeNull()
    expect(world.state).toBe('CompletingRebalance')
    world.finish()
    expect([own, early].map(call => fromUtf8(answered(call).assignment))).toEqual(['zero', 'one'])
    expect(world.log.at(-1)).toMatchObject({
      type: 'group',
      value: { generation: 3, leaderId: 'm0' },
    })
    expect(joined).toHaveLength(2)
  })

  test('an assignment that cannot be stored is told to all, and a rebalance begins', () => {
    const { world } = stable(2)
    const joined = ['m0', 'm1'].map(memberId => world.join({ memberId })).map(answered)
    world.isHeld = true
    const calls = joined.map(one => world.sync(one, { m0: 'x' }))
    world.finish({ ok: false, isInLog: false, error: 'COORDINATOR_NOT_AVAILABLE' })
    expect(calls.map(errorOf)).toEqual(['COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_NOT_AVAILABLE'])
    expect(world.state).toBe('PreparingRebalance')
  })

  test('a rebalance that begins while an assignment is stored wins', () => {
    const { world } = stable(2)
    const joined = ['m0', 'm1'].map(memberId => world.join({ memberId })).map(answered)
    world.isHeld = true
    const calls = joined.map(one => world.sync(one, { m0: 'x' }))
    world.join({ freshMemberId: 'late' })
    expect(calls.map(errorOf)).toEqual(['REBALANCE_IN_PROGRESS', 'REBALANCE_IN_PROGRESS'])
    world.finish()
    expect(world.state).toBe('PreparingRebalance')
  })

  test('a member that the leader forgot gets an empty part', () => {
    const { world } = stable(2)
    const joined = ['m0', 'm1'].map(memberId => world.join({ memberId })).map(answered)
    world.sync(joined[0]!, { m0: 'all' })
    expect(answered(world.sync(joined[1]!)).assignment).toHaveLength(0)
  })

  test('who is of another generation, another protocol or unknown is refused', () => {
    const { world, joined } = stable(1)
    const [one] = joined as [JoinAnswer]
    expect(errorOf(world.sync({ ...one, generation: 0 }))).toBe('ILLEGAL_GENERATION')
    expect(errorOf(world.sync({ ...one, memberId: 'x' }))).toBe('UNKNOWN_MEMBER_ID')
    const wish = { memberId: 'm0', instanceId: null, generation: 1, assignments: [] }
    const other = { ...wish, protocolType: 'connect', protocol: null }
    expect(errorOf(world.ask({ type: 'sync', groupId, wish: other }))).toBe(
      'INCONSISTENT_GROUP_PROTOCOL',
    )
    const named = { ...wish, protocolType: 'consumer', protocol: 'sticky' }
    expect(errorOf(world.ask({ type: 'sync', groupId, wish: named }))).toBe(
      'INCONSISTENT_GROUP_PROTOCOL',
    )
    expect(errorOf(world.ask({ type: 'sync', groupId: 'none', wish: named }))).toBe(
      'UNKNOWN_MEMBER_ID',
    )
  })

  test('who never asks for its assignment is out after the rebalance timeout', () => {
    const { world } = stable(2)
    const joined = ['m0', 'm1']
      .map(memberId => world.join({ memberId, rebalanceTimeoutMs: 5_000 }))
      .map(answered)
    world.sync(joined[0]!, { m0: 'x', m1: 'y' })
    world.heartbeat(joined[1]!)
    world.advance(5_000)
    expect(world.state).toBe('PreparingRebalance')
    expect(world.heartbeat(joined[1]!)).toBe('UNKNOWN_MEMBER_ID')
  })
})

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

describe('static members (G41)', () => {
  function withStatic() {
    const { world } = stable(1)
    const calls = [
      world.join({ instanceId: 's', freshMemberId: 's-1' }),
      world.join({ memberId: 'm0' }),
    ]
    const joined = calls.map(answered)
    for (const one of joined.toReversed()) {
      world.sync(one, { m0: 'of m0', 's-1': 'of s' }, one.memberId === 's-1' ? 's' : null)
    }
    expect(world.state).toBe('Stable')
    return { world, dynamic: joined[1]!, fixed: joined[0]! }
  }

  test('one that is back has a new id and its old part, and nobody else notices', () => {
    const { world, dynamic, fixed } = withStatic()
    const before = reasons(world).length
    const back = answered(world.join({ instanceId: 's', freshMemberId: 's-2' }))
    expect(back).toMatchObject({
      error: 'NONE',
      memberId: 's-2',
      generation: fixed.generation,
      members: [],
    })
    expect(fromUtf8(answered(world.sync(back, {}, 's')).assignment)).toBe('of s')
    expect(world.heartbeat(dynamic)).toBe('NONE')
    expect(reasons(world)).toHaveLength(before)
    expect(world.heartbeat(fixed, 's')).toBe('FENCED_INSTANCE_ID')
    expect(errorOf(world.sync(fixed, {}, 's'))).toBe('FENCED_INSTANCE_ID')
    expect(world.leave({ memberId: 's-1', instanceId: 's' })).toEqual(['FENCED_INSTANCE_ID'])
    expect(world.log.at(-1)).toMatchObject({
      value: { members: [{ memberId: 'm0' }, { memberId: 's-2' }] },
    })
  })

  test('a leader that is back need not assign: v9 is told so, older clients by another leader id', () => {
    const world = new GroupWorld()
    const call = world.join({ instanceId: 's', freshMemberId: 's-1' })
    world.advance(0)
    world.sync(answered(call), { 's-1': 'part' }, 's')
    const old = answered(world.join({ instanceId: 's', freshMemberId: 's-2' }))
    expect(old).toMatchObject({
      leaderId: 's-1',
      skipAssignment: false,
      members: [],
      generation: 1,
    })
    const wish = { instanceId: 's', freshMemberId: 's-3', maySkipAssignment: true }
    const young = answered(world.join(wish))
    expect(young).toMatchObject({ leaderId: 's-3', skipAssignment: true, generation: 1 })
    expect(young.members.map(({ memberId }) => memberId)).toEqual(['s-3'])
  })

  test('where it cannot be stored, the old one stays', () => {
    const { world, fixed } = withStatic()
    world.isHeld = true
    const back = world.join({ instanceId: 's', freshMemberId: 's-2' })
    world.finish({ ok: false, isInLog: false, error: 'COORDINATOR_NOT_AVAILABLE' })
    expect(errorOf(back)).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(world.heartbeat(fixed, 's')).toBe('NONE')
  })

  test('a parked request of the former one is fenced', () => {
    const { world } = withStatic()
    world.join({ memberId: 'm0' })
    const former = world.join({ memberId: 's-1', instanceId: 's', protocols: [protocol('range')] })
    expect(errorOf(former)).toBe('NONE')
    const { world: other } = withStatic()
    other.join({ freshMemberId: 'third' })
    const parked = other.join({ memberId: 's-1', instanceId: 's' })
    expect(parked.answer).toBeNull()
    other.join({ instanceId: 's', freshMemberId: 's-2' })
    expect(errorOf(parked)).toBe('FENCED_INSTANCE_ID')
  })

  test('one that is away stays in the group over a rebalance, until its session ends', () => {
    const { world } = withStatic()
    const join = world.join({
      memberId: 'm0',
      rebalanceTimeoutMs: 2_000,
      protocols: [protocol('range')],
    })
    world.advance(9_999)
    expect(join.answer).toBeNull()
    world.advance(1)
    expect(answered(join).members.map(({ memberId }) => memberId)).toEqual(['m0'])
    expect(errorOf(world.join({ memberId: 's-1', instanceId: 's' }))).toBe('UNKNOWN_MEMBER_ID')
  })

  test('it can be taken out by its instance id alone', () => {
    const { world } = withStatic()
    expect(world.leave({ instanceId: 's' }, { instanceId: 'none' })).toEqual([
      'NONE',
      'UNKNOWN_MEMBER_ID',
    ])
    expect(world.state).toBe('PreparingRebalance')
  })

  test('another protocol of choice makes a rebalance', () => {
    const world = new GroupWorld()
    const both = [protocol('range'), protocol('sticky')]
    const call = world.join({ instanceId: 's', freshMemberId: 's-1', protocols: both })
    world.advance(0)
    world.sync(answered(call), {}, 's')
    const wish = { instanceId: 's', freshMemberId: 's-2', protocols: both.toReversed() }
    expect(answered(world.join(wish))).toMatchObject({ generation: 2, protocol: 'sticky' })
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
