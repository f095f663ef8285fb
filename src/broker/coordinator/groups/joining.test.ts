import { describe, expect, test } from 'vitest'
import {
  answered,
  errorOf,
  groupId,
  GroupWorld,
  protocol,
  subscription,
} from '../../../../test/helpers/group-world.ts'
import { stable, reasons } from '../../../../test/helpers/stable-group.ts'
import { fromUtf8 } from '../../../lib/bytes.ts'
import type { JoinAnswer } from './events.ts'

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

  test('nobody waits for the id of a newcomer that group.max.size has refused', () => {
    const world = new GroupWorld({ groupSizeMax: 1 })
    for (const freshMemberId of ['a', 'b']) world.join({ needsKnownMemberId: true, freshMemberId })
    const [first, second] = ['a', 'b'].map(memberId => world.join({ memberId }))
    expect(errorOf(second!)).toBe('GROUP_MAX_SIZE_REACHED')
    world.advance(0)
    world.sync(answered(first!), { a: 'x' })
    // The leader makes a rebalance, and is alone in it.
    expect(errorOf(world.join({ memberId: 'a' }))).toBe('NONE')
  })

  test('a group that is loaded and has more members than group.max.size goes down to it, and each is told', () => {
    const { world, joined } = stable(3)
    const lower = new GroupWorld({ groupSizeMax: 2 })
    lower.log.push(...world.log)
    lower.restart()
    expect(reasons(lower)).toEqual(['There are more members than group.max.size allows'])
    expect(joined.map(one => lower.heartbeat(one))).toEqual(
      joined.map(() => 'REBALANCE_IN_PROGRESS'),
    )
    expect(errorOf(lower.commit(joined[2]!))).toBe('NONE')
    const again = joined.map(({ memberId }) => lower.join({ memberId }))
    expect(again.map(errorOf)).toEqual(['NONE', 'NONE', 'GROUP_MAX_SIZE_REACHED'])
    expect(answered(again[0]!).members).toHaveLength(2)
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
