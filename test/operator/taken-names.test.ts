import { describe, expect, test } from 'vitest'
import type { LogClusterSpecInput } from '../../src/operator/crd/cluster.ts'
import { ApiError } from '../../src/operator/kubernetes/api-error.ts'
import type { Draft, Stored } from '../../src/operator/kubernetes/objects.ts'
import { clusterLabels } from '../../src/operator/desired/labels.ts'
import { at, created, minimal, World } from './world.ts'

const foreign = (kind: string, name: string, metadata: object = {}): Draft => ({
  apiVersion: 'v1',
  kind,
  metadata: { namespace: at.namespace, name, ...metadata },
})

async function go(world: World, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await world.pass()
    world.nodes.tick()
    world.clock.advance(1000)
  }
}

const monitored: LogClusterSpecInput = { ...minimal, metrics: { monitor: { type: 'PodMonitor' } } }

describe('an object of somebody else, of a name that the cluster needs', () => {
  test.each([
    ['PodDisruptionBudget', 'orders', 'True Serving'],
    ['Service', 'orders-bootstrap', 'True Serving'],
    ['PodMonitor', 'orders', 'True Serving'],
    ['Service', 'orders-brokers', 'False PodMissing'],
    ['ServiceAccount', 'orders-broker', 'False PodMissing'],
    ['Role', 'orders-broker', 'False PodMissing'],
    ['RoleBinding', 'orders-broker', 'False PodMissing'],
    ['StatefulSet', 'orders-main-0', 'False PodMissing'],
  ])('(%s %s) stays as it is, and outlives the cluster', async (kind, name, ready) => {
    const begun = async (): Promise<World> => {
      const world = new World()
      world.api.put(foreign(kind, name, { labels: { app: 'theirs' } }))
      world.nodes.holdStatefulSets = kind === 'StatefulSet'
      world.apply(monitored)
      await go(world, 20)
      return world
    }
    const world = await begun()
    expect(world.get<Stored>(kind, name).metadata).toMatchObject({ resourceVersion: '2' })
    expect(world.message('Degraded')).toContain(
      `${kind} ${name} is there already, and is somebody else's`,
    )
    expect(world.condition('Ready')).toBe(ready)
    world.api.remove('LogCluster', at)
    expect(world.has(kind, name)).toBe(true)
    // Once it is gone, ours takes the place.
    const next = await begun()
    next.api.remove(kind, { namespace: at.namespace, name })
    next.nodes.holdStatefulSets = false
    await go(next, 40)
    await next.converge()
    expect(next.get<Stored>(kind, name).metadata.labels).toMatchObject({
      'logcluster.dev/cluster': 'orders',
    })
    expect(next.condition('Stable')).toBe('True Stable')
  })

  test('is told by whose it is: another LogCluster, an owner, a manager', async () => {
    const world = new World()
    const labels = clusterLabels('orders-x', 'cluster')
    const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop', uid: '1' }
    world.api.put(foreign('Service', 'orders-bootstrap', { labels }))
    world.api.put(foreign('PodDisruptionBudget', 'orders', { ownerReferences: [owner] }))
    world.api.put(
      foreign('PodMonitor', 'orders', { labels: { 'app.kubernetes.io/managed-by': 'Helm' } }),
    )
    world.apply(monitored)
    await go(world, 20)
    const message = world.message('Degraded')
    expect(message).toContain(
      'Service orders-bootstrap is there already, and is that of LogCluster orders-x',
    )
    expect(message).toContain('and is that of Deployment shop')
    expect(message).toContain('and is managed by Helm')
    // And nobody deletes what is none of ours.
    world.apply(minimal)
    await go(world, 40)
    expect(world.has('PodMonitor', 'orders')).toBe(true)
  })

  test('is ours where it lost its labels, or was that of an earlier LogCluster of the name', async () => {
    const world = await created()
    const service = world.get<Stored>('Service', 'orders-bootstrap')
    world.api.put({ ...service, metadata: { ...service.metadata, labels: {} } })
    const budget = world.get<Stored>('PodDisruptionBudget', 'orders')
    const ownerReferences = [{ ...budget.metadata.ownerReferences![0]!, uid: 'of another life' }]
    world.api.put({ ...budget, metadata: { ...budget.metadata, ownerReferences } })
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.get<Stored>('Service', 'orders-bootstrap').metadata.labels).toMatchObject({
      'logcluster.dev/cluster': 'orders',
    })
  })

  test('that came in the place of ours a moment ago is not applied over', async () => {
    const world = await created()
    const service = world.get<Stored>('Service', 'orders-bootstrap')
    const theirs = foreign('Service', 'orders-bootstrap', { labels: { app: 'theirs' } })
    world.api.put({ ...service, spec: {} } as Stored)
    world.api.onWrite = (moment, _, what) => {
      if (moment !== 'before' || !what.startsWith('apply Service orders-bootstrap')) return
      world.api.onWrite = () => {}
      world.api.remove('Service', service.metadata)
      world.api.put(theirs)
    }
    await go(world, 8)
    expect(world.get<Stored>('Service', 'orders-bootstrap').metadata.labels).toEqual({
      app: 'theirs',
    })
  })
})

describe('a name for a broker that another LogCluster has', () => {
  const eu = { ...minimal.pools[0]!, name: 'eu-main' }
  const labels = clusterLabels('orders-eu', 'broker')
  const theirs = (kind: string, name: string): Draft =>
    foreign(kind, name, { labels, annotations: { 'logcluster.dev/cluster-id': 'another' } })
  const objects = [
    ['LogBroker', 'orders-eu-main-0'],
    ['StatefulSet', 'orders-eu-main-0'],
    ['ConfigMap', 'orders-eu-main-0-identity'],
    ['PersistentVolumeClaim', 'data-orders-eu-main-0-1'],
  ] as const

  test.each(objects)(
    '(%s %s) blocks one that begins, before anything is made',
    async (...taken) => {
      const world = new World()
      const [kind, name] = taken
      world.api.put(theirs(kind, name))
      world.nodes.holdStatefulSets = true
      world.apply({ ...minimal, pools: [eu] })
      await go(world, 5)
      expect(world.condition('Ready')).toBe('False NameTaken')
      expect(world.condition('Degraded')).toBe('True NameTaken')
      expect(world.message('Ready')).toContain(
        `${kind} ${name} is that of LogCluster orders-eu, and a broker of pool eu-main would need the name: choose another name`,
      )
      expect(world.api.writes).toEqual(['apply status LogCluster orders'])
      // Under another name it begins.
      world.apply(minimal)
      await go(world, 5)
      expect(world.condition('Ready')).toBe('False PodMissing')
    },
  )

  test('is told of one that begins also where no watch had told of it, and waited for', async () => {
    const world = new World()
    world.apply({ ...minimal, pools: [eu] })
    const identity = objects[2]
    world.api.onWrite = (moment, _, what) => {
      if (moment === 'before' && what === `create ${identity.join(' ')}`) {
        world.api.onWrite = () => {}
        world.api.put(theirs(...identity))
      }
    }
    await go(world, 5)
    expect(world.condition('Degraded')).toBe('True NameTaken')
    expect(world.condition('Ready')).toBe('False NameTaken')
    expect(world.cluster.status.clusterId).toBeUndefined()
    world.api.remove('ConfigMap', { namespace: at.namespace, name: identity[1] })
    await go(world, 40)
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
  })

  test.each(objects)(
    '(%s %s) is told where a pool is added, and the others serve on',
    async (...taken) => {
      const world = await created()
      const [kind, name] = taken
      world.api.put(theirs(kind, name))
      world.nodes.holdStatefulSets = kind === 'StatefulSet'
      world.apply({ ...minimal, pools: [...minimal.pools, eu] })
      await go(world, 20)
      expect(world.condition('Degraded')).toBe('True NameTaken')
      expect(world.message('Degraded')).toContain(
        `${kind} ${name} is there already, and is that of LogCluster orders-eu: choose another name for this LogCluster, or for the pool or the listener that it is for`,
      )
      expect(world.get<Stored>(kind, name).metadata.labels).toEqual(labels)
      expect(world.logBroker.status.conditions?.[0]).toMatchObject({
        type: 'Ready',
        status: 'True',
      })
    },
  )
})

test('a write that is refused before the cluster begins is told, and so is that nothing begins', async () => {
  const world = new World()
  world.apply({ ...minimal, reconciliation: 'Paused' })
  await go(world, 2)
  expect(world.condition('Paused')).toBe('True Paused')
  world.apply(minimal)
  world.api.onWrite = (moment, _, what) => {
    if (moment !== 'before' || !what.startsWith('create ConfigMap orders-md')) return
    const message = 'configmaps is forbidden'
    throw new ApiError('refused', { code: 403, reason: 'Forbidden', message })
  }
  await go(world, 5)
  expect(world.condition('Degraded')).toBe('True Forbidden')
  expect(world.message('Degraded')).toContain('configmaps is forbidden')
  expect(world.condition('StorageHealthy')).toBe('Unknown Creating')
  world.api.onWrite = () => {}
  await go(world, 40)
  await world.converge()
  expect(world.condition('Stable')).toBe('True Stable')
})
