import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ApiError } from '../../../../src/operator/kubernetes/api-error.ts'
import type { KubernetesApi } from '../../../../src/operator/kubernetes/api.ts'
import { eventually } from '../../../helpers/eventually.ts'
import { startControlPlane } from '../../cluster.ts'
import { ClusterWorld, furnish, minimal, operatorUser } from './cluster-world.ts'

let plane: Awaited<ReturnType<typeof startControlPlane>>

beforeAll(async () => {
  plane = await startControlPlane({ controllers: true, scheduler: true })
  await furnish(plane)
})

afterAll(() => plane?.[Symbol.asyncDispose]())

const writing = new Set(['create', 'update', 'patch', 'delete'])

/** Writes of the operator since `mark`, but for its Lease. */
function writes(mark: number): string[] {
  return plane.audit
    .since(mark)
    .filter(({ user, verb }) => user.username === operatorUser && writing.has(verb))
    .map(({ verb, objectRef }) => `${verb} ${objectRef?.resource} ${objectRef?.name}`)
    .filter(write => !write.endsWith('leases operator'))
}

/** How the operator asked for the ConfigMaps that it watched since `mark`: a watch is in the log when it has ended. */
function watchesOfConfigMaps(mark: number): string[] {
  return plane.audit
    .since(mark)
    .filter(({ user, verb }) => user.username === operatorUser && verb === 'watch')
    .filter(({ objectRef }) => objectRef?.resource === 'configmaps')
    .map(({ requestURI }) => decodeURIComponent(requestURI))
}

/** Methods of the API that write. */
const writers: ReadonlySet<string> = new Set<keyof KubernetesApi>([
  'create',
  'apply',
  'applyStatus',
  'replace',
  'patch',
  'delete',
])

/** An API whose write number `point` is done, and whose answer never comes: the operator is gone. */
function endingAfter(api: KubernetesApi, point: number, ended: () => void): KubernetesApi {
  let count = 0
  return new Proxy(api, {
    get: (target, method) => {
      const inner = Reflect.get(target, method) as (...args: unknown[]) => Promise<unknown>
      if (!writers.has(String(method))) return inner.bind(target)
      return async (...args: unknown[]) => {
        if (count >= point) throw new ApiError('stopped', { message: 'the operator has ended' })
        const answer = await inner.apply(target, args)
        if (++count === point) {
          ended()
          throw new ApiError('stopped', { message: 'the operator has ended' })
        }
        return answer
      }
    },
  })
}

describe('on a real API server', () => {
  test('a cluster becomes Ready, and then nothing is written any more', async () => {
    await using world = await ClusterWorld.make(plane, 'created')
    world.startOperator()
    await world.apply(minimal)
    await world.kubectl(['wait', '--for=condition=Ready', 'lc/orders', '--timeout=60s'])
    await world.stable()
    const { stdout } = await world.kubectl(['get', 'lc'])
    expect(stdout).toMatch(/orders +True +1\/1 +0\.1\.0 +Running/)
    expect(world.disks.formats).toEqual(['created-1'])
    const mark = plane.audit.mark()
    const before = (await world.cluster())!.metadata.resourceVersion
    const { looks } = world.brokers
    await eventually('ten more passes', () => world.brokers.looks >= looks + 10)
    expect(writes(mark)).toEqual([])
    expect((await world.cluster())!.metadata.resourceVersion).toBe(before)
  })

  test('what a cluster writes into its metadata ring is told to no informer of the operator', async () => {
    const mark = plane.audit.mark()
    await using world = await ClusterWorld.make(plane, 'watched')
    world.startOperator()
    await world.apply(minimal)
    await world.stable()
    const named = async (...scope: readonly string[]): Promise<string[]> => {
      const { stdout } = await world.kubectl(['get', 'configmaps', '-o', 'name', ...scope])
      return stdout.split('\n').filter(name => /orders-(md|snap)-/.test(name))
    }
    const ring = await named()
    expect(ring.length).toBeGreaterThan(0)
    expect(await named('-l', 'app.kubernetes.io/component=metadata')).toEqual(ring)
    await world.stopOperator()
    const asked = await eventually(
      'watches that have ended',
      () => watchesOfConfigMaps(mark),
      found => found.length > 0,
    )
    for (const uri of asked) expect(uri).toContain('app.kubernetes.io/component!=metadata')
  })

  test('the operator ends after each of its writes, and the next one goes on', async () => {
    let point = 0
    for (let isOver = false; !isOver;) {
      point += 1
      await using world = await ClusterWorld.make(plane, `crash-${point}`)
      const end = Promise.withResolvers<void>()
      world.guard = api => endingAfter(api, point, () => end.resolve())
      world.startOperator()
      await world.apply(minimal)
      const first = await Promise.race([
        end.promise.then(() => 'ended' as const),
        world.stable().then(() => 'stable' as const),
      ])
      isOver = first === 'stable'
      await world.stopOperator()
      world.guard = api => api
      world.startOperator()
      await world.stable()
      expect(world.disks.formats, `after write ${point}`).toEqual([`crash-${point}-1`])
      expect(world.kubelet.starts, `after write ${point}`).toHaveLength(1)
    }
    expect(point).toBeGreaterThan(20)
  }, 600_000)

  test('settings without a restart, an image by a check and a restart, a claim that is kept', async () => {
    await using world = await ClusterWorld.make(plane, 'changed')
    world.startOperator()
    await world.apply(minimal)
    await world.stable()
    await world.apply({ ...minimal, config: { 'log.retention.hours': 1 } })
    await world.stable()
    expect(Object.fromEntries(world.disks.configs)).toEqual({ 'log.retention.ms': '3600000' })
    expect(world.kubelet.starts).toHaveLength(1)
    await world.apply({ ...minimal, version: '0.2.0' })
    await world.stable()
    expect(world.kubelet.starts).toHaveLength(2)
    const { stdout } = await world.kubectl(['get', 'pods', '-o', 'name'])
    expect(stdout.trim()).toBe('pod/orders-main-0-0')
    const { clusterId } = (await world.cluster())!.status
    await world.kubectl(['delete', 'lc', 'orders', '--timeout=30s'])
    await eventually(
      'the StatefulSet is gone',
      () => world.kubectl(['get', 'statefulsets,pods', '-o', 'name']),
      ({ stdout: left }) => left.trim() === '',
    )
    await world.apply(minimal)
    await world.stable()
    expect((await world.cluster())!.status.clusterId).toBe(clusterId)
    expect(world.disks.formats).toEqual(['changed-1'])
  })

  test('what only a newer operator renders restarts nobody', async () => {
    await using world = await ClusterWorld.make(plane, 'upgraded')
    world.startOperator()
    await world.apply(minimal)
    await world.stable()
    await world.stopOperator()
    // As an older operator rendered it: without a variable that this one gives.
    const path = '/spec/template/spec/containers/0/env/0'
    const older = JSON.stringify([{ op: 'remove', path }])
    await world.kubectl(['patch', 'statefulset', 'orders-main-0', '--type=json', '-p', older])
    world.startOperator()
    await eventually(
      'the template of this operator',
      () => world.kubectl(['get', 'statefulset', 'orders-main-0', '-o', 'json']),
      ({ stdout }) => stdout.includes('HOST_IP'),
    )
    const { looks } = world.brokers
    await eventually('five more passes', () => world.brokers.looks >= looks + 5)
    await world.stable()
    expect(world.kubelet.starts).toHaveLength(1)
  })

  test('a deletion in the middle of the creation leaves nothing that hangs', async () => {
    await using world = await ClusterWorld.make(plane, 'deleted')
    world.startOperator()
    const spec = structuredClone(minimal)
    const [pool] = spec.pools
    const storage = { ...pool!.storage, retention: { whenDeleted: 'Delete' as const } }
    await world.apply({ ...spec, pools: [{ ...pool!, storage }] })
    await eventually(
      'the claim',
      () => world.kubectl(['get', 'pvc', '-o', 'name']),
      ({ stdout }) => stdout.includes('data-orders-main-0-1'),
    )
    await world.kubectl(['delete', 'lc', 'orders', '--timeout=60s'])
    await eventually(
      'nothing is left',
      () => world.kubectl(['get', 'pvc,statefulsets,pods,configmaps', '-o', 'name']),
      ({ stdout }) => stdout.trim() === 'configmap/kube-root-ca.crt',
    )
  })
})
