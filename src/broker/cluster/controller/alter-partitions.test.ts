import { describe, expect, test } from 'vitest'
import { threeBrokers } from '../../../../test/metadata/controller-world.ts'
import type { Answer } from './commands.ts'

function errorOf(answer: Answer): string {
  if (answer.type === 'refused') return answer.error
  return answer.type === 'partitionsAltered' ? answer.results[0]!.error : answer.type
}

describe('R7: an in-sync set that a leader wants', () => {
  test('is committed, with the partition in a later epoch and the same leader in the same', () => {
    const world = threeBrokers()
    const before = world.partition()
    expect(world.alter(world.wish([1, 3]))).toEqual({
      type: 'partitionsAltered',
      results: [
        {
          topicId: world.topicId(),
          index: 0,
          error: 'NONE',
          message: null,
          leader: 1,
          leaderEpoch: before.leaderEpoch,
          partitionEpoch: before.partitionEpoch + 1,
          isr: [1, 3],
          isRecovering: false,
        },
      ],
    })
    expect(world.state()).toEqual([1, [1, 3], [], []])
  })

  test('and that is there already, raises the partition epoch: what was asked before it comes too late', () => {
    const world = threeBrokers()
    const early = world.wish([1, 2])
    const { partitionEpoch } = world.partition()
    expect(errorOf(world.alter(world.wish([1, 2, 3])))).toBe('NONE')
    expect(world.partition().partitionEpoch).toBe(partitionEpoch + 1)
    expect(errorOf(world.alter(early))).toBe('INVALID_UPDATE_VERSION')
  })

  test.each([
    ['NOT_CONTROLLER', { leaderEpoch: 9 }, 'a leader epoch that is not known yet'],
    ['NOT_CONTROLLER', { partitionEpoch: 9 }, 'a partition epoch that is not known yet'],
    ['FENCED_LEADER_EPOCH', { leaderEpoch: 0 }, 'an earlier leader epoch'],
    ['INVALID_UPDATE_VERSION', { partitionEpoch: 0 }, 'an earlier partition epoch'],
    ['INVALID_REQUEST', { isRecovering: true }, 'a recovery with several in sync'],
    ['UNKNOWN_TOPIC_ID', { topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }, 'a topic that there is not'],
    ['UNKNOWN_TOPIC_OR_PARTITION', { index: 1 }, 'a partition that there is not'],
  ] as const)('I-10: is answered %s for %o: %s', (error, changes, what) => {
    const world = threeBrokers()
    // In leader epoch 1 and partition epoch 2.
    world.fence(1)
    world.heartbeat(1)
    world.alter(world.wish([2, 3, 1]))
    const before = world.records.length
    expect(errorOf(world.alter(world.wish([2, 3], changes))), what).toBe(error)
    expect(world.records.length).toBe(before)
  })

  test('I-10: is none without its leader, with a stranger, or with somebody twice', () => {
    const world = threeBrokers()
    world.start(4)
    for (const ids of [
      [2, 3],
      [1, 4],
      [1, 2, 2],
    ]) {
      expect(errorOf(world.alter(world.wish(ids)))).toBe('INVALID_REQUEST')
    }
    const { epoch: brokerEpoch } = world.broker(2)
    const partitions = [world.wish([1, 2])]
    expect(
      errorOf(world.ask({ type: 'alterPartitions', brokerId: 2, brokerEpoch, partitions })),
    ).toBe('INVALID_REQUEST')
  })

  test('R6: has no member that is fenced, or was started again since it fetched (D5, D6)', () => {
    const world = threeBrokers()
    world.fence(3)
    expect(errorOf(world.alter(world.wish([1, 2, 3])))).toBe('INELIGIBLE_REPLICA')
    world.heartbeat(3)
    const early = world.wish([1, 2, 3])
    world.fence(3)
    world.start(3, { startClass: 'C' })
    const { partitionEpoch } = world.partition()
    expect(errorOf(world.alter({ ...early, partitionEpoch }))).toBe('INELIGIBLE_REPLICA')
    expect(errorOf(world.alter(world.wish([1, 2, 3])))).toBe('NONE')
  })

  test('is refused to a broker that was started again since', () => {
    const world = threeBrokers()
    const { epoch: brokerEpoch } = world.broker(1)
    const partitions = [world.wish([1, 2])]
    world.fence(1)
    world.start(1)
    expect(
      errorOf(world.ask({ type: 'alterPartitions', brokerId: 1, brokerEpoch, partitions })),
    ).toBe('STALE_BROKER_EPOCH')
  })

  test('twice in one request, is decided upon what the first leaves', () => {
    const world = threeBrokers()
    const first = world.wish([1, 2])
    const { partitionEpoch } = first
    const later = { ...world.wish([1]), partitionEpoch: partitionEpoch + 1 }
    const answer = world.alter(first, world.wish([1, 3]), later)
    expect(answer).toMatchObject({
      results: [{ error: 'NONE' }, { error: 'INVALID_UPDATE_VERSION' }, { error: 'NONE' }],
    })
    expect(world.state()).toEqual([1, [1], [2], []])
    expect(world.partition().partitionEpoch).toBe(partitionEpoch + 2)
  })
})
