import { describe, expect, test } from 'vitest'
import type { PartitionPlace } from '../../src/operator/brokers/brokers.ts'
import type { LogBroker } from '../../src/operator/crd/broker.ts'
import type { StatefulSet } from '../../src/operator/kubernetes/objects.ts'
import { minimal, reasons, World } from './world.ts'

const [pool] = minimal.pools

function of(brokers: number) {
  return { ...minimal, pools: [{ ...pool!, brokers }] }
}

/** So many brokers that hold so many partitions of two replicas each. */
async function holding(brokers: number, partitions = 12): Promise<World> {
  const world = new World()
  world.apply(of(brokers))
  await world.converge()
  world.disks.cluster.places = Array.from({ length: partitions }, (_, index) => {
    const replicas = [index % brokers, (index + 1) % brokers]
    return { topic: 't', index, replicas, isMoving: false }
  })
  return world
}

function internal(world: World, replicas: readonly number[], count = 4): void {
  const topic = '__consumer_offsets'
  world.disks.cluster.places = [
    ...places(world),
    ...Array.from({ length: count }, (_, index) => {
      return { topic, index, replicas, isMoving: false, isInternal: true as const }
    }),
  ]
}

function internalReplicas(world: World): (readonly number[])[] {
  return places(world)
    .filter(({ isInternal }) => isInternal === true)
    .map(({ replicas }) => replicas.toSorted((a, b) => a - b))
}

function held(world: World, id: number): number {
  return world.disks.cluster.held(id)
}

function places(world: World): readonly PartitionPlace[] {
  return world.disks.cluster.places ?? []
}

function names(world: World, kind: string): string[] {
  return world.api.all(kind).map(({ metadata }) => metadata.name)
}

describe('a cluster that becomes smaller', () => {
  test('gives the replicas of its last broker to the others, and only then stops and forgets it; its volume is kept', async () => {
    const world = await holding(4)
    const order: string[] = []
    world.api.onWrite = (moment, _, what) => {
      if (moment !== 'before' || !/^delete (StatefulSet|LogBroker) /.test(what)) return
      order.push(`${what}: holds ${held(world, 3)}, forgotten ${world.brokers.forgotten.join()}`)
    }
    world.apply(of(3))
    await world.converge()
    expect(order).toEqual([
      'delete StatefulSet orders-main-3: holds 0, forgotten ',
      'delete LogBroker orders-main-3: holds 0, forgotten 3',
    ])
    for (const { replicas } of places(world)) expect(new Set(replicas).size).toBe(2)
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.cluster.status.columns).toEqual({ brokers: '3/3', status: 'Running' })
    expect(world.has('PersistentVolumeClaim', 'data-orders-main-3-1')).toBe(true)
    expect(names(world, 'StatefulSet')).not.toContain('orders-main-3')
    expect(names(world, 'Pod').filter(name => name.startsWith('orders-main-3'))).toEqual([])
    expect(reasons(world)).toEqual(
      expect.arrayContaining(['BrokerLeaves', 'ReplicasMove', 'BrokerLeft']),
    )
    expect(world.nodes.starts).toHaveLength(4)
  })

  test('places nothing new on who leaves', async () => {
    const world = await holding(4)
    world.apply(of(3))
    await world.converge()
    expect(world.brokers.altered).toContainEqual({
      of: { kind: 'broker', id: 3 },
      configs: { 'cordoned.log.dirs': '*' },
    })
  })

  test('places nothing new on who leaves where all brokers are cordoned too, and leaves that as it is', async () => {
    const world = await holding(4)
    const cordon = 'cordoned.log.dirs'
    world.disks.configs.set(cordon, '*')
    world.apply(of(3))
    await world.converge()
    expect(world.brokers.altered).toEqual([
      { of: { kind: 'broker', id: 3 }, configs: { [cordon]: '*' } },
    ])
    expect(world.disks.configs.get(cordon)).toBe('*')
  })

  test('waits where partitions have more replicas than brokers would be left, and says what to do', async () => {
    const world = await holding(3, 0)
    world.disks.cluster.places = [{ topic: 't', index: 0, replicas: [0, 1, 2], isMoving: false }]
    world.apply(of(2))
    await world.converge()
    expect(world.condition('Degraded')).toBe('True ScaleDownBlocked')
    expect(world.message('Degraded')).toContain('first t-0, have 3 replicas')
    expect(world.has('StatefulSet', 'orders-main-2')).toBe(true)
    expect(world.brokers.moves).toEqual([])
    world.apply(of(3))
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.brokers.altered).toContainEqual({
      of: { kind: 'broker', id: 2 },
      configs: { 'cordoned.log.dirs': null },
    })
  })

  test('does nothing by what nobody told', async () => {
    const world = await holding(3)
    world.apply(of(2))
    const show = world.disks.hide()
    await world.pass()
    await world.pass()
    expect(world.has('StatefulSet', 'orders-main-2')).toBe(true)
    show()
    await world.converge()
    expect(world.has('StatefulSet', 'orders-main-2')).toBe(false)
  })

  test('takes internal topics along that have as many replicas as there were brokers', async () => {
    const world = await holding(3)
    internal(world, [0, 1, 2])
    world.apply(of(2))
    await world.converge()
    expect(internalReplicas(world)).toEqual(Array.from({ length: 4 }, () => [0, 1]))
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.has('StatefulSet', 'orders-main-2')).toBe(false)
  })

  test('loses the broker that is named, and not the last one', async () => {
    const world = await holding(4)
    world.apply({ ...minimal, pools: [{ ...pool!, brokers: 3, withoutSlots: [1] }] })
    await world.converge()
    expect(names(world, 'StatefulSet').toSorted()).toEqual([0, 2, 3].map(id => `orders-main-${id}`))
    expect(held(world, 1)).toBe(0)
    expect(world.brokers.forgotten).toEqual([1])
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.nodes.starts).toHaveLength(4)
    expect(world.has('PersistentVolumeClaim', 'data-orders-main-1-1')).toBe(true)
  })

  test('gets another broker in the place of the one that is named, in one apply', async () => {
    const world = await holding(3)
    world.apply({ ...minimal, pools: [{ ...pool!, brokers: 3, withoutSlots: [0] }] })
    await world.converge()
    expect(names(world, 'StatefulSet').toSorted()).toEqual([1, 2, 3].map(id => `orders-main-${id}`))
    expect([0, 1, 2, 3].map(id => held(world, id) > 0)).toEqual([false, true, true, true])
    expect(world.condition('Stable')).toBe('True Stable')
  })

  test('may lose one pool and get another in one apply', async () => {
    const world = await holding(2)
    world.apply({ ...minimal, pools: [{ ...pool!, name: 'fast', brokers: 2 }] })
    await world.converge()
    expect(names(world, 'StatefulSet').toSorted()).toEqual(['orders-fast-0', 'orders-fast-1'])
    const ids = world.api.all<LogBroker>('LogBroker').map(({ spec }) => spec.brokerId)
    expect(ids.toSorted((a, b) => a - b)).toEqual([2, 3])
    for (const { replicas } of places(world)) expect(replicas.every(id => id >= 2)).toBe(true)
    expect(world.condition('Stable')).toBe('True Stable')
  })
})

describe('a cluster that becomes larger', () => {
  test('gives the brokers that came their share', async () => {
    const world = await holding(3)
    world.apply(of(4))
    await world.converge()
    expect([0, 1, 2, 3].map(id => held(world, id))).toEqual([6, 6, 6, 6])
    const moves = world.brokers.moves.length
    world.clock.advance(60_000)
    await world.converge()
    expect(world.brokers.moves).toHaveLength(moves)
  })

  test('gives internal topics the replicas that are declared, once there are brokers for them', async () => {
    const world = await holding(1, 0)
    internal(world, [0])
    world.apply(of(3))
    await world.converge()
    expect(internalReplicas(world)).toEqual(Array.from({ length: 4 }, () => [0, 1, 2]))
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.cluster.status.rebalance).toBeUndefined()
  })

  test('keeps internal topics as spec.config declares them', async () => {
    const world = await holding(1, 0)
    internal(world, [0])
    world.apply({ ...of(3), config: { 'offsets.topic.replication.factor': 1 } })
    await world.converge()
    expect(internalReplicas(world).every(({ length }) => length === 1)).toBe(true)
  })

  test('tells how far it is, and goes on with another operator where it was', async () => {
    const world = await holding(3, 300)
    world.disks.cluster.isCopySlow = true
    world.apply(of(4))
    await world.converge()
    expect(world.condition('Progressing')).toBe('True Rebalancing')
    const rebalance = { reason: 'BrokersArrive', moving: 50, waiting: 100 }
    expect(world.cluster.status.rebalance).toEqual(rebalance)
    // Two leaders tell of the new one, and one of somebody else.
    const { catchingUp } = world.disks.cluster
    catchingUp.set(0, [{ brokerId: 3, bytes: 3 * 2 ** 30 }])
    catchingUp.set(1, [
      { brokerId: 3, bytes: 1.5 * 2 ** 30 },
      { brokerId: 2, bytes: 2 ** 30 },
    ])
    await world.converge()
    expect(world.cluster.status.rebalance).toEqual({ ...rebalance, catchUp: '5.5Gi' })
    const ofBroker = (id: number) => world.get<LogBroker>('LogBroker', `orders-main-${id}`)
    expect([1, 2, 3].map(id => ofBroker(id).status.catchUp)).toEqual([undefined, '1Gi', '4.5Gi'])
    catchingUp.clear()
    world.restartOperator()
    world.disks.cluster.isCopySlow = false
    await world.converge()
    expect([0, 1, 2, 3].map(id => held(world, id))).toEqual([150, 150, 150, 150])
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.cluster.status.rebalance).toBeUndefined()
  })

  test('moves nothing while that is paused, and calls off what is on its way where it is cancelled', async () => {
    const world = await holding(3)
    const before = places(world)
    world.apply({ ...of(4), rebalance: { state: 'Paused' } })
    await world.converge()
    expect(world.brokers.moves).toEqual([])
    expect(world.message('Progressing')).toContain('spec.rebalance.state is Paused')
    world.disks.cluster.isCopySlow = true
    world.apply(of(4))
    await world.converge()
    expect(world.cluster.status.rebalance?.moving).toBe(6)
    world.apply({ ...of(4), rebalance: { state: 'Cancelled' } })
    await world.converge()
    expect(places(world)).toEqual(before)
    expect(reasons(world)).toContain('ReassignmentsCancelled')
    world.disks.cluster.isCopySlow = false
    world.apply(of(4))
    await world.converge()
    expect(held(world, 3)).toBe(6)
    expect(world.condition('Stable')).toBe('True Stable')
  })

  test('is told to hold back what is copied, and lets go of that', async () => {
    const world = await holding(3)
    world.apply({ ...of(3), rebalance: { throttle: '10Mi' } })
    await world.converge()
    expect(Object.fromEntries(world.disks.configs)).toEqual({
      'leader.replication.throttled.rate': '10485760',
      'follower.replication.throttled.rate': '10485760',
      'replication.throttled.reassignments.enable': 'true',
    })
    world.apply(of(3))
    await world.converge()
    expect(Object.fromEntries(world.disks.configs)).toEqual({})
    expect(world.nodes.starts).toHaveLength(3)
  })

  test('and smaller, and larger again, has the broker back with its disk', async () => {
    const world = await holding(4)
    world.apply(of(3))
    await world.converge()
    world.apply(of(4))
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.disks.formats).toHaveLength(4)
    expect(world.get<StatefulSet>('StatefulSet', 'orders-main-3').spec?.replicas).toBe(1)
    expect(held(world, 3)).toBe(6)
  })
})
