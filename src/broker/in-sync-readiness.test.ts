import { describe, expect, test } from 'vitest'
import { registered } from '../../test/metadata/brokers.ts'
import { threeBrokers, type ControllerWorld } from '../../test/metadata/controller-world.ts'
import { InSyncReadiness } from './in-sync-readiness.ts'
import { MetadataImage } from './metadata/image.ts'

/** The broker as it looks at the cluster after each change. */
function follower(world: ControllerWorld, id: number) {
  const readiness = new InSyncReadiness(id, () => world.broker(id).epoch)
  return (): string | null => {
    readiness.take(world.image)
    return readiness.reason(world.image)
  }
}

describe('ready means in sync', () => {
  test('a broker that starts is not before it is in every set of a partition with a leader', () => {
    const world = threeBrokers()
    world.create('u', [[2, 3, 1]])
    world.fence(3)
    world.register(3)
    const reason = follower(world, 3)
    expect(reason()).toContain('it is fenced')
    world.heartbeat(3)
    expect(reason()).toMatch(
      /^Broker 3 is not back in sync yet: partitions left 2, first [tu]-0\.$/,
    )
    world.alter(world.wish([1, 2, 3]))
    expect(reason()).toContain('partitions left 1, first u-0')
    byLeader(world, 'u', [2, 1, 3])
    expect(reason()).toBeNull()
  })

  test('one slow follower minute later it still is, until it is fenced', () => {
    const world = threeBrokers()
    const reason = follower(world, 3)
    expect(reason()).toBeNull()
    world.alter(world.wish([1, 2]))
    expect(reason()).toBeNull()
    world.fence(3)
    expect(reason()).toContain('it is fenced')
    world.heartbeat(3)
    expect(reason()).toContain('partitions left 1')
  })

  test('nobody waits for a partition that nobody leads', () => {
    const world = threeBrokers()
    world.create('lone', [[1]])
    world.create('pair', [[1, 3]])
    byLeader(world, 'pair', [1])
    world.fence(1)
    expect(world.state('pair')[0]).toBe(-1)
    expect(follower(world, 3)()).toBeNull()
  })

  test('nor for one that a reassignment is only bringing', () => {
    const world = threeBrokers()
    world.create('pair', [[1, 2]])
    const wishes = [{ topic: 'pair', index: 0, replicas: [1, 3] }]
    world.ask({ type: 'alterReassignments', wishes })
    expect(world.partition('pair').addingReplicas).toEqual([3])
    expect(follower(world, 3)()).toBeNull()
  })

  test('the only broker of a cluster is ready at once', () => {
    const alone = MetadataImage.empty
      .apply({ type: 'clusterCreated', clusterId })
      .apply(registered(1, { isFenced: true }))
    const readiness = new InSyncReadiness(1, () => 1)
    readiness.take(alone)
    expect(readiness.reason(alone)).toBeNull()
  })

  test('an earlier start of the same broker counts for nothing', () => {
    const world = threeBrokers()
    const readiness = new InSyncReadiness(3, () => world.broker(3).epoch + 1)
    readiness.take(world.image)
    expect(readiness.reason(world.image)).not.toBeNull()
  })
})

const clusterId = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** Its leader wants that in-sync set. */
function byLeader(world: ControllerWorld, name: string, brokers: readonly number[]): void {
  const { leader, leaderEpoch, partitionEpoch } = world.partition(name)
  const isr = brokers.map(brokerId => ({ brokerId, brokerEpoch: world.broker(brokerId).epoch }))
  world.ask({
    type: 'alterPartitions',
    brokerId: leader,
    brokerEpoch: world.broker(leader).epoch,
    partitions: [
      {
        topicId: world.topicId(name),
        index: 0,
        leaderEpoch,
        partitionEpoch,
        isr,
        isRecovering: false,
      },
    ],
  })
}
