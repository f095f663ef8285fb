import { describe, expect, test } from 'vitest'
import { answered, errorOf, GroupWorld, protocol } from '../../../../test/helpers/group-world.ts'
import { stable, reasons } from '../../../../test/helpers/stable-group.ts'
import { fromUtf8 } from '../../../lib/bytes.ts'

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

  test('two that come back at the same time: the later stays, the earlier is fenced', () => {
    const { world } = withStatic()
    world.isHeld = true
    const calls = ['s-2', 's-3'].map(freshMemberId =>
      world.join({ instanceId: 's', freshMemberId }),
    )
    world.finish()
    expect(calls.map(errorOf)).toEqual(['FENCED_INSTANCE_ID', 'NONE'])
    expect(world.heartbeat(answered(calls[1]!), 's')).toBe('NONE')
  })

  test("an id that was given to a dynamic member does not take an instance's place", () => {
    const { world, fixed } = withStatic()
    const { memberId } = answered(world.join({ needsKnownMemberId: true, freshMemberId: 'p' }))
    expect(errorOf(world.join({ memberId, instanceId: 's' }))).toBe('FENCED_INSTANCE_ID')
    expect(errorOf(world.join({ memberId, instanceId: 'other' }))).toBe('UNKNOWN_MEMBER_ID')
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
