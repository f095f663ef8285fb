import { describe, expect, test } from 'vitest'
import type { LogClusterSpecInput } from '../../src/operator/crd/cluster.ts'
import type { LogBroker } from '../../src/operator/crd/broker.ts'
import type { Pod } from '../../src/operator/kubernetes/objects.ts'
import { isReady } from '../../src/operator/plan/pod-health.ts'
import { Crash, created, minimal, reasons, type World } from './world.ts'

function three(memory: string, more: Partial<LogClusterSpecInput> = {}): LogClusterSpecInput {
  const [pool] = minimal.pools
  return {
    ...minimal,
    ...more,
    pools: [{ ...pool!, brokers: 3, resources: { requests: { memory } } }],
  }
}

/** What each deletion of a broker's pod found: who led nothing, and which others were there. */
function watchRestarts(world: World): { id: number; led: number; away: number }[] {
  const found: { id: number; led: number; away: number }[] = []
  world.api.onWrite = (moment, _, what) => {
    const id = Number(/^delete Pod orders-main-(\d)-0$/.exec(what)?.[1] ?? Number.NaN)
    if (moment !== 'before' || Number.isNaN(id)) return
    const { cluster } = world.disks
    const away = cluster.told().filter(({ isFenced, behind }) => isFenced || behind.count > 0)
    found.push({
      id,
      led: cluster.leads(id),
      away: away.filter(each => each.brokerId !== id).length,
    })
  }
  return found
}

/** What was elected in each pass that elected anything. */
async function watchHandOvers(world: World, rounds: number): Promise<string[][]> {
  const { elections } = world.disks.cluster
  const handOvers: string[][] = []
  for (let round = 0; round < rounds; round++) {
    const before = elections.length
    await go(world, 1)
    if (elections.length > before) handOvers.push(elections.slice(before))
  }
  return handOvers
}

const partitionsOf = (elections: readonly string[]): string[] =>
  elections.map(each => each.slice(0, each.indexOf('>')))

/** Passes, and Kubernetes at work, so often. */
async function go(world: World, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await world.pass()
    world.nodes.tick()
    world.clock.advance(1000)
  }
}

const starts = (world: World): number => world.nodes.starts.length

describe('a roll', () => {
  test('takes one broker at a time, that leads nothing any more, and the controller last', async () => {
    const world = await created(three('1Gi'))
    world.disks.cluster.controllerId = 0
    const restarts = watchRestarts(world)
    world.apply(three('2Gi'))
    await world.converge()
    expect(restarts).toEqual([
      { id: 1, led: 0, away: 0 },
      { id: 2, led: 0, away: 0 },
      { id: 0, led: 0, away: 0 },
    ])
    expect(world.disks.cluster.drained).toEqual([])
    expect([0, 1, 2].map(id => world.disks.cluster.leads(id))).toEqual([1, 1, 1])
    expect(world.cluster.status.plan).toBeUndefined()
    expect(reasons(world).filter(each => each === 'LeadershipDrained')).toHaveLength(3)
  })

  test('moves no partition twice by one restart: one hand-over each, and one when all are done', async () => {
    const world = await created(three('1Gi'))
    world.apply(three('2Gi'))
    const handOvers = await watchHandOvers(world, 60)
    expect(world.condition('Stable')).toBe('True Stable')
    // Who was restarted leads again in the same hand-over in which the next one gives up what it leads.
    expect(handOvers.map(partitionsOf)).toEqual([['p-0'], ['p-0', 'p-1'], ['p-1', 'p-2'], ['p-2']])
  })

  test('waits for partitions that would fall under min.insync.replicas, and names them', async () => {
    const world = await created(three('1Gi'))
    world.disks.cluster.told = () =>
      [0, 1, 2].map(brokerId => ({
        brokerId,
        isFenced: false,
        isDrained: false,
        leads: 1,
        behind: { count: 0, names: [] },
        underMin: { count: 41, names: ['orders-3'] },
        offline: { count: 0, names: [] },
        unavoidableCount: 7,
      }))
    world.apply(three('2Gi'))
    await go(world, 12)
    expect(starts(world)).toBe(3)
    expect(world.disks.cluster.drained).toEqual([])
    expect(world.condition('Progressing')).toBe('True RestartWaiting')
    expect(world.cluster.status.plan).toEqual([
      {
        broker: 'orders-main-0',
        action: 'Restart',
        state: 'Waiting',
        message: '41 partitions have too few other replicas in sync, first orders-3',
        partitions: ['orders-3'],
      },
      {
        broker: 'orders-main-1',
        action: 'Restart',
        state: 'Waiting',
        message: 'after broker orders-main-0',
      },
      {
        broker: 'orders-main-2',
        action: 'Restart',
        state: 'Waiting',
        message: 'after broker orders-main-0',
      },
    ])
  })

  test('waits until the broker before is back in sync, and only then lets it lead again', async () => {
    const world = await created(three('1Gi'))
    const restarts = watchRestarts(world)
    world.apply(three('2Gi'))
    // It does not catch up.
    const begun = world.api.onWrite
    world.api.onWrite = (...args) => {
      begun(...args)
      if (restarts.length === 1) world.disks.cluster.behind.add(0)
    }
    await go(world, 25)
    expect(restarts.map(({ id }) => id)).toEqual([0])
    expect(world.disks.cluster.drained).toEqual([0])
    expect(world.cluster.status.plan?.[0]).toMatchObject({
      broker: 'orders-main-1',
      state: 'Waiting',
      message: 'broker orders-main-0 does not serve in sync',
    })
    world.api.onWrite = begun
    world.disks.cluster.behind.clear()
    await world.converge()
    expect(restarts.map(({ id }) => id)).toEqual([0, 1, 2])
    expect(world.disks.cluster.drained).toEqual([])
  })

  test('stops at the first broker that does not come up: the others serve on, and a condition says so', async () => {
    const world = await created(three('1Gi'))
    world.nodes.missingImages.add('registry.example/logcluster:bad')
    world.apply(three('1Gi', { version: 'bad' }))
    await world.converge()
    expect(starts(world)).toBe(4)
    expect(world.message('Degraded')).toContain(
      'Broker orders-main-0 does not come up with what is new, so the others (2) are left as they are',
    )
    const serves = (id: number): boolean => isReady(world.get<Pod>('Pod', `orders-main-${id}-0`))
    expect([0, 1, 2].map(serves)).toEqual([false, true, true])
    world.apply(three('1Gi'))
    await world.converge()
    expect(starts(world)).toBe(5)
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.disks.cluster.drained).toEqual([])
  })

  test('is of a cluster that tells nothing not begun', async () => {
    const world = await created(three('1Gi'))
    world.disks.cluster.told = () => []
    world.apply(three('2Gi'))
    await go(world, 10)
    expect(starts(world)).toBe(3)
    expect(world.cluster.status.plan?.[0]?.message).toBe(
      'no broker tells what a restart would risk',
    )
  })

  test('that nobody wants any more gives back what was taken for it', async () => {
    const world = await created(three('1Gi'))
    world.api.onWrite = (moment, _, what) => {
      if (moment === 'before' && what.startsWith('delete Pod orders-main-0-0')) {
        world.apply(three('1Gi'))
        throw new Crash()
      }
    }
    world.apply(three('2Gi'))
    await world.converge()
    expect(reasons(world)).toContain('LeadershipDrained')
    expect(starts(world)).toBe(3)
    expect(world.disks.cluster.drained).toEqual([])
  })
})

describe('a node that is drained', () => {
  const evict = (world: World, id: number): void => {
    world.api.remove('Pod', { namespace: 'streaming', name: `orders-main-${id}-0` })
  }

  test('is led off as soon as it is cordoned, and given back when its broker is in sync again', async () => {
    const world = await created(three('1Gi'))
    const nodeOf = (pod: Pod): string => `n${Number(/(\d)-0$/.exec(pod.metadata.name)?.[1]) + 1}`
    world.nodes.nodeOf = nodeOf
    for (const name of ['n1', 'n2', 'n3']) world.nodes.cordon(name, false)
    for (const id of [0, 1, 2]) evict(world, id)
    await world.converge()
    world.nodes.cordon('n2')
    await world.converge()
    expect(world.disks.cluster.drained).toEqual([1])
    expect(world.disks.cluster.leads(1)).toBe(0)
    expect(world.cluster.status.plan).toEqual([
      {
        broker: 'orders-main-1',
        action: 'Drain',
        state: 'Drained',
        message: 'node n2 is being drained',
      },
    ])
    evict(world, 1)
    await world.converge()
    expect(world.condition('Ready')).toBe('True ServingWithout')
    expect(world.disks.cluster.drained).toEqual([1])
    world.nodes.cordon('n2', false)
    await world.converge()
    expect(world.disks.cluster.drained).toEqual([])
    expect(world.disks.cluster.leads(1)).toBe(1)
    expect(world.condition('Stable')).toBe('True Stable')
  })

  test('has no broker restarted that would not come back there', async () => {
    const world = await created(three('1Gi'))
    world.nodes.cordon('n1')
    world.apply(three('2Gi'))
    await go(world, 12)
    expect(starts(world)).toBe(3)
    expect(world.cluster.status.plan?.at(0)?.message).toContain('n1 is being drained')
    world.nodes.cordon('n1', false)
    await world.converge()
    expect(starts(world)).toBe(6)
  })

  test('a person may take leadership from a broker, and give it back', async () => {
    const world = await created(three('1Gi'))
    const set = (leadership: 'Drained' | 'Normal'): void => {
      const live = world.get<LogBroker>('LogBroker', 'orders-main-2')
      world.api.put({ ...live, spec: { ...live.spec, leadership } } as typeof live)
    }
    set('Drained')
    await world.converge()
    expect(world.disks.cluster.drained).toEqual([2])
    set('Normal')
    await world.converge()
    expect(world.disks.cluster.drained).toEqual([])
    expect(world.cluster.status.plan).toBeUndefined()
  })
})

describe('a broker that others leave alone', () => {
  const { pools, ...rest } = three('1Gi')
  const one = { ...rest, pools: [{ ...pools[0]!, brokers: 1 }] }

  async function leaving(): Promise<World> {
    const world = await created(three('1Gi'))
    const { cluster } = world.disks
    cluster.places = [1, 2].map(id => ({ topic: 't', index: id, replicas: [id], isMoving: false }))
    cluster.isCopySlow = true
    return world
  }

  test('hands over to them as long as they are there, before it is restarted as one of one', async () => {
    const world = await leaving()
    const { cluster } = world.disks
    const led: number[] = []
    world.api.onWrite = (moment, _, what) => {
      if (moment === 'before' && what === 'delete Pod orders-main-0-0') led.push(cluster.leads(0))
    }
    world.apply(one)
    await world.converge()
    expect(led).toEqual([0])
    expect(world.disks.cluster.drained).toEqual([])
    cluster.isCopySlow = false
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
    expect(led).toHaveLength(1)
  })

  test('waits where partitions would have nobody', async () => {
    const world = await leaving()
    world.disks.cluster.behind.add(1).add(2)
    world.apply(one)
    for (let round = 0; round < 12; round++) {
      await world.pass()
      world.nodes.tick()
      world.clock.advance(1000)
    }
    expect(world.nodes.starts).toHaveLength(3)
    expect(world.condition('Progressing')).toBe('True RestartWaiting')
    expect(world.message('Progressing')).toContain('have too few other replicas in sync')
    expect(world.cluster.status.plan).toMatchObject([{ broker: 'orders-main-0', state: 'Waiting' }])
    world.disks.cluster.behind.clear()
    world.disks.cluster.isCopySlow = false
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
  })
})
