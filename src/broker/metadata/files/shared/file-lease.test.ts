import { describe, expect, test } from 'vitest'
import { SimClock } from '../../../../../sim/clock.ts'
import { SimDisk } from '../../../../../sim/disk.ts'
import { utf8 } from '../../../../lib/bytes.ts'
import type { TenureLease } from '../../tenure-lease.ts'
import { fileLease } from './file-lease.ts'

const path = '/m/lease'
const gently = { force: false }

class World {
  readonly clock = new SimClock()
  readonly disk = new SimDisk()

  constructor() {
    this.disk.mkdir(path)
  }

  /** Of a process: another start of the same broker is another one. */
  lease(brokerId: number, start = 0): TenureLease {
    const { disk, clock } = this
    const incarnationId = `${brokerId}/${start}`
    return fileLease({
      disk,
      clock,
      path,
      temporary: `${brokerId}.tmp`,
      brokerId,
      incarnationId,
    })
  }

  get names(): string[] {
    return this.disk.list(path)
  }
}

/** Renews it as the keeper of an office does. */
function keep({ clock }: World, lease: TenureLease): void {
  clock.every(2_000, () => void lease.renew())
}

describe('the lease of a shared folder', () => {
  test('is held while its counter rises, and given back', async () => {
    const world = new World()
    const [one, other] = [world.lease(0), world.lease(1)]
    expect(await other.observe()).toEqual({ isHeld: false, isMine: false, holder: null })
    expect(await one.acquire(gently)).toBe(true)
    keep(world, one)
    await world.clock.run(60_000)
    expect(await one.renew()).toBe(true)
    expect(world.names).toEqual(['00000000000000000032'])
    expect(await other.acquire(gently)).toBe(false)
    expect(await other.observe()).toEqual({
      isHeld: true,
      isMine: false,
      holder: { brokerId: 0 },
    })
    await one.release()
    expect(await other.acquire(gently)).toBe(true)
    expect(await one.renew()).toBe(false)
  })

  test('of a process that stands still is overtaken after ten seconds of the observer’s own clock', async () => {
    const world = new World()
    const stopped = world.lease(0)
    await stopped.acquire(gently)
    // It does nothing any more, and its locks stay with it.
    await world.clock.run(3_600_000)
    const other = world.lease(1)
    expect(await other.acquire(gently)).toBe(false)
    await world.clock.run(9_999)
    expect(await other.acquire(gently)).toBe(false)
    expect(await other.observe()).toMatchObject({ isHeld: true, holder: { brokerId: 0 } })
    await world.clock.run(1)
    expect(await other.observe()).toMatchObject({ isHeld: false, holder: { brokerId: 0 } })
    expect(await other.acquire(gently)).toBe(true)
    // It goes on, and finds out.
    expect(await stopped.renew()).toBe(false)
    expect(await stopped.observe()).toMatchObject({ isHeld: true, isMine: false })
  })

  test('is not held by who could not renew it for six seconds, before others may take it', async () => {
    const world = new World()
    const lease = world.lease(0)
    await lease.acquire(gently)
    world.disk.rename('/m', '/away')
    await world.clock.run(5_999)
    expect(await lease.renew()).toBe(true)
    await world.clock.run(1)
    expect(await lease.renew()).toBe(false)
    await expect(lease.acquire(gently)).rejects.toMatchObject({ name: 'StoreUnavailable' })
    world.disk.rename('/away', '/m')
    expect(await lease.renew()).toBe(true)
  })

  test('can be taken by force, and the one before does not take it back by renewing', async () => {
    const world = new World()
    const [one, other] = [world.lease(0), world.lease(1)]
    await one.acquire(gently)
    for (const each of [one, other]) keep(world, each)
    expect(await other.acquire({ force: true })).toBe(true)
    await world.clock.run(30_000)
    expect([await one.renew(), await other.renew()]).toEqual([false, true])
  })

  test('is its broker’s again after a crash, without a wait', async () => {
    const world = new World()
    const before = world.lease(0)
    await before.acquire(gently)
    const after = world.lease(0, 1)
    expect(await after.observe()).toMatchObject({ isHeld: true, isMine: false })
    expect(await after.acquire(gently)).toBe(true)
    expect(await after.observe()).toMatchObject({ isHeld: true, isMine: true })
  })

  test.each(['', '{', '[]', '{"format":1,"counter":7}', '{"brokerId":"x","incarnationId":"y"}'])(
    'that a power loss left as %j is nobody’s',
    async text => {
      const world = new World()
      const file = world.disk.open(`${path}/00000000000000000007`, 'create')
      file.write(0, [utf8(text)])
      file.close()
      expect(await world.lease(0).observe()).toMatchObject({ isHeld: false, holder: null })
      expect(await world.lease(0).acquire(gently)).toBe(true)
      expect(world.names).toEqual(['00000000000000000008'])
    },
  )
})
