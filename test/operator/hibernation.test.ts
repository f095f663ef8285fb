import { describe, expect, test } from 'vitest'
import type { LogBroker } from '../../src/operator/crd/broker.ts'
import type { LogClusterSpecInput } from '../../src/operator/crd/cluster.ts'
import type { Pod, StatefulSet } from '../../src/operator/kubernetes/objects.ts'
import { created, minimal, reasons, World } from './world.ts'

const freeze = 'hibernation.freeze.enable'

function three(more: Partial<LogClusterSpecInput> = {}): LogClusterSpecInput {
  const [pool] = minimal.pools
  return { ...minimal, ...more, pools: [{ ...pool!, brokers: 3 }] }
}

const asleep = three({ state: 'Hibernated' })

/** Passes, and Kubernetes at work, so often. */
async function go(world: World, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await world.pass()
    world.nodes.tick()
    world.clock.advance(1000)
  }
}

const isFrozen = (world: World): boolean => world.disks.configs.get(freeze) === 'true'
const podCount = (world: World): number => world.api.all<Pod>('Pod').length
const isStopped = ({ spec }: StatefulSet): boolean => spec?.replicas === 0

/** What was so at each StatefulSet that was given another number of pods. */
function watchStops(world: World): { isFrozen: boolean; served: number }[] {
  const found: { isFrozen: boolean; served: number }[] = []
  let before = 0
  world.api.onWrite = (moment, _, what) => {
    if (!what.startsWith('apply StatefulSet')) return
    const count = world.api.all<StatefulSet>('StatefulSet').filter(isStopped).length
    if (moment === 'before') before = count
    else if (count > before) found.push({ isFrozen: isFrozen(world), served: podCount(world) })
  }
  return found
}

describe('the hibernation of several brokers', () => {
  test('refuses writes first, and then stops all of them together', async () => {
    const world = await created(three())
    const stops = watchStops(world)
    world.apply(asleep)
    await world.converge()
    // All are told to stop before any is gone: none of them is the last.
    expect(stops).toEqual(Array(3).fill({ isFrozen: true, served: 3 }))
    expect(podCount(world)).toBe(0)
    expect(world.condition('Ready')).toBe('False Hibernated')
    expect(world.condition('Progressing')).toBe('False Idle')
    expect(world.cluster.status.columns?.status).toBe('Hibernated')
    expect(reasons(world)).toContain('ClusterFrozen')
  })

  test('is not told to be ready from the moment in which brokers are stopped', async () => {
    const world = await created(three())
    // No longer one that begins.
    world.clock.advance(60_000)
    const told: string[] = []
    let isBegun = false
    world.api.onWrite = (moment, _, what) => {
      if (moment !== 'after') return
      if (isBegun) told.push(world.condition('Ready'))
      isBegun ||= what.startsWith('apply StatefulSet') && world.cluster.spec.state === 'Hibernated'
      // One of them takes longer to end than the others.
      if (what.startsWith('apply StatefulSet orders-main-0')) world.nodes.tick()
    }
    world.apply(asleep)
    await world.converge()
    const [, ...later] = new Set(told)
    expect(later).toEqual(['False Frozen', 'False Hibernated'])
  })

  test('waits for what is not copied, and says of whom', async () => {
    const world = await created(three())
    world.disks.cluster.uncopiedCount = 2
    world.apply(asleep)
    await go(world, 8)
    expect([isFrozen(world), podCount(world)]).toEqual([true, 3])
    expect(world.condition('Ready')).toBe('False Frozen')
    expect(world.message('Progressing')).toBe(
      'The cluster is being hibernated, and waits: what broker orders-main-0 leads is not copied yet.',
    )
    world.disks.cluster.uncopiedCount = 0
    await world.converge()
    expect(podCount(world)).toBe(0)
  })

  test('refuses nothing while a broker is not in sync, whom it names', async () => {
    const world = await created(three())
    world.disks.cluster.behind.add(1)
    await go(world, 3)
    world.apply(asleep)
    await go(world, 8)
    expect([isFrozen(world), podCount(world)]).toEqual([false, 3])
    expect(world.message('Progressing')).toBe(
      'The cluster is being hibernated, and waits: broker orders-main-1 does not serve in sync.',
    )
    world.disks.cluster.behind.clear()
    await world.converge()
    expect(podCount(world)).toBe(0)
  })

  test('restarts nobody on the way, whatever else the spec has', async () => {
    const world = await created(three())
    const [pool] = asleep.pools
    world.disks.cluster.uncopiedCount = 1
    const resources = { requests: { memory: '2Gi' } }
    world.apply({ ...asleep, pools: [{ ...pool!, resources }] })
    await go(world, 8)
    expect([world.nodes.starts.length, podCount(world)]).toEqual([3, 3])
    expect(world.disks.cluster.drained).toEqual([])
  })

  test('is not begun while it is paused, and neither is the wake', async () => {
    const world = await created(three())
    world.apply({ ...asleep, reconciliation: 'Paused' })
    await go(world, 5)
    expect([isFrozen(world), podCount(world)]).toEqual([false, 3])
    world.apply(asleep)
    await world.converge()
    world.apply(three({ reconciliation: 'Paused' }))
    await go(world, 5)
    expect([isFrozen(world), podCount(world)]).toEqual([true, 0])
  })

  test('is taken back at any moment before the end, and writes are taken again', async () => {
    const world = await created(three())
    world.disks.cluster.uncopiedCount = 1
    world.apply(asleep)
    await go(world, 5)
    expect(isFrozen(world)).toBe(true)
    world.apply(three())
    await world.converge()
    expect([isFrozen(world), podCount(world), world.nodes.starts.length]).toEqual([false, 3, 3])
    expect(world.condition('Ready')).toBe('True Serving')
  })

  test('a cluster that is born asleep has no broker, and begins when it is woken', async () => {
    const world = await created(asleep)
    expect(podCount(world)).toBe(0)
    world.apply(three())
    await world.converge()
    expect(world.condition('Ready')).toBe('True Serving')
  })
})

describe('a broker whose absence is accepted', () => {
  const accept = (world: World, name: string): void => {
    const live = world.get<LogBroker>('LogBroker', name)
    world.api.put({ ...live, spec: { ...live.spec, absence: 'Accepted' } } as typeof live)
  }
  async function withSilent(broker = 'orders-main-1'): Promise<World> {
    const world = new World().withNodes(3)
    world.apply(three())
    await world.converge()
    // No longer one that begins.
    world.clock.advance(60_000)
    world.nodes.silence(world.nodes.nodeOf(world.get<Pod>('Pod', `${broker}-0`)))
    return world
  }

  test.for(['orders-main-0', 'orders-main-1'])(
    'holds neither the sleep nor the wake up, once the others have taken it out: %s',
    async broker => {
      const world = await withSilent(broker)
      world.apply(asleep)
      await go(world, 8)
      expect([isFrozen(world), podCount(world)]).toEqual([false, 3])
      accept(world, broker)
      await world.converge()
      // Its own is ending, for as long as its node is silent.
      expect(world.api.all<Pod>('Pod').map(({ metadata }) => metadata.name)).toEqual([
        `${broker}-0`,
      ])
      expect(world.condition('Ready')).toBe('False Hibernated')
      expect(world.condition('Progressing')).toBe('False Idle')
      world.apply(three())
      await world.converge()
      expect([isFrozen(world), podCount(world)]).toEqual([false, 3])
      expect(world.condition('Ready')).toBe('True ServingWithout')
    },
  )

  test('is waited for as any other while it runs, and while the others count on it', async () => {
    const world = await created(three())
    accept(world, 'orders-main-1')
    world.disks.cluster.behind.add(1)
    await go(world, 3)
    world.apply(asleep)
    await go(world, 8)
    expect([isFrozen(world), podCount(world)]).toEqual([false, 3])
  })
})

describe('the wake', () => {
  test('takes writes again only when every broker serves, and then at once', async () => {
    const world = await created(three())
    world.apply(asleep)
    await world.converge()
    world.disks.cluster.behind.add(2)
    world.apply(three())
    await go(world, 20)
    expect([isFrozen(world), podCount(world)]).toEqual([true, 3])
    expect(world.condition('Ready')).toBe('False Frozen')
    expect(world.message('Progressing')).toBe(
      'The cluster wakes, and waits: broker orders-main-2 does not serve yet.',
    )
    world.disks.cluster.behind.clear()
    await world.converge()
    expect(isFrozen(world)).toBe(false)
    expect(world.condition('Ready')).toBe('True Serving')
    expect(world.disks.formats).toHaveLength(3)
    expect(reasons(world)).toContain('ClusterThawed')
  })

  test('waits for nobody longer than nodeGracePeriod', async () => {
    const world = await created(three())
    world.apply(asleep)
    await world.converge()
    world.disks.cluster.behind.add(2)
    world.apply(three())
    await go(world, 20)
    expect(isFrozen(world)).toBe(true)
    world.clock.advance(300_000)
    await go(world, 2)
    expect(isFrozen(world)).toBe(false)
  })

  test('is none where one broker was given the freeze, which is in force nowhere', async () => {
    const world = await created(three())
    const [{ spec }] = world.api.all<LogBroker>('LogBroker') as [LogBroker]
    world.disks.ownOf(spec.brokerId).set(freeze, 'true')
    await go(world, 4)
    expect(world.brokers.altered).toEqual([])
    expect(world.condition('Ready')).toBe('True Serving')
  })
})
