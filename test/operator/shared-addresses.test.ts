import { describe, expect, test } from 'vitest'
import type { LogClusterSpecInput } from '../../src/operator/crd/cluster.ts'
import type { Pod } from '../../src/operator/kubernetes/objects.ts'
import { created, minimal, World } from './world.ts'

type Advertised = NonNullable<
  NonNullable<NonNullable<LogClusterSpecInput['listeners']>[number]['expose']>['advertised']
>

/** Pools `main` and `other` of as many brokers as are given. */
function pools(counts: readonly number[], advertised?: Advertised): LogClusterSpecInput {
  const [pool] = minimal.pools
  return {
    ...minimal,
    listeners: [
      { name: 'internal', port: 9092 },
      { name: 'outside', port: 9094, expose: { ...(advertised && { advertised }) } },
    ],
    pools: counts.map((brokers, at) => ({ ...pool!, name: ['main', 'other'][at]!, brokers })),
  }
}

const bySlot: Advertised = { host: 'kafka-{slot}.example.com' }

async function go(world: World, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await world.pass()
    world.nodes.tick()
    world.clock.advance(1000)
  }
}

describe('one address for several brokers', () => {
  test.each([
    ['of two pools by their slots', pools([1, 1], bySlot), 'kafka-0.example.com:9094'],
    ['of a pool', pools([3], { host: '{pool}.example.com' }), 'main.example.com:9094'],
    [
      'by a port of the slot',
      pools([1, 1], { host: 'kafka.example.com', port: '{9100+slot}' }),
      'kafka.example.com:9100',
    ],
  ])('(%s) is told before anything is made', async (_, spec, address) => {
    const world = new World()
    world.apply(spec)
    await go(world, 3)
    expect(world.condition('Ready')).toBe('False AddressShared')
    expect(world.condition('Degraded')).toBe('True AddressShared')
    expect(world.message('Ready')).toContain(
      `Listener outside tells clients one address, ${address}, of several brokers: orders-main-0, orders-`,
    )
    expect(world.message('Ready')).toContain('put {brokerId} or {broker} into the host')
    expect(world.api.writes).toEqual(['apply status LogCluster orders'])
    world.apply(pools([1, 1], { host: 'kafka-{brokerId}.example.com' }))
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
  })

  test('keeps what runs as it is, until addresses differ again', async () => {
    const world = await created(pools([3]))
    const podsOf = (): unknown => world.api.all<Pod>('Pod').map(({ metadata }) => metadata.uid)
    const before = podsOf()
    const starts = world.nodes.starts.length
    world.apply(pools([3], { host: '{pool}.example.com' }))
    await go(world, 30)
    expect(world.condition('Degraded')).toBe('True AddressShared')
    expect(world.condition('ConfigApplied')).toBe('False AddressShared')
    expect(world.condition('Ready')).toBe('True Serving')
    expect(world.condition('Progressing')).toBe('False Idle')
    expect(podsOf()).toEqual(before)
    expect(world.nodes.starts).toHaveLength(starts)
    world.apply(pools([3], { host: '{pool}-{slot}.example.com' }))
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
    expect(world.nodes.starts.length).toBe(starts + 3)
  })

  test('of a pool that is added starts no broker there, and the others serve on', async () => {
    const world = await created(pools([1], bySlot))
    world.apply(pools([1, 1], bySlot))
    await go(world, 20)
    expect(world.condition('Degraded')).toBe('True AddressShared')
    expect(world.has('StatefulSet', 'orders-main-0')).toBe(true)
    expect(world.has('StatefulSet', 'orders-other-0')).toBe(false)
  })

  test('of a pool that takes the place of another is told while that leaves', async () => {
    const world = await created(pools([1], bySlot))
    const next = pools([0, 1], bySlot)
    world.apply({ ...next, pools: next.pools.slice(1) })
    await go(world, 20)
    expect(world.condition('Degraded')).toBe('True AddressShared')
    expect(world.has('StatefulSet', 'orders-other-0')).toBe(false)
    expect(world.has('StatefulSet', 'orders-main-0')).toBe(true)
  })

  test('because two share a node is told, and nothing is held up by it', async () => {
    const atNodes = (port?: string): LogClusterSpecInput => {
      const expose = { type: 'NodePort' as const, ...(port && { advertised: { port } }) }
      return { ...pools([3]), listeners: [{ name: 'internal', port: 9092, expose }] }
    }
    const world = new World()
    world.nodes.nodePort = 30_992
    world.apply(atNodes())
    await world.converge()
    world.nodes.addressOf = ({ metadata: { name } }) =>
      name.startsWith('orders-main-2') ? '10.0.0.2' : '10.0.0.1'
    world.apply(atNodes('9094'))
    await world.converge()
    expect(world.condition('Degraded')).toBe('True AddressShared')
    expect(world.message('Degraded')).toContain(
      'one address, 10.0.0.1:9094, of several brokers: orders-main-0, orders-main-1.',
    )
    expect(world.condition('ConfigApplied')).toBe('True Applied')
    world.apply(atNodes('{9100+brokerId}'))
    await world.converge()
    expect(world.condition('Stable')).toBe('True Stable')
  })
})
