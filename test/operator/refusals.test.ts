import { describe, expect, test } from 'vitest'
import type { LogClusterSpecInput } from '../../src/operator/crd/cluster.ts'
import type { Pod, Stored } from '../../src/operator/kubernetes/objects.ts'
import { ApiError } from '../../src/operator/kubernetes/api-error.ts'
import { created, minimal, type World } from './world.ts'

function three(version = '0.1.0', more: object = {}): LogClusterSpecInput {
  const [pool] = minimal.pools
  return { ...minimal, version, pools: [{ ...pool!, brokers: 3, ...more }] }
}

/** The API server refuses such writes. */
function refuse(world: World, what: RegExp, message: string, code = 403): void {
  world.api.onWrite = (moment, _, write) => {
    if (moment !== 'before' || !what.test(write)) return
    const reason = code === 403 ? 'Forbidden' : 'NotFound'
    throw new ApiError('refused', { code, reason, message })
  }
}

async function go(world: World, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await world.pass()
    world.nodes.tick()
    world.clock.advance(1000)
  }
}

const checksOf = (world: World): Pod[] =>
  world.api.all<Pod>('Pod').filter(({ metadata }) => metadata.name.includes('-check-'))

describe('a check that the API server does not make', () => {
  test.each([
    'failed quota: small: must specify requests.cpu for: check',
    'exceeded quota: small, requested: pods=1, used: pods=3, limited: pods=3',
    '[minimum cpu usage per Container is 100m, but request is 0]',
    'cpu max limit to request ratio per Container is 4, but no request is specified or request is 0',
  ])('for want of room leaves the trial to the broker itself: %s', async why => {
    const world = await created(three())
    refuse(world, /^create Pod /, `pods "x" is forbidden: ${why}`)
    world.apply(three('0.2.0'))
    await go(world, 3)
    expect(world.condition('Degraded')).toBe('True CheckUnschedulable')
    expect(world.message('Degraded')).toContain(why)
    await world.converge()
    expect(world.nodes.starts).toHaveLength(6)
    expect(world.condition('Stable')).toBe('True Stable')
  })

  test.each([
    'admission webhook "images.example" denied the request: unsigned image',
    'pods "x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi',
  ])('by what would refuse the broker too touches none, and is tried again: %s', async why => {
    const world = await created(three())
    refuse(world, /^create Pod /, why)
    world.apply(three('0.2.0'))
    await go(world, 40)
    expect(world.condition('Degraded')).toBe('True CheckFailed')
    expect(world.message('Degraded')).toContain(`could not be tried beforehand: ${why}`)
    expect(world.nodes.starts).toHaveLength(3)
    world.api.onWrite = () => {}
    await go(world, 40)
    await world.converge()
    expect(world.nodes.starts).toHaveLength(6)
    expect(world.condition('Stable')).toBe('True Stable')
  })

  test('says what it requests, and has the limits of its pool', async () => {
    const limits = { cpu: '2', memory: '2Gi' }
    const world = await created(three('0.1.0', { resources: { limits } }))
    world.nodes.check = { kind: 'hangs' }
    world.apply(three('0.2.0', { resources: { limits } }))
    await go(world, 2)
    const resources = checksOf(world).map(({ spec }) => spec?.containers[0]?.resources)
    expect(resources[0]).toEqual({ requests: { cpu: '0', memory: '0' }, limits })
  })
})

describe('a write that is refused', () => {
  test.each([
    ['a StatefulSet of one broker', /StatefulSet orders-main-0$/],
    ['the disruption budget', /PodDisruptionBudget/],
    ['what brokers may do', /Role /],
    ['the claim of a new broker', /create PersistentVolumeClaim /],
  ])('(%s) does not keep a drained node from being handed over', async (_, what) => {
    const world = await created(three())
    refuse(world, what, 'no')
    world.apply(three('0.2.0', { brokers: 4 }))
    const live = world.get<Stored>('PodDisruptionBudget', 'orders')
    world.api.put({ ...live, spec: {} } as Stored)
    for (const name of ['n1', 'n2', 'n3']) world.nodes.cordon(name, false)
    world.nodes.nodeOf = ({ metadata }) => `n${Number(metadata.name.at(-3)) + 1}`
    await go(world, 1)
    for (const { metadata } of world.api.all<Pod>('Pod')) world.api.remove('Pod', metadata)
    await go(world, 4)
    world.nodes.cordon('n2')
    await go(world, 6)
    expect(world.disks.cluster.drained).toContain(1)
  })

  test('keeps nothing from the other brokers that it is not for', async () => {
    const world = await created(three())
    refuse(world, /StatefulSet orders-main-0$/, 'no')
    world.apply(three('0.2.0'))
    await go(world, 40)
    expect(world.nodes.starts.slice(3).toSorted()).toEqual(['orders-main-1-0', 'orders-main-2-0'])
    expect(world.message('Degraded')).toContain('StatefulSet orders-main-0: no')
  })

  test('is tried again after half a minute, and between is not looked at four times a second', async () => {
    const world = await created(three())
    let sent = 0
    let lists = 0
    const list = world.api.list.bind(world.api)
    world.api.list = (...args) => {
      lists++
      return list(...args) as never
    }
    world.api.onWrite = (moment, _, what) => {
      if (moment !== 'before' || !what.startsWith('delete Service')) return
      sent++
      throw new ApiError('refused', { code: 403, reason: 'Forbidden', message: 'no' })
    }
    const { namespace, uid, name } = world.cluster.metadata
    const metadata = {
      namespace: namespace,
      name: 'orders-old',
      labels: { 'logcluster.dev/cluster': name },
      ownerReferences: [{ apiVersion: 'v1', kind: 'LogCluster', name, uid }],
    }
    world.api.put({ apiVersion: 'v1', kind: 'Service', metadata })
    await world.pass()
    const once = lists
    const next: (number | null)[] = []
    for (let round = 0; round < 20; round++) {
      next.push((await world.outcome()).requeueAfterMs)
      world.clock.advance(1000)
    }
    expect({ sent, lists }).toEqual({ sent: 1, lists: once })
    expect(new Set(next.slice(1))).toEqual(new Set([1500]))
    world.clock.advance(30_000)
    await world.pass()
    expect(sent).toBe(2)
  })

  test('of a kind that is not there, such as a PodMonitor, does not make the passes hot', async () => {
    const world = await created(three())
    refuse(world, /PodMonitor/, 'the API server knows no podmonitors', 404)
    world.apply({ ...three(), metrics: { monitor: { type: 'PodMonitor' } } })
    await go(world, 2)
    expect(await world.outcome()).toEqual({ requeueAfterMs: 1500 })
    expect(world.message('Degraded')).toContain('PodMonitor')
  })
})
