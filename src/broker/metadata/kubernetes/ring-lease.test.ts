import { describe, expect, test } from 'vitest'
import { SimClock } from '../../../../sim/clock.ts'
import { SimKubernetes } from '../../../../sim/kubernetes-objects.ts'
import type { Timer } from '../../../env/clock.ts'
import type { NamedObjects } from '../../../kubernetes/named-objects.ts'
import { RingLease } from './ring-lease.ts'

const name = 'orders-controller'

class World {
  readonly api = new SimKubernetes()
  readonly clock = new SimClock()
  readonly warnings: string[] = []

  constructor() {
    this.api.post('Lease', name, { spec: {} })
  }

  lease(identity: string, objects: NamedObjects = this.api.client()): RingLease {
    const { clock } = this
    return new RingLease({ objects, name, identity, clock, warn: text => this.warnings.push(text) })
  }

  get spec(): Readonly<Record<string, unknown>> {
    return this.api.object('Lease', name)!['spec'] as Readonly<Record<string, unknown>>
  }
}

const gently = { force: false }

/** Renews it as the keeper of an office does. */
function keep({ clock }: World, lease: RingLease): Timer {
  return clock.every(2_000, () => void lease.renew())
}

describe('the lease of the ring', () => {
  test('is kept by renewing it every two seconds, and given back', async () => {
    const world = new World()
    const lease = world.lease('broker-0')
    expect(await lease.acquire(gently)).toBe(true)
    expect(world.spec).toEqual({
      holderIdentity: 'broker-0',
      leaseDurationSeconds: 10,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 1,
    })
    const renewal = keep(world, lease)
    await world.clock.run(60_000)
    renewal.cancel()
    expect(world.spec).toMatchObject({ renewTime: '2026-01-01T00:01:00.000000Z' })
    expect(world.api.writeCount).toBe(1 + 30)
    expect(await world.lease('broker-1').acquire(gently)).toBe(false)
    await lease.release()
    expect(await world.lease('broker-1').acquire(gently)).toBe(true)
    expect(world.spec).toMatchObject({ holderIdentity: 'broker-1', leaseTransitions: 2 })
  })

  test('of one that is gone is taken when it has not changed here for ten seconds, whatever its times say', async () => {
    const world = new World()
    const gone = world.lease('broker-0')
    await gone.acquire(gently)
    // Long ago by the other's clock, and for the first time here.
    await world.clock.run(3_600_000)
    const lease = world.lease('broker-1')
    expect(await lease.acquire(gently)).toBe(false)
    await world.clock.run(9_999)
    expect(await lease.acquire(gently)).toBe(false)
    expect(await lease.observe()).toEqual({
      isHeld: true,
      isMine: false,
      holder: { brokerId: 0 },
    })
    await world.clock.run(1)
    expect(await lease.observe()).toMatchObject({ isHeld: false, isMine: false })
    expect(await lease.acquire(gently)).toBe(true)
  })

  test('that changed, by anybody, counts anew', async () => {
    const world = new World()
    const before = world.lease('broker-0')
    await before.acquire(gently)
    keep(world, before)
    const lease = world.lease('broker-1')
    for (let seconds = 0; seconds < 30; seconds += 5) {
      expect(await lease.acquire(gently)).toBe(false)
      await world.clock.run(5_000)
    }
  })

  test('is its broker’s again after a crash, without a wait', async () => {
    const world = new World()
    const before = world.lease('broker-0')
    await before.acquire(gently)
    expect(await world.lease('broker-0').acquire(gently)).toBe(true)
    expect(world.spec).toMatchObject({ leaseTransitions: 1 })
  })

  test('is taken by force where that is asked for; the one before learns of it', async () => {
    const world = new World()
    const before = world.lease('broker-0')
    await before.acquire(gently)
    expect(await world.lease('broker-1').acquire({ force: true })).toBe(true)
    expect(await before.renew()).toBe(false)
    expect(await before.renew()).toBe(false)
    expect(world.spec).toMatchObject({ holderIdentity: 'broker-1' })
    await before.release()
    expect(world.spec).toMatchObject({ holderIdentity: 'broker-1' })
  })

  test('ends six seconds after the last renewal was sent, not after it was answered', async () => {
    const world = new World()
    const client = world.api.client()
    let answersAfterMs = 0
    const lease = world.lease('broker-0', {
      ...client,
      update: async (kind, object) => {
        const reply = await client.update(kind, object)
        if (answersAfterMs > 0) {
          await new Promise<void>(resolve => world.clock.after(answersAfterMs, resolve))
        }
        return reply
      },
    })
    await lease.acquire(gently)
    answersAfterMs = 5_000
    const renewed = lease.renew()
    await world.clock.run(5_000)
    expect(await renewed).toBe(true)
    world.api.isReachable = false
    answersAfterMs = 0
    await world.clock.run(999)
    expect(await lease.renew()).toBe(true)
    await world.clock.run(1)
    expect(await lease.renew()).toBe(false)
  })

  test('that a silent API may have given is seen at the next look', async () => {
    const world = new World()
    const lease = world.lease('broker-0')
    world.api.updateFaults.push('applied')
    expect(await lease.acquire(gently)).toBe(false)
    expect(await lease.acquire(gently)).toBe(true)
    world.api.isReachable = false
    await expect(lease.acquire(gently)).rejects.toMatchObject({ name: 'StoreUnavailable' })
  })

  test('that somebody deleted holds nobody up, and is not made by a broker', async () => {
    const world = new World()
    world.api.delete('Lease', name)
    expect(await world.lease('broker-0').acquire(gently)).toBe(true)
    expect(world.api.object('Lease', name)).toBe(undefined)
    expect(world.warnings).toHaveLength(1)
  })

  test('that somebody deletes under its holder stays with it, unwritten, and is written again once it is made', async () => {
    const world = new World()
    const lease = world.lease('broker-0')
    await lease.acquire(gently)
    keep(world, lease)
    world.api.delete('Lease', name)
    await world.clock.run(60_000)
    expect(await lease.renew()).toBe(true)
    expect(await lease.observe()).toEqual({
      isHeld: false,
      isMine: true,
      holder: null,
      isMissing: true,
    })
    expect(await world.lease('broker-1').observe()).toMatchObject({
      isMine: false,
      isMissing: true,
    })
    world.api.post('Lease', name, { spec: {} })
    await world.clock.run(2_000)
    expect(world.spec).toMatchObject({ holderIdentity: 'broker-0' })
    expect(await lease.renew()).toBe(true)
  })

  test('that is made again and taken by another is lost to who went on unwritten', async () => {
    const world = new World()
    world.api.delete('Lease', name)
    const lease = world.lease('broker-0')
    expect(await lease.acquire(gently)).toBe(true)
    expect(await lease.renew()).toBe(true)
    world.api.post('Lease', name, { spec: {} })
    expect(await world.lease('broker-1').acquire(gently)).toBe(true)
    expect(await lease.renew()).toBe(false)
    expect(world.spec).toMatchObject({ holderIdentity: 'broker-1' })
  })

  test('that does not exist ends with the API as one that does', async () => {
    const world = new World()
    world.api.delete('Lease', name)
    const lease = world.lease('broker-0')
    await lease.acquire(gently)
    world.api.isReachable = false
    await world.clock.run(6_000)
    expect(await lease.renew()).toBe(false)
  })
})
