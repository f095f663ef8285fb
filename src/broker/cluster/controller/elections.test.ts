import { describe, expect, test } from 'vitest'
import { registered } from '../../../../test/metadata/brokers.ts'
import { ControllerWorld, threeBrokers } from '../../../../test/metadata/controller-world.ts'
import { dueFeatureLevel } from './duties.ts'

/** All three lost power, one after the other, and two of them are back. */
function afterPowerLoss(): ControllerWorld {
  const world = threeBrokers()
  for (const id of [3, 2, 1]) world.fence(id)
  for (const id of [2, 1]) world.register(id, { startClass: 'C' })
  return world
}

describe('R8, I-20: who leaves an in-sync set', () => {
  test('that is large enough afterwards, is eligible no more', () => {
    const world = threeBrokers()
    world.alter(world.wish([1, 2]))
    expect(world.state()).toEqual([1, [1, 2], [], []])
  })

  test('that is too small afterwards, is eligible until it is large enough again', () => {
    const world = threeBrokers()
    world.alter(world.wish([1]))
    expect(world.state()).toEqual([1, [1], [2, 3], []])
    world.fence(1)
    expect(world.state()).toEqual([2, [2], [3, 1], []])
    world.heartbeat(1)
    world.alter(world.wish([2, 1]))
    expect(world.state()).toEqual([2, [2, 1], [], []])
  })

  test('together with all others, is eligible as they are', () => {
    const world = threeBrokers()
    world.pass(7_000)
    expect(world.state()).toEqual([-1, [], [1, 2, 3], []])
  })

  test('counts by the min.insync.replicas of the log: the topic has its own, or the cluster, or two of three', () => {
    const world = threeBrokers()
    world.create('one', [[1, 2, 3]], { 'min.insync.replicas': '1' })
    world.create('three', [[1, 2, 3]], { 'min.insync.replicas': '3' })
    world.create('of-two', [[1, 2]])
    world.fence(2)
    expect(['t', 'one', 'three', 'of-two'].map(name => world.state(name)[2])).toEqual([
      [],
      [],
      [2],
      [],
    ])
    world.setConfig('min.insync.replicas', '3', null)
    world.create('late', [[1, 3, 2]])
    world.fence(3)
    expect(['t', 'one', 'late'].map(name => world.state(name)[2])).toEqual([[3], [], [2, 3]])
  })

  test.each(['t', null])(
    'a config of %s that makes the set large enough empties the ELR in the same append',
    whose => {
      const world = threeBrokers()
      world.alter(world.wish([1]))
      world.setConfig('min.insync.replicas', '1', whose)
      expect(world.state()).toEqual([1, [1], [], []])
      const type = whose === null ? 'brokerConfigsChanged' : 'topicConfigsChanged'
      expect(world.batches.at(-1)!.map(record => record.type)).toEqual([type, 'partitionsChanged'])
    },
  )

  test('a config and what it changes of partitions are one append also where they are split', () => {
    const world = threeBrokers({ payloadBytesMax: 1_200 })
    for (const name of ['a', 'b', 'c', 'd']) world.create(name, [[1, 2, 3]])
    for (const id of [3, 2]) world.fence(id)
    const edits = [
      { operation: 'set', name: 'min.insync.replicas', value: '1' },
      { operation: 'set', name: 'x', value: 'y'.repeat(300) },
    ] as const
    const changes = ['a', 'b', 'c', 'd'].map(name => {
      return { resource: { type: 'topic', name }, edits, isWhole: false } as const
    })
    const before = world.batches.length
    world.ask({ type: 'alterConfigs', changes, validateOnly: false })
    const batches = world.batches.slice(before)
    expect(batches.length).toBeGreaterThan(1)
    for (const batch of batches) {
      const ids = batch.map(record => ('topicId' in record ? record.topicId : null))
      for (const id of ids) expect(ids.filter(each => each === id).length).toBe(2)
    }
  })
})

describe('R9, I-19: the leader', () => {
  test('is kept while it is in sync, and else the first in sync in the order of the replicas', () => {
    const world = threeBrokers()
    world.alter(world.wish([3, 1, 2]))
    world.fence(1)
    expect(world.state()[0]).toBe(2)
    world.heartbeat(1)
    world.alter(world.wish([1, 2, 3]))
    expect(world.state()[0]).toBe(2)
  })

  test('is of the ELR where nobody is in sync, and then alone in sync', () => {
    const world = threeBrokers()
    world.alter(world.wish([1]))
    world.fence(1)
    expect(world.state()).toEqual([2, [2], [3, 1], []])
    expect(world.partition().isRecovering).toBe(false)
  })

  test('is nobody while those who were last known are several, however many of them are back', () => {
    const world = afterPowerLoss()
    expect(world.state()).toEqual([-1, [], [], [2, 1]])
    world.heartbeat(1)
    world.heartbeat(2)
    world.heartbeat(3)
    expect(world.state()).toEqual([-1, [], [], [2, 1]])
  })

  test('is whoever was last known alone: nobody else can have more', () => {
    const world = threeBrokers()
    world.create('single', [[2]])
    world.fence(2)
    expect(world.state('single')).toEqual([-1, [], [2], []])
    world.register(2, { startClass: 'C' })
    expect(world.state('single')).toEqual([-1, [], [], [2]])
    world.heartbeat(2)
    expect(world.state('single')).toEqual([2, [2], [], []])
    expect(world.partition('single').isRecovering).toBe(true)
  })

  test('is no broker of class D, be the topic as it may', () => {
    const world = threeBrokers()
    world.create('single', [[2]], { 'unclean.leader.election.enable': 'true' })
    world.fence(2)
    world.start(2, { startClass: 'D' })
    expect(world.state('single')).toEqual([-1, [], [], []])
  })

  test('is anybody who lives where the topic allows it, from the moment that it does', () => {
    const world = threeBrokers()
    for (const id of [3, 2, 1]) world.fence(id)
    expect(world.state()).toEqual([-1, [], [2, 1], []])
    world.heartbeat(3)
    expect(world.state()[0]).toBe(-1)
    const { leaderEpoch } = world.partition()
    world.setConfig('unclean.leader.election.enable', 'true')
    expect(world.state()).toEqual([3, [3], [], []])
    expect(world.partition()).toMatchObject({ isRecovering: true, leaderEpoch: leaderEpoch + 1 })
  })

  test('is of those that a reassignment only brings nobody, as long as one lives of those who held it before', () => {
    const world = threeBrokers()
    for (const id of [4, 5, 6]) world.start(id)
    world.setConfig('unclean.leader.election.enable', 'true')
    world.setConfig('min.insync.replicas', '1')
    const wishes = [{ topic: 't', index: 0, replicas: [4, 5, 6] }]
    world.ask({ type: 'alterReassignments', wishes })
    world.alter(world.wish([1]))
    world.fence(1)
    expect(world.state()).toEqual([2, [2], [], []])
    world.fence(3)
    world.fence(2)
    expect(world.state()[0]).toBe(4)
  })

  test('that recovered says so, and is not recovering again', () => {
    const world = threeBrokers()
    for (const id of [3, 2, 1]) world.fence(id)
    world.setConfig('unclean.leader.election.enable', 'true')
    world.heartbeat(3)
    world.heartbeat(2)
    const recovering = { isRecovering: true }
    expect(world.alter(world.wish([3], recovering))).toMatchObject({ results: [{ error: 'NONE' }] })
    world.alter(world.wish([3, 2]))
    expect(world.partition().isRecovering).toBe(false)
    expect(world.alter(world.wish([3], recovering))).toMatchObject({
      results: [{ error: 'INVALID_REQUEST' }],
    })
  })
})

function hasTwo(ids: readonly number[]): boolean {
  return ids.length === 2 && !ids.includes(1)
}

describe('the controller', () => {
  test('that comes after another finishes what that one left undone', () => {
    const world = threeBrokers({ payloadBytesMax: 700 })
    world.create('u', [[1, 2, 3]])
    world.create('v', [[1, 2, 3]])
    const { epoch: brokerEpoch } = world.broker(1)
    // Its first append of several.
    world.appendOnly([
      {
        type: 'brokerStateChanged',
        brokerId: 1,
        brokerEpoch,
        isFenced: true,
        isShuttingDown: false,
      },
    ])
    expect(world.state('t')).toEqual([1, [1, 2, 3], [], []])
    world.takeOver()
    for (const name of ['t', 'u', 'v']) expect(world.state(name)).toEqual([2, [2, 3], [], []])
  })

  test('forgets a broker whose partitions are elsewhere, and no other', () => {
    const world = threeBrokers()
    world.start(4)
    const unregister = (brokerId: number) => world.ask({ type: 'unregisterBroker', brokerId })
    expect(unregister(9)).toMatchObject({ error: 'BROKER_ID_NOT_REGISTERED' })
    expect(unregister(4)).toMatchObject({ error: 'POLICY_VIOLATION' })
    world.fence(4)
    world.fence(3)
    expect(unregister(3)).toMatchObject({ error: 'POLICY_VIOLATION' })
    expect(unregister(4)).toEqual({ type: 'brokerUnregistered' })
    expect([...world.image.brokers.keys()]).toEqual([1, 2, 3])
  })

  test.each([
    { whose: 'its own', given: [[2, '*']] as const },
    {
      whose: "all brokers', but for those that say otherwise",
      given: [[null, '*'], ...[1, 3, 4, 5].map(id => [id, ''] as const)] as const,
    },
  ])(
    'places no new replica on a broker that is cordoned, nor on one that is away while there are others: $whose',
    ({ given }) => {
      const world = threeBrokers()
      for (const id of [4, 5]) world.start(id)
      world.fence(5)
      const changes = given.map(([brokerId, value]) => {
        const edits = [{ operation: 'set', name: 'cordoned.log.dirs', value } as const]
        return { resource: { type: 'broker', brokerId } as const, edits, isWhole: false }
      })
      world.ask({ type: 'alterConfigs', changes, validateOnly: false })
      world.ask({
        type: 'createPartitions',
        drafts: [{ name: 't', count: 20, assignments: null, placementStart: 3 }],
        validateOnly: false,
      })
      const added = world.image.topicByName('t')!.partitions.slice(1)
      expect(new Set(added.flatMap(({ replicas }) => replicas))).toEqual(new Set([1, 3, 4]))
    },
  )

  test('makes a partition that leads with whoever lives first, of those who hold it (R8)', () => {
    const world = threeBrokers()
    for (const id of [4, 5]) world.start(id)
    for (const id of [2, 3, 4, 5]) world.fence(id)
    const draft = { name: 'u', partitionCount: 5, replicationFactor: 3, assignments: [] }
    const topicId = world.uuid()
    const drafts = [{ ...draft, configs: [], topicId, placementStart: 0 }]
    world.ask({ type: 'createTopics', drafts, validateOnly: false })
    for (const index of [0, 1, 2, 3, 4]) {
      expect(world.state('u', index)).toEqual([1, [1], expect.toSatisfy(hasTwo), []])
    }
    world.fence(1)
    world.heartbeat(2)
    expect(world.state('u')[0]).toBe(2)
  })

  test('lets no broker in that cannot read what is in the log, and raises the level when all can', () => {
    const world = new ControllerWorld()
    world.start(1)
    expect(world.image.featureLevel).toBe(1)
    world.appendOnly([{ type: 'featureLevelChanged', level: 2 }])
    world.takeOver()
    expect(world.register(2)).toMatchObject({ error: 'UNSUPPORTED_VERSION' })
    expect(world.register(2, { featureLevelMax: 2 }).type).toBe('brokerRegistered')
    const levels = [1, 2, 3, 4].map(levelMax => dueFeatureLevel(world.image, levelMax))
    expect(levels).toEqual([null, null, null, null])
    const after = world.image.apply({ type: 'brokerUnregistered', brokerId: 1 })
    expect(
      dueFeatureLevel(after.apply(registered(2, { brokerEpoch: 99, featureLevelMax: 4 })), 3),
    ).toBe(3)
  })
})
