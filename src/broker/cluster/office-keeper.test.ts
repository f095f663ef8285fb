import { describe, expect, test } from 'vitest'
import { SimClock } from '../../../sim/clock.ts'
import type { Lease } from '../metadata/store.ts'
import { StoreUnavailable } from '../metadata/store.ts'
import { OfficeKeeper } from './office-keeper.ts'

/** A clock whose process stands still: the time of the world goes on, and no timer runs. */
class StandingClock extends SimClock {
  stoodMs = 0

  override monotonic(): number {
    return super.monotonic() + this.stoodMs
  }
}

class World {
  readonly clock = new StandingClock()
  readonly lost: string[] = []
  readonly renewals: number[] = []
  renew: () => Promise<boolean> = () => Promise.resolve(true)
  isContested = true
  ticks = 0

  keep(): OfficeKeeper {
    const lease = {
      renew: () => {
        this.renewals.push(this.clock.monotonic())
        return this.renew()
      },
    }
    return new OfficeKeeper({
      clock: this.clock,
      lease: lease as Lease,
      acquiredAtMs: this.clock.monotonic(),
      isContested: () => this.isContested,
      onTick: () => this.ticks++,
      onLost: reason => this.lost.push(reason),
    })
  }
}

describe('the lease of an office (1.5)', () => {
  test('is renewed every 2 s, and held as long as that succeeds', async () => {
    const world = new World()
    const keeper = world.keep()
    await world.clock.run(60_000)
    expect([world.renewals.length, keeper.holds, world.lost]).toEqual([30, true, []])
    expect(world.ticks).toBeGreaterThan(250)
    keeper.stop()
    expect([keeper.holds, world.clock.timerCount]).toEqual([false, 0])
  })

  test('is over 6 s after the last renewal that succeeded was sent, however late its answer came', async () => {
    const world = new World()
    const keeper = world.keep()
    // Sent at 2 s, answered at 5 s; those after it are not answered.
    world.renew = () => new Promise(resolve => world.clock.after(3_000, () => resolve(true)))
    await world.clock.run(2_000)
    world.renew = () => Promise.reject(new StoreUnavailable('away'))
    await world.clock.run(5_900)
    expect([keeper.holds, world.lost]).toEqual([true, []])
    await world.clock.run(300)
    expect([keeper.holds, world.lost]).toEqual([false, ['its lease could not be renewed in time']])
  })

  test('is over at once where somebody else has it', async () => {
    const world = new World()
    const keeper = world.keep()
    world.renew = () => Promise.resolve(false)
    await world.clock.run(2_000)
    expect([keeper.holds, world.lost]).toEqual([false, ['another broker has its lease']])
  })

  test('does not hold for an append of a process that stood still, before anything else notices', async () => {
    const world = new World()
    const keeper = world.keep()
    await world.clock.run(10_000)
    world.clock.stoodMs = 8_000
    expect([keeper.holds, world.lost]).toEqual([false, []])
  })

  test('is given up by a loop that stood still for more than 2 s, and not for less', async () => {
    const world = new World()
    world.keep()
    await world.clock.run(1_000)
    world.clock.stoodMs = 1_900
    await world.clock.run(1_000)
    expect(world.lost).toEqual([])
    world.clock.stoodMs += 2_500
    await world.clock.run(1_000)
    expect(world.lost).toEqual([expect.stringMatching(/stood still for 2\d00 ms/)])
  })

  test('is nothing that the only broker of a cluster could lose to silence', async () => {
    const world = new World()
    world.isContested = false
    const keeper = world.keep()
    world.renew = () => Promise.reject(new StoreUnavailable('away'))
    await world.clock.run(60_000)
    expect([keeper.holds, world.lost]).toEqual([true, []])
  })
})
