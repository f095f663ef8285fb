import { describe, expect, test } from 'vitest'
import { Prng } from '../../src/lib/prng.ts'
import type { LogBroker } from '../../src/operator/crd/broker.ts'
import type { LogClusterSpecInput } from '../../src/operator/crd/cluster.ts'
import { Crash, created, minimal, reasons, type World } from './world.ts'

const [pool] = minimal.pools
const three: LogClusterSpecInput = { ...minimal, pools: [{ ...pool!, brokers: 3 }] }
const ids = [0, 1, 2]
const at = '2026-11-28T08:00:00Z'
const rotated = { ...three, passwordsRotatedAt: at }

/** What a process sees of the Secret: that of the moment at which kubelet looked last. */
interface Mounted {
  readonly revision: string
  readonly used: string
  readonly taken: readonly string[]
}

function mountedNow(world: World): Mounted {
  const [used, other] = [world.secret('broker'), world.secret('broker.other')]
  const taken = [used, other].filter(each => each !== '')
  return { revision: world.secret('revision'), used, taken }
}

/** Kubelets that are as slow as `sync` is called for their brokers. */
function slowKubelets(world: World) {
  const mounted = new Map(ids.map(id => [id, mountedNow(world)]))
  world.disks.revisionAt = id => mounted.get(id)!.revision
  return {
    sync: (id: number): void => void mounted.set(id, mountedNow(world)),
    /** Pairs of which one would not let the other in. */
    strangers: (): string[] => {
      const all = [...mounted]
      return all.flatMap(([from, { used }]) =>
        all.flatMap(([to, { taken }]) => (taken.includes(used) ? [] : [`${from}>${to}`])),
      )
    },
  }
}

async function go(world: World, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await world.pass()
    world.nodes.tick()
    world.clock.advance(1000)
  }
}

describe('passwords of the private listeners', () => {
  test('are changed once per value, for all principals, and no broker restarts', async () => {
    const world = await created(three)
    const before = ['operator', 'broker'].map(key => world.secret(key))
    world.apply(rotated)
    await world.converge()
    const after = ['operator', 'broker'].map(key => world.secret(key))
    expect(after.every(password => password.length > 40)).toBe(true)
    expect(after.some(password => before.includes(password))).toBe(false)
    expect(['operator.other', 'broker.other'].map(key => world.secret(key))).toEqual(['', ''])
    expect(world.nodes.starts).toHaveLength(3)
    expect(world.condition('Stable')).toBe('True Stable')
    expect(reasons(world).filter(reason => reason === 'PasswordsRotated')).toHaveLength(1)
    const writes = world.api.writes.length
    await world.converge()
    expect(world.api.writes.length).toBe(writes)
  })

  test('go on from one state to the next only when every broker has it, and it is said who has not', async () => {
    const world = await created(three)
    const before = world.secret('broker')
    const kubelets = slowKubelets(world)
    world.apply(rotated)
    await go(world, 8)
    // Both are taken, and the old one is used.
    const next = world.secret('broker.other')
    expect([world.secret('broker'), next === '']).toEqual([before, false])
    for (const id of [0, 2]) kubelets.sync(id)
    await go(world, 8)
    expect(world.secret('broker')).toBe(before)
    expect(world.message('Progressing')).toBe(
      'The passwords of the private listeners are being changed, and it waits: broker orders-main-1 has not read the Secret yet.',
    )
    kubelets.sync(1)
    await go(world, 8)
    expect([world.secret('broker'), world.secret('broker.other')]).toEqual([next, before])
    for (const id of ids) kubelets.sync(id)
    await go(world, 8)
    expect([world.secret('broker'), world.secret('broker.other')]).toEqual([next, ''])
  })

  test('let every broker in at every other whatever order kubelets come in, and wherever the operator ends', async () => {
    for (let seed = 1; seed <= 3; seed++) {
      const random = new Prng(seed)
      const world = await created(three)
      const kubelets = slowKubelets(world)
      world.apply(rotated)
      world.api.onWrite = (_, __, what) => {
        if (what.startsWith('replace Secret') && random.below(3) === 0) throw new Crash()
      }
      for (let step = 0; step < 150; step++) {
        if (random.below(2) === 0) kubelets.sync(random.below(3))
        else await go(world, 1)
        expect(kubelets.strangers(), `seed ${seed}, step ${step}`).toEqual([])
      }
      expect([world.secret('broker.other'), world.secret('revision')], `seed ${seed}`).toEqual([
        '',
        '3',
      ])
    }
  })

  test('of a cluster that begins with a time are new anyway', async () => {
    const world = await created(rotated)
    await go(world, 5)
    expect(world.secret('revision')).toBe('')
  })

  test('stay while a broker does not answer, and are changed at once where none runs', async () => {
    const world = await created(three)
    const show = world.disks.hide()
    world.apply(rotated)
    for (let passes = 0; passes < 5; passes++) await world.pass()
    expect(world.secret('revision')).toBe('')
    show()
    world.apply({ ...rotated, state: 'Hibernated' })
    await world.converge()
    expect(world.secret('broker.other')).toBe('')
    expect(world.secret('revision')).toBe('3')
  })

  test('are changed past a broker whose absence is accepted, unless it answers', async () => {
    const world = await created(three)
    const kubelets = slowKubelets(world)
    const live = world.get<LogBroker>('LogBroker', 'orders-main-1')
    world.api.put({ ...live, spec: { ...live.spec, absence: 'Accepted' } } as typeof live)
    world.apply(rotated)
    const goWithoutOne = async (): Promise<void> => {
      for (let round = 0; round < 3; round++) {
        for (const id of [0, 2]) kubelets.sync(id)
        await go(world, 8)
      }
    }
    await goWithoutOne()
    expect(world.secret('revision')).toBe('1')
    world.disks.mute.add(1)
    world.api.remove('Pod', { namespace: 'streaming', name: 'orders-main-1-0' })
    await goWithoutOne()
    expect([world.secret('broker.other'), world.secret('revision')]).toEqual(['', '3'])
  })
})
