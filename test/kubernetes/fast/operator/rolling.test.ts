import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../../../helpers/eventually.ts'
import { startControlPlane } from '../../cluster.ts'
import { ClusterWorld, furnish, minimal } from './cluster-world.ts'

let plane: Awaited<ReturnType<typeof startControlPlane>>

beforeAll(async () => {
  plane = await startControlPlane({ controllers: true, scheduler: true })
  await furnish(plane)
})

afterAll(() => plane?.[Symbol.asyncDispose]())

const [pool] = minimal.pools
const three = {
  ...minimal,
  placement: { host: 'Preferred' as const },
  pools: [{ ...pool!, brokers: 3 }],
}

describe('three brokers on a real API server', () => {
  test('are restarted one at a time, without leadership and in sync; a cordoned node is led off', async () => {
    await using world = await ClusterWorld.make(plane, 'rolled')
    for (const broker of ['orders-main-1', 'orders-main-2']) await world.addVolume(1, broker)
    const { cluster } = world.disks
    world.startOperator()
    await world.apply(three)
    await world.stable()
    const before = cluster.elections.length
    await world.apply({ ...three, restartedAt: new Date(Date.now() + 1000).toISOString() })
    await world.stable()
    expect(world.kubelet.starts.slice(3)).toEqual([0, 1, 2].map(id => `orders-main-${id}-0`))
    // Of each broker that leads what prefers it: away, and back.
    expect(cluster.elections.length - before).toBe(6)
    expect(cluster.drained).toEqual([])
    await plane.kubectl(['cordon', 'n1'])
    try {
      await eventually(
        'nobody there leads by choice',
        () => cluster.drained.length,
        count => count === 3,
      )
      const { status } = (await world.cluster())!
      expect(status.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True')
    } finally {
      await plane.kubectl(['uncordon', 'n1'])
    }
    await eventually(
      'all may lead again',
      () => cluster.drained.length,
      count => count === 0,
    )
    await world.stable()
    await eventually(
      'nothing is planned any more',
      async () => (await world.cluster())!.status.plan,
      plan => plan === undefined,
    )
  })

  test('refuse writes before they stop, all of them together, and take them again when all are back', async () => {
    await using world = await ClusterWorld.make(plane, 'slept')
    for (const broker of ['orders-main-1', 'orders-main-2']) await world.addVolume(1, broker)
    const { configs } = world.disks
    const freeze = 'hibernation.freeze.enable'
    const told = async (type: string): Promise<string> => {
      const found = (await world.cluster())!.status.conditions?.find(each => each.type === type)
      return `${found?.status} ${found?.reason}`
    }
    world.startOperator()
    await world.apply(three)
    await world.stable()
    await world.apply({ ...three, state: 'Hibernated' })
    await eventually(
      'nobody runs',
      () => told('Ready'),
      ready => ready === 'False Hibernated',
    )
    expect(configs.get(freeze)).toBe('true')
    await world.apply(three)
    await world.stable()
    expect([configs.has(freeze), world.kubelet.starts.length]).toEqual([false, 6])
    expect(world.disks.formats).toHaveLength(3)
  })

  test('change their passwords without a restart, one state of the Secret after another', async () => {
    await using world = await ClusterWorld.make(plane, 'rotated')
    for (const broker of ['orders-main-1', 'orders-main-2']) await world.addVolume(1, broker)
    let revision = ''
    world.disks.revisionAt = () => revision
    const secret = async (): Promise<Record<string, string>> => {
      const args = ['get', 'secret', 'orders-private', '-n', 'rotated', '-o', 'json']
      const { data } = JSON.parse((await plane.kubectl(args)).stdout) as {
        data: Record<string, string>
      }
      revision = atob(data['revision'] ?? '')
      return data
    }
    world.startOperator()
    await world.apply(three)
    await world.stable()
    const before = await secret()
    await world.apply({ ...three, passwordsRotatedAt: '2026-11-28T08:00:00Z' })
    const after = await eventually('the last state', secret, () => revision === '3')
    expect(Object.keys(after).toSorted()).toEqual(['broker', 'operator', 'revision'])
    expect([
      after['broker'] === before['broker'],
      after['operator'] === before['operator'],
    ]).toEqual([false, false])
    await world.stable()
    expect(world.kubelet.starts).toHaveLength(3)
  })
})
