import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../../../helpers/eventually.ts'
import { startControlPlane } from '../../cluster.ts'
import { runPlugin } from '../../plugin.ts'
import { ClusterWorld, furnish, minimal } from './cluster-world.ts'

let plane: Awaited<ReturnType<typeof startControlPlane>>

beforeAll(async () => {
  plane = await startControlPlane({ controllers: true, scheduler: true })
  await furnish(plane)
})

afterAll(() => plane?.[Symbol.asyncDispose]())

const [pool] = minimal.pools

function of(brokers: number) {
  const placement = { host: 'Preferred' as const }
  return { ...minimal, placement, pools: [{ ...pool!, brokers }] }
}

/** A field of an object of the world's namespace, as kubectl prints it. */
async function field(world: ClusterWorld, object: string, path: string): Promise<string> {
  const { stdout } = await world.kubectl(['get', object, '-o', `jsonpath={${path}}`])
  return stdout.trim()
}

describe('disks and brokers on a real API server', () => {
  test('a disk is given up by name, and a broker leaves when it holds nothing', async () => {
    await using world = await ClusterWorld.make(plane, 'disks')
    for (const broker of ['orders-main-1', 'orders-main-2']) await world.addVolume(1, broker)
    await world.addVolume(2, 'orders-main-1')
    world.disks.cluster.places = [{ topic: 't', index: 0, replicas: [2, 0], isMoving: false }]
    world.startOperator()
    await world.apply(of(3))
    await world.stable()
    const retired = await field(world, 'lb/orders-main-1', '.status.directoryId')
    const replace = { spec: { replace: { incarnation: 1 } } }
    await world.kubectl([
      'patch',
      'lb',
      'orders-main-1',
      '--type=merge',
      '-p',
      JSON.stringify(replace),
    ])
    const retiredVolume = (): Promise<string> =>
      field(world, 'lb/orders-main-1', '.status.retiredVolumes[0].reason')
    await eventually('a retired volume', retiredVolume, reason => reason === 'Requested')
    await world.stable()
    expect([...world.brokers.retired]).toEqual([retired])
    expect(await field(world, 'lb/orders-main-1', '.status.incarnation')).toBe('2')
    expect(await field(world, 'lb/orders-main-1', '.status.diskLost')).toBe('')

    await world.apply(of(2))
    await world.stable()
    expect(world.brokers.moves).toEqual([{ topic: 't', index: 0, replicas: [1, 0] }])
    expect(world.brokers.forgotten).toEqual([2])
    const names = ['get', 'lb,sts,pvc', '-o', 'name']
    const { stdout } = await world.kubectl(names)
    expect(stdout).not.toMatch(/(logbroker.*|statefulset.*)\/orders-main-2/)
    expect(stdout).toContain('persistentvolumeclaim/data-orders-main-2-1')

    // Any of them, not only the last; and who left before comes back in its place, with its disk.
    await world.apply({ ...of(2), pools: [{ ...pool!, brokers: 2, withoutSlots: [0] }] })
    await world.stable()
    expect(world.brokers.moves.slice(1)).toEqual([{ topic: 't', index: 0, replicas: [1, 2] }])
    expect(world.brokers.forgotten).toEqual([2, 0])
    const left = await field(world, 'lb', '.items[*].metadata.name')
    expect(left.split(' ').toSorted()).toEqual(['orders-main-1', 'orders-main-2'])
  })

  test('volumes that were left by a deleted namespace have their claims again, and are adopted', async () => {
    await using world = await ClusterWorld.make(plane, 'left')
    for (const broker of ['orders-main-1', 'orders-main-2']) await world.addVolume(1, broker)
    await world.addVolume(2, 'orders-main-1')
    world.startOperator()
    await world.apply(of(3))
    await world.stable()
    // One was replaced before: the disk that it had then is not what it is to have.
    const replace = JSON.stringify({ spec: { replace: { incarnation: 1 } } })
    await world.kubectl(['patch', 'lb', 'orders-main-1', '--type=merge', '-p', replace])
    const incarnation = (): Promise<string> =>
      field(world, 'lb/orders-main-1', '.status.incarnation')
    await eventually('another disk', incarnation, found => found === '2')
    await world.stable()
    const clusterId = await field(world, 'lc/orders', '.status.clusterId')
    const formats = [...world.disks.formats]
    await world.stopOperator()
    await plane.kubectl(['delete', 'namespace', 'left', '--timeout=60s'])
    world.disks.copies = new Map([0, 1, 2].map(id => [id, 10 + id]))

    await plane.kubectl(['create', 'namespace', 'left'])
    const told = (await runPlugin(plane, 'left', ['adopt', 'orders'])).stdout
    expect(told).toContain(
      'orders-main-1: claim data-orders-main-1-2 of volume left-orders-main-1-2',
    )
    expect((await runPlugin(plane, 'left', ['adopt', 'orders'])).stdout).toContain('there already')
    world.startOperator()
    await world.apply(of(3))
    await world.stable()
    expect(await field(world, 'lc/orders', '.status.clusterId')).toBe(clusterId)
    expect(await incarnation()).toBe('2')
    expect(world.disks.formats).toEqual(formats)
    expect(world.disks.filledBy).toEqual([2])
  })
})
