import { describe, expect, test } from 'vitest'
import { type ControllerWorld, threeBrokers } from '../../../../test/metadata/controller-world.ts'
import { insyncNeededBy } from '../../metadata/replicas.ts'

/** Five brokers live, and topic `t` lies on 1, 2 and 3. */
function fiveBrokers(): ControllerWorld {
  const world = threeBrokers()
  for (const id of [4, 5]) world.start(id)
  return world
}

function reassign(world: ControllerWorld, replicas: number[] | null, mayChangeFactor?: boolean) {
  const answer = world.ask({
    type: 'alterReassignments',
    wishes: [{ topic: 't', index: 0, replicas }],
    ...(mayChangeFactor === undefined ? {} : { mayChangeFactor }),
  })
  if (answer.type !== 'reassignmentsAltered') throw new Error(JSON.stringify(answer))
  return answer.results[0]!.error
}

/** Replicas, those that come, and those that go. */
function placement(world: ControllerWorld): (readonly number[])[] {
  const { replicas, addingReplicas, removingReplicas } = world.partition()
  return [replicas, addingReplicas, removingReplicas]
}

describe('I-26, R14: a reassignment', () => {
  test('adds first, and takes away in one record when all that came are in sync, with another leader epoch', () => {
    const world = fiveBrokers()
    expect(reassign(world, [4, 5, 3])).toBe('NONE')
    expect(placement(world)).toEqual([
      [4, 5, 3, 1, 2],
      [4, 5],
      [1, 2],
    ])
    expect(world.state()).toEqual([1, [1, 2, 3], [], []])
    world.alter(world.wish([1, 2, 3, 4]))
    expect(placement(world)[1]).toEqual([4, 5])
    const { leaderEpoch } = world.partition()
    world.alter(world.wish([1, 2, 3, 4, 5]))
    expect(placement(world)).toEqual([[4, 5, 3], [], []])
    expect(world.state()).toEqual([4, [3, 4, 5], [], []])
    expect(world.partition().leaderEpoch).toBe(leaderEpoch + 1)
  })

  test('R14: does not end while those who stay are too few in sync without those who go', () => {
    const world = fiveBrokers()
    world.setConfig('min.insync.replicas', '2')
    world.alter(world.wish([1, 2]))
    reassign(world, [3, 4, 5])
    world.alter(world.wish([1, 2, 4, 5]))
    expect(placement(world)).toEqual([[3, 4, 5], [], []])
    const other = fiveBrokers()
    other.setConfig('min.insync.replicas', '2')
    other.alter(other.wish([1]))
    reassign(other, [1, 2])
    expect(placement(other)).toEqual([[1, 2, 3], [], [3]])
    other.alter(other.wish([1, 3]))
    expect(placement(other)).toEqual([[1, 2, 3], [], [3]])
    other.alter(other.wish([1, 2]))
    expect(placement(other)).toEqual([[1, 2], [], []])
  })

  test('that only takes away or reorders is done at once', () => {
    const world = fiveBrokers()
    reassign(world, [2, 1])
    expect(placement(world)).toEqual([[2, 1], [], []])
    expect(world.state()).toEqual([1, [1, 2], [], []])
    const { partitionEpoch } = world.partition()
    reassign(world, [2, 1])
    expect(world.partition().partitionEpoch).toBe(partitionEpoch)
  })

  test('while it grows the old count decides how many have to be in sync', () => {
    const world = fiveBrokers()
    world.setConfig('min.insync.replicas', '3')
    reassign(world, [1])
    const needed = (): number =>
      insyncNeededBy(world.image, world.image.topicByName('t')!, world.partition())
    expect([placement(world)[0], needed()]).toEqual([[1], 1])
    reassign(world, [1, 4, 5])
    expect(needed()).toBe(1)
    world.alter(world.wish([1, 4]))
    expect(needed()).toBe(1)
    world.alter(world.wish([1, 4, 5]))
    expect([placement(world)[1], needed()]).toEqual([[], 3])
  })

  test('called off leaves it where it was; who had come goes', () => {
    const world = fiveBrokers()
    expect(reassign(world, null)).toBe('NO_REASSIGNMENT_IN_PROGRESS')
    reassign(world, [4, 5, 3])
    world.alter(world.wish([1, 2, 3, 4]))
    expect(reassign(world, null)).toBe('NONE')
    expect(placement(world)).toEqual([[3, 1, 2], [], []])
    expect(world.state()).toEqual([1, [1, 2, 3], [], []])
  })

  test('cannot be called off where nobody of before is in sync', () => {
    const world = fiveBrokers()
    reassign(world, [4, 5])
    world.alter(world.wish([1, 2, 3, 4]))
    for (const id of [1, 2, 3]) world.fence(id)
    expect(world.state()[1]).toEqual([4])
    expect(reassign(world, null)).toBe('INVALID_REPLICA_ASSIGNMENT')
  })

  test('may be replaced by another: who came by the first and is not in the second goes too', () => {
    const world = fiveBrokers()
    reassign(world, [1, 2, 4])
    world.alter(world.wish([1, 2, 3]))
    reassign(world, [1, 2, 5])
    expect(placement(world)).toEqual([
      [1, 2, 5, 4, 3],
      [5, 4],
      [4, 3],
    ])
    world.alter(world.wish([1, 2, 3, 5]))
    expect(placement(world)).toEqual([[1, 2, 5], [], []])
  })

  test('that replaced another is called off to where the first one found it, whoever came by it', () => {
    const world = fiveBrokers()
    reassign(world, [1, 2, 4])
    world.alter(world.wish([1, 2]))
    reassign(world, [1, 2, 5])
    world.alter(world.wish([1, 2, 4]))
    reassign(world, [5])
    expect(reassign(world, null)).toBe('NONE')
    expect(placement(world)).toEqual([[1, 2, 3], [], []])
    reassign(world, [4, 5, 3])
    reassign(world, [1, 2, 3])
    expect(placement(world)).toEqual([[1, 2, 3], [], []])
  })

  test('that replaced another asks for no more in sync than before the first one', () => {
    const world = fiveBrokers()
    world.setConfig('min.insync.replicas', '3')
    reassign(world, [1])
    reassign(world, [4])
    reassign(world, [5])
    const topic = world.image.topicByName('t')!
    expect(insyncNeededBy(world.image, topic, world.partition())).toBe(1)
    expect(reassign(world, [2, 3], false)).toBe('INVALID_REPLICATION_FACTOR')
  })

  test('does not wait for those that died and were to go', () => {
    const world = fiveBrokers()
    world.fence(1)
    reassign(world, [4, 2, 3])
    world.alter(world.wish([2, 3, 4]))
    expect(placement(world)).toEqual([[4, 2, 3], [], []])
    expect(world.state()).toEqual([2, [2, 3, 4], [], []])
  })

  test.each([[[5]], [[3]]])('to brokers %j, who are all away, waits for them', target => {
    const world = fiveBrokers()
    for (const id of target) world.fence(id)
    expect(reassign(world, target)).toBe('NONE')
    expect(world.state()).toEqual([1, [1, 2, 3].filter(id => !target.includes(id)), [], []])
    expect(placement(world)[2]).toEqual([1, 2, 3].filter(id => !target.includes(id)))
    for (const id of target) world.heartbeat(id)
    world.alter(world.wish([1, 2, ...target]))
    expect(placement(world)).toEqual([target, [], []])
    expect(world.state()).toEqual([target[0], target, [], []])
  })

  test('that may not change the number of replicas goes by the one that the reassignment under way leads to (KIP-860)', () => {
    const world = fiveBrokers()
    reassign(world, [1, 5])
    expect(reassign(world, [2, 5, 3], false)).toBe('INVALID_REPLICATION_FACTOR')
    expect(reassign(world, [2, 5], false)).toBe('NONE')
    reassign(world, null)
    expect(reassign(world, [2, 5], false)).toBe('INVALID_REPLICATION_FACTOR')
  })

  test('is refused with what is wrong', () => {
    const world = fiveBrokers()
    expect(reassign(world, [])).toBe('INVALID_REPLICA_ASSIGNMENT')
    expect(reassign(world, [1, 1])).toBe('INVALID_REPLICA_ASSIGNMENT')
    expect(reassign(world, [1, 9])).toBe('INVALID_REPLICA_ASSIGNMENT')
    expect(reassign(world, [1, 2], false)).toBe('INVALID_REPLICATION_FACTOR')
    expect(reassign(world, [4, 5, 1], false)).toBe('NONE')
    const wishes = [{ topic: 'absent', index: 0, replicas: [1] }]
    expect(world.ask({ type: 'alterReassignments', wishes })).toMatchObject({
      results: [{ error: 'UNKNOWN_TOPIC_OR_PARTITION' }],
    })
  })
})
