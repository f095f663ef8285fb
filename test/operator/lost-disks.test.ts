import { describe, expect, test, vi } from 'vitest'
import type { LogBroker } from '../../src/operator/crd/broker.ts'
import type {
  ConfigMap,
  PersistentVolume,
  Pod,
  PodDisruptionBudget,
} from '../../src/operator/kubernetes/objects.ts'
import { minimal, reasons, World } from './world.ts'

const [pool] = minimal.pools
const spec = { ...minimal, pools: [{ ...pool!, brokers: 3 }] }
const lost = 'orders-main-1'

/** Three brokers on three nodes, and as many nodes more as are said. */
async function three(spare = 1): Promise<World> {
  const world = new World().withNodes(3 + spare)
  world.apply(spec)
  await world.converge()
  expect(world.condition('Stable')).toBe('True Stable')
  expect(world.brokers.retired.size).toBe(0)
  return world
}

function logBroker(world: World, name = lost): LogBroker {
  return world.get<LogBroker>('LogBroker', name)
}

function identity(world: World, name = lost): Readonly<Record<string, string>> {
  return world.get<ConfigMap>('ConfigMap', `${name}-identity`).data ?? {}
}

/** The node that the disk of a broker is on. */
function nodeOf(world: World, name = lost): string {
  return world.get<Pod>('Pod', `${name}-0`).spec!.nodeName!
}

function ask(world: World, changes: object): void {
  const live = logBroker(world)
  world.api.put({ ...live, spec: { ...live.spec, ...changes } } as typeof live)
}

/** The disk was given up for a new one, and its volume is kept. */
function expectReplaced(world: World, reason: string): void {
  expect(world.condition('Stable')).toBe('True Stable')
  expect(identity(world)).toMatchObject({ incarnation: '2', mayFormat: 'false' })
  expect(world.disks.formats).toEqual(['pv-1', 'pv-2', 'pv-3', 'pv-4'])
  const [retired] = logBroker(world).status.retiredVolumes ?? []
  expect(retired).toMatchObject({ incarnation: 1, reason, claim: `data-${lost}-1` })
  const name = retired!.persistentVolume!
  const volume = world.api.find<PersistentVolume>('PersistentVolume', { name })
  expect(volume?.spec?.persistentVolumeReclaimPolicy).toBe('Retain')
  expect([...world.brokers.retired]).toEqual([retired!.directoryId])
  expect(logBroker(world).status.diskLost).toBeUndefined()
}

describe('a disk is replaced', () => {
  test('whose Node was deleted', async () => {
    const world = await three()
    world.nodes.deleteNode(nodeOf(world))
    await world.converge()
    expectReplaced(world, 'NodeGone')
    expect(reasons(world)).toEqual(
      expect.arrayContaining(['DiskLost', 'DiskReplaced', 'DiskRecorded', 'DiskReplacementDone']),
    )
    expect(nodeOf(world)).toBe('n4')
  })

  test('whose Node has the out-of-service taint', async () => {
    const world = await three()
    const node = nodeOf(world)
    world.nodes.silence(node)
    const outOfService = { key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }
    world.nodes.tellNode(false, node, [outOfService])
    world.nodes.collectPods(node)
    await world.converge()
    expectReplaced(world, 'NodeOutOfService')
  })

  test('that its broker says failed', async () => {
    const world = await three()
    world.disks.failed.add(`data-${lost}-1`)
    world.api.remove('Pod', { namespace: 'streaming', name: `${lost}-0` })
    await world.converge()
    expectReplaced(world, 'DiskFailed')
  })

  test('that a person gives up, though its broker serves', async () => {
    const world = await three()
    ask(world, { replace: { incarnation: 1, dataLoss: 'Refuse' } })
    await world.converge()
    expectReplaced(world, 'Requested')
  })

  test('after the controller knows that it counts no more, and not before', async () => {
    const world = await three()
    const told: number[] = []
    world.api.onWrite = (moment, _, what) => {
      if (moment === 'before' && what === `replace ConfigMap ${lost}-identity`) {
        told.push(world.brokers.retired.size)
      }
    }
    world.nodes.deleteNode(nodeOf(world))
    await world.converge()
    // The note, the swap, the record, and the end.
    expect(told).toEqual([0, 1, 1, 1])
  })
})

describe('a disk is kept', () => {
  test('whose Node is only silent, however long, and it is told as down after the grace period', async () => {
    const world = await three()
    const node = nodeOf(world)
    world.nodes.silence(node)
    await world.pass()
    expect(logBroker(world).status.columns?.status).toBe('WaitingForNode')
    world.clock.advance(24 * 3_600_000)
    await world.pass()
    expect(logBroker(world).status.columns?.status).toBe('NodeDown')
    expect(world.message('Ready')).toContain(`Node ${node}`)
    world.nodes.wake(node)
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
    expect(identity(world)).toMatchObject({ incarnation: '1' })
    expect(world.disks.formats).toHaveLength(3)
  })

  test('while a second broker of another node does not serve: two at once are for a person', async () => {
    const world = await three(2)
    const other = 'orders-main-2'
    const nodes = [nodeOf(world), nodeOf(world, other)]
    for (const node of nodes) world.nodes.deleteNode(node)
    await world.converge()
    expect(world.condition('Degraded')).toBe('True ReplacementDeferred')
    expect(world.message('Degraded')).toContain(`kubectl logcluster replace ${lost}`)
    expect(world.brokers.retired.size).toBe(0)
    for (const name of [lost, other]) expect(identity(world, name).incarnation).toBe('1')
  })

  test('while a second broker is only said to be ready: Kubernetes forgets one node before the other', async () => {
    const world = await three(2)
    const other = 'orders-main-2'
    const [first, second] = [nodeOf(world), nodeOf(world, other)]
    for (const node of [first, second]) world.nodes.vanish(node)
    await world.converge()
    world.nodes.collectPods(first)
    await world.converge()
    expect(world.condition('Degraded')).toBe('True ReplacementDeferred')
    expect(identity(world).incarnation).toBe('1')
    world.nodes.collectPods(second)
    await world.converge()
    expect(world.condition('Degraded')).toBe('True ReplacementDeferred')
    expect(world.brokers.retired.size).toBe(0)
    for (const name of [lost, other]) expect(identity(world, name).incarnation).toBe('1')
  })

  test('while partitions have no other complete copy, until they are named; everything else goes on', async () => {
    const world = await three()
    world.brokers.onlyCopies = ['orders-0', 'orders-2']
    world.nodes.deleteNode(nodeOf(world))
    await world.converge()
    expect(world.condition('Degraded')).toBe('True ReplacementBlocked')
    // Until somebody names them nobody looks past the caches for it at every pass.
    const list = vi.spyOn(world.api, 'list')
    expect(await world.outcome()).toEqual({ requeueAfterMs: 1500 })
    expect(list).not.toHaveBeenCalled()
    list.mockRestore()
    expect(world.message('Degraded')).toContain('orders-0, orders-2')
    expect(world.message('Degraded')).toContain('spec.acceptDataLoss')
    expect(identity(world)).toMatchObject({ incarnation: '1', mayFormat: 'false' })
    ask(world, { acceptDataLoss: ['orders-0'] })
    await world.converge()
    expect(identity(world)).toMatchObject({ incarnation: '1' })
    ask(world, { acceptDataLoss: ['orders-0', 'orders-2'] })
    await world.converge()
    expectReplaced(world, 'NodeGone')
  })

  test('while the cluster is paused', async () => {
    const world = await three()
    world.apply({ ...spec, reconciliation: 'Paused' })
    world.nodes.deleteNode(nodeOf(world))
    await world.converge()
    expect(identity(world)).toMatchObject({ incarnation: '1' })
    expect(world.brokers.retired.size).toBe(0)
  })

  test('whose claim was deleted by hand under a pod that runs', async () => {
    const world = await three()
    world.api.remove('PersistentVolumeClaim', { namespace: 'streaming', name: `data-${lost}-1` })
    await world.converge()
    expect(world.condition('StorageHealthy')).toBe('False ClaimDeleted')
    expect(world.condition('Ready')).toBe('True Serving')
    expect(identity(world)).toMatchObject({ incarnation: '1' })
  })

  test('of which the operator has no right to see where it is', async () => {
    const world = await three()
    world.api.forbidden.add('Node')
    world.nodes.deleteNode(nodeOf(world))
    await world.converge()
    expect(identity(world)).toMatchObject({ incarnation: '1' })
  })

  test('of a broker alone, which has the only copy of everything', async () => {
    const world = new World().withNodes(2)
    world.apply(minimal)
    await world.converge()
    world.nodes.deleteNode('n1')
    await world.converge()
    expect(world.identity).toMatchObject({ incarnation: '1' })
    expect(world.brokers.retired.size).toBe(0)
  })
})

describe('a disk of the one that others leave', () => {
  const first = 'orders-main-0'
  async function leaving(): Promise<World> {
    const world = await three()
    const { cluster } = world.disks
    cluster.places = [1, 2].map(id => ({ topic: 't', index: id, replicas: [id], isMoving: false }))
    cluster.isCopySlow = true
    world.apply({ ...minimal, pools: [{ ...pool!, brokers: 1 }] })
    await world.converge()
    return world
  }

  test('is given up only as the controller says, as long as they are there', async () => {
    const world = await leaving()
    const budget = (): unknown =>
      world.get<PodDisruptionBudget>('PodDisruptionBudget', 'orders').spec
    expect(budget()).toMatchObject({ unhealthyPodEvictionPolicy: 'IfHealthyBudget' })
    world.brokers.onlyCopies = ['orders-0']
    const live = logBroker(world, first)
    const replace = { incarnation: 1, dataLoss: 'Accept' }
    world.api.put({ ...live, spec: { ...live.spec, replace } } as typeof live)
    await world.converge()
    expect(identity(world, first)).toMatchObject({ incarnation: '1' })
    expect(world.condition('Degraded')).toBe('True ReplacementBlocked')
    world.brokers.onlyCopies = []
    world.clock.advance(60_000)
    await world.converge()
    expect(identity(world, first)).toMatchObject({ incarnation: '2' })
    world.disks.cluster.isCopySlow = false
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
    expect(budget()).toMatchObject({ unhealthyPodEvictionPolicy: 'AlwaysAllow' })
  })

  test('is kept while one of them is silent: it may have the copies that are needed', async () => {
    const world = await leaving()
    world.nodes.silence(nodeOf(world))
    world.nodes.deleteNode(nodeOf(world, first))
    await world.converge()
    expect(identity(world, first)).toMatchObject({ incarnation: '1' })
    expect(world.message('Degraded')).toContain(`do not serve either (${lost})`)
  })
})

describe('a node comes back', () => {
  test('before anything was noted: its broker goes on with its disk', async () => {
    const world = await three()
    const node = nodeOf(world)
    world.nodes.deleteNode(node)
    world.nodes.tellNode(true, node)
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
    expect(identity(world)).toMatchObject({ incarnation: '1' })
    expect(world.brokers.retired.size).toBe(0)
  })

  test('after it was: the disk is replaced all the same', async () => {
    const world = await three()
    const node = nodeOf(world)
    world.brokers.onlyCopies = ['orders-0']
    world.nodes.deleteNode(node)
    await world.converge()
    world.nodes.tellNode(true, node)
    world.brokers.onlyCopies = []
    world.clock.advance(60_000)
    await world.converge()
    expectReplaced(world, 'NodeGone')
  })
})
