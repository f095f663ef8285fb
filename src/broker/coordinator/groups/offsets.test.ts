import { describe, expect, test } from 'vitest'
import {
  answered,
  errorOf,
  groupId,
  GroupWorld,
  offset,
  protocol,
  subscription,
} from '../../../../test/helpers/group-world.ts'
import type { GroupsConfig } from './groups.ts'
import type { JoinAnswer } from './events.ts'
import { zeroUuid } from '../../../lib/uuid.ts'

/** A stable group of one that subscribes to `topic`. */
function member(config: Partial<GroupsConfig> = {}) {
  const world = new GroupWorld(config)
  const call = world.join({
    freshMemberId: 'a',
    protocols: [protocol('range', subscription('topic'))],
  })
  world.advance(0)
  const joined = answered(call)
  world.sync(joined, { a: 'part' })
  return { world, joined }
}

const committed = (world: GroupWorld, topic = 'topic', partition = 0, group = groupId) =>
  world.groups.find(group)?.offsets.find(topic, partition)?.offset

describe('commits', () => {
  test('are known and answered when they are stored, and not before', () => {
    const { world, joined } = member()
    world.isHeld = true
    const call = world.commit(joined)
    expect(call.answer).toBeNull()
    expect(committed(world)).toBeUndefined()
    world.finish()
    expect(errorOf(call)).toBe('NONE')
    expect(committed(world)).toBe(7)
  })

  test('that were refused by the log leave what was there', () => {
    const { world, joined } = member()
    world.commit(joined, [offset('topic', 0, 1)])
    world.isHeld = true
    const call = world.commit(joined, [offset('topic', 0, 2)])
    world.finish({ ok: false, isInLog: false, error: 'COORDINATOR_NOT_AVAILABLE' })
    expect(errorOf(call)).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(committed(world)).toBe(1)
  })

  test('that are in the log and not known to be committed count, and the client is told to try again', () => {
    const { world, joined } = member()
    world.isHeld = true
    const call = world.commit(joined, [offset('topic', 0, 2)])
    world.finish({ ok: false, isInLog: true, error: 'COORDINATOR_NOT_AVAILABLE' })
    expect(errorOf(call)).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(committed(world)).toBe(2)
    world.restart()
    expect(committed(world)).toBe(2)
  })

  test('keep metadata, leader epoch and time as they came', () => {
    const { world, joined } = member()
    const value = {
      offset: 1,
      topicId: zeroUuid,
      leaderEpoch: 42,
      metadata: 'żółć ☃ \u0000',
      commitTimeMs: 9,
      expireTimeMs: -1,
    }
    world.commit(joined, [{ topic: 'topic', partition: 0, value }])
    world.restart()
    expect(world.groups.find(groupId)!.offsets.find('topic', 0)).toEqual(value)
  })

  test.each<
    [string, Partial<{ memberId: string; generation: number; instanceId: string }>, string]
  >([
    ['another generation', { generation: 0 }, 'ILLEGAL_GENERATION'],
    ['a later generation', { generation: 2 }, 'ILLEGAL_GENERATION'],
    ['an unknown member', { memberId: 'x' }, 'UNKNOWN_MEMBER_ID'],
    ['no member of a group that has some', { memberId: '', generation: -1 }, 'UNKNOWN_MEMBER_ID'],
    ['no member with a generation', { memberId: '' }, 'UNKNOWN_MEMBER_ID'],
    ['a member without a generation', { generation: -1 }, 'ILLEGAL_GENERATION'],
    ['an unknown instance', { instanceId: 'i' }, 'UNKNOWN_MEMBER_ID'],
  ])('of %s are refused', (_, change, error) => {
    const { world, joined } = member()
    expect(errorOf(world.commit({ ...joined, ...change }))).toBe(error)
    expect(committed(world)).toBeUndefined()
  })

  test('of consumers without a group are taken while there are no members (G43)', () => {
    const world = new GroupWorld()
    expect(errorOf(world.commit(null))).toBe('NONE')
    expect(errorOf(world.commit(null, [offset('topic', 0, 8)]))).toBe('NONE')
    expect(committed(world)).toBe(8)
    expect(world.groups.find(groupId)).toMatchObject({ protocolType: '', state: 'Empty' })
  })

  test('of a member of a group that is not there are refused, and make none', () => {
    const world = new GroupWorld()
    expect(errorOf(world.commit({ memberId: 'a', generation: 4 }))).toBe('GROUP_ID_NOT_FOUND')
    expect(world.state).toBeUndefined()
  })

  test('while members join are taken, between two generations they are not', () => {
    const { world, joined } = member()
    world.join({ freshMemberId: 'b' })
    expect(world.state).toBe('PreparingRebalance')
    expect(errorOf(world.commit(joined))).toBe('NONE')
    const next = answered(world.join({ memberId: 'a' }))
    expect(errorOf(world.commit(next))).toBe('REBALANCE_IN_PROGRESS')
    expect(errorOf(world.commit(joined))).toBe('ILLEGAL_GENERATION')
  })

  test('keep the session of a member', () => {
    const { world, joined } = member()
    for (let at = 0; at < 5; at++) {
      world.advance(9_000)
      expect(errorOf(world.commit(joined))).toBe('NONE')
    }
  })
})

describe('expiry (KIP-211)', () => {
  const retentionMs = 100_000
  const config = { offsetsRetentionMs: retentionMs, sessionTimeoutMsMax: 10_000_000 }

  function long(): { world: GroupWorld; joined: JoinAnswer } {
    const world = new GroupWorld(config)
    const call = world.join({ freshMemberId: 'a', sessionTimeoutMs: 1_000_000 })
    world.advance(0)
    world.sync(answered(call))
    return { world, joined: answered(call) }
  }

  test('begins when the last member has left', () => {
    const { world, joined } = long()
    world.commit(joined)
    world.advance(500_000)
    world.step({ type: 'expire' })
    expect(committed(world)).toBe(7)
    world.leave({ memberId: 'a' })
    world.advance(retentionMs - 1)
    world.step({ type: 'expire' })
    expect(committed(world)).toBe(7)
    world.advance(1)
    world.step({ type: 'expire' })
    expect(world.state).toBeUndefined()
    expect(world.log.slice(-2)).toEqual([
      { type: 'offset', groupId, topic: 'topic', partition: 0, value: null },
      { type: 'group', groupId, value: null },
    ])
    world.restart()
    expect([...world.groups.all()]).toEqual([])
  })

  test('goes on where it was after a restart', () => {
    const { world, joined } = long()
    world.commit(joined)
    world.leave({ memberId: 'a' })
    world.advance(retentionMs - 1)
    world.restart()
    world.step({ type: 'expire' })
    expect(committed(world)).toBe(7)
    world.advance(1)
    world.step({ type: 'expire' })
    expect(world.state).toBeUndefined()
  })

  test('of a consumer without a group begins with each commit', () => {
    const world = new GroupWorld(config)
    world.commit(null, [offset('topic', 0, 1, 0)])
    world.advance(60_000)
    world.commit(null, [offset('topic', 1, 1, 60_000)])
    world.advance(40_000)
    world.step({ type: 'expire' })
    expect([committed(world, 'topic', 0), committed(world, 'topic', 1)]).toEqual([undefined, 1])
    const line = world.lines.at(-1)!
    expect([line.message, line.fields['offsets']]).toEqual(['Offsets expired', ['topic-0@1']])
  })

  test('takes offsets of topics that the group reads no more', () => {
    const { world, joined } = long()
    world.commit(joined, [offset('topic', 0, 1), offset('former', 0, 2)])
    world.advance(retentionMs)
    world.step({ type: 'expire' })
    expect([committed(world), committed(world, 'former')]).toEqual([1, undefined])
  })

  test('leaves what is being committed', () => {
    const world = new GroupWorld(config)
    world.commit(null, [offset('topic', 0, 1, 0)])
    world.advance(retentionMs)
    world.isHeld = true
    const call = world.commit(null, [offset('topic', 0, 2, world.nowMs)])
    world.step({ type: 'expire' })
    expect(world.held).toHaveLength(1)
    world.finish()
    expect(errorOf(call)).toBe('NONE')
    expect(committed(world)).toBe(2)
  })

  test('comes earlier where a client of old asked for it', () => {
    const world = new GroupWorld(config)
    const value = {
      topicId: zeroUuid,
      offset: 1,
      leaderEpoch: -1,
      metadata: '',
      commitTimeMs: 0,
      expireTimeMs: 5_000,
    }
    world.commit(null, [{ topic: 'topic', partition: 0, value }])
    world.advance(5_000)
    world.step({ type: 'expire' })
    expect(world.state).toBeUndefined()
  })

  test('an empty group without offsets goes at the next look', () => {
    const { world } = long()
    world.leave({ memberId: 'a' })
    world.step({ type: 'expire' })
    expect(world.state).toBeUndefined()
  })

  test('where the tombstones cannot be stored, nothing is forgotten', () => {
    const { world, joined } = long()
    world.commit(joined)
    world.leave({ memberId: 'a' })
    world.advance(retentionMs)
    world.isHeld = true
    world.step({ type: 'expire' })
    world.finish({ ok: false, isInLog: false, error: 'COORDINATOR_NOT_AVAILABLE' })
    expect(world.state).toBe('Empty')
    expect(committed(world)).toBe(7)
    world.isHeld = false
    world.step({ type: 'expire' })
    expect(world.state).toBeUndefined()
  })
})

describe('deletion', () => {
  test('of a group needs it to be empty', () => {
    const { world, joined } = member()
    world.commit(joined)
    expect(world.delete()).toBe('NON_EMPTY_GROUP')
    expect(world.delete('none')).toBe('GROUP_ID_NOT_FOUND')
    world.leave({ memberId: 'a' })
    expect(world.delete()).toBe('NONE')
    expect(world.delete()).toBe('GROUP_ID_NOT_FOUND')
    world.restart()
    expect([...world.groups.all()]).toEqual([])
  })

  test('of a group that is read before the wake-up at which its last session ends', () => {
    const { world } = member()
    world.advance(9_999)
    expect(world.delete()).toBe('NON_EMPTY_GROUP')
    world.nowMs += 1
    expect(world.delete()).toBe('NONE')
    world.advance(10_000)
    world.restart()
    expect([...world.groups.all()]).toEqual([])
  })

  test('of a group takes the commits with it that are under way', () => {
    const world = new GroupWorld()
    world.isHeld = true
    const commit = world.commit(null)
    const deletion = world.ask({ type: 'deleteGroup', groupId })
    expect(errorOf(world.commit(null))).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(errorOf(world.join())).toBe('COORDINATOR_NOT_AVAILABLE')
    world.finish()
    expect([commit, deletion].map(errorOf)).toEqual(['NONE', 'NONE'])
    world.restart()
    expect([...world.groups.all()]).toEqual([])
  })

  test('of offsets leaves those that the group reads', () => {
    const { world, joined } = member()
    world.commit(joined, [offset('topic', 0, 1), offset('former', 0, 2)])
    const partitions = [
      { topic: 'topic', partition: 0 },
      { topic: 'former', partition: 0 },
      { topic: 'never', partition: 0 },
    ]
    const call = world.ask({ type: 'deleteOffsets', groupId, partitions })
    expect(call.answer).toMatchObject({
      error: 'NONE',
      errors: ['GROUP_SUBSCRIBED_TO_TOPIC', 'NONE', 'NONE'],
    })
    expect([committed(world), committed(world, 'former')]).toEqual([1, undefined])
    world.restart()
    expect([committed(world), committed(world, 'former')]).toEqual([1, undefined])
  })

  test('of offsets of a subscription that cannot be opened is refused', () => {
    const world = new GroupWorld()
    const call = world.join({ freshMemberId: 'a', protocols: [protocol('own', Uint8Array.of(9))] })
    world.advance(0)
    world.sync(answered(call))
    const partitions = [{ topic: 'topic', partition: 0 }]
    const answer = world.ask({ type: 'deleteOffsets', groupId, partitions }).answer
    expect(answer).toMatchObject({ errors: ['GROUP_SUBSCRIBED_TO_TOPIC'] })
  })

  test('of offsets of a group of others needs it to be empty', () => {
    const world = new GroupWorld()
    const call = world.join({ freshMemberId: 'a', protocolType: 'connect' })
    world.advance(0)
    world.sync(answered(call))
    const ask = () => errorOf(world.ask({ type: 'deleteOffsets', groupId, partitions: [] }))
    expect(ask()).toBe('NON_EMPTY_GROUP')
    world.leave({ memberId: 'a' })
    expect(ask()).toBe('NONE')
  })

  test('of topics takes what was committed for them', () => {
    const { world, joined } = member()
    world.commit(joined, [offset('topic', 0, 1), offset('other', 3, 2)])
    world.step({ type: 'topicsDeleted', topics: ['topic'] })
    expect([committed(world), committed(world, 'other', 3)]).toEqual([undefined, 2])
    world.restart()
    expect([committed(world), committed(world, 'other', 3)]).toEqual([undefined, 2])
  })
})

test('offsets of topics that went away while the broker was down are forgotten when they are loaded', () => {
  const { world, joined } = member()
  world.commit(joined, [offset('topic', 0, 1), offset('gone', 0, 2), offset('gone', 1, 3)])
  world.restart(['gone'])
  expect([committed(world), committed(world, 'gone'), committed(world, 'gone', 1)]).toEqual([
    1,
    undefined,
    undefined,
  ])
  world.restart()
  expect([committed(world), committed(world, 'gone')]).toEqual([1, undefined])
})

test('whoever waits is told when somebody else coordinates the group', () => {
  const { world } = member()
  const joining = world.join()
  const effects = world.groups.drop(() => true, { monotonicMs: 0, wallMs: 0 })
  expect(effects).toContainEqual(
    expect.objectContaining({
      type: 'answer',
      id: joining.id,
      answer: expect.objectContaining({ error: 'NOT_COORDINATOR' }),
    }),
  )
  expect(world.state).toBeUndefined()
})
