import { beforeEach, describe, expect, test } from 'vitest'
import { SimClock } from '../../../../sim/clock.ts'
import { IoThrottle } from './throttle.ts'

const mebibyte = 1024 * 1024

let clock: SimClock
let rate: number
let throttle: IoThrottle
beforeEach(() => {
  clock = new SimClock()
  rate = 1000
  throttle = new IoThrottle(clock, () => rate)
})

/** Begins to spend; `done` tells whether it may go on. */
function spending(bytes: number, check = () => {}) {
  const spent = { done: false }
  void throttle.spend(bytes, check).then(() => (spent.done = true))
  return spent
}

test('what is spent is waited for, and time before it counts for nothing', async () => {
  await clock.run(60_000)
  const first = spending(2000)
  await clock.run(1900)
  expect(first.done).toBe(false)
  await clock.run(200)
  expect(first.done).toBe(true)
  const second = spending(1000)
  await clock.run(800)
  expect(second.done).toBe(false)
  await clock.run(200)
  expect(second.done).toBe(true)
})

describe('log.cleaner.io.max.bytes.per.second that was a mistake, once it is corrected', () => {
  test('is waited for no longer', async () => {
    rate = 10
    const spent = spending(mebibyte / 2)
    await clock.run(60_000)
    expect(spent.done).toBe(false)
    rate = 10 * mebibyte
    await clock.run(500)
    expect(spent.done).toBe(true)
  })

  test('holds up nothing that comes after it', async () => {
    rate = 10
    const gaveUp = throttle.spend(mebibyte / 2, () => {
      throw new Error('it is to end')
    })
    await expect(gaveUp).rejects.toThrow('it is to end')
    rate = 10 * mebibyte
    const next = spending(mebibyte)
    await clock.run(500)
    expect(next.done).toBe(true)
  })

  test.each([Number.MAX_VALUE, Infinity, NaN, 0, -1])('%s is no limit', async none => {
    rate = 10
    const spent = spending(mebibyte)
    await clock.run(1000)
    rate = none
    await clock.run(250)
    expect(spent.done).toBe(true)
    await throttle.spend(mebibyte, () => {})
  })
})

test('a rate that is lowered holds for what is still owed', async () => {
  const spent = spending(2000)
  await clock.run(1000)
  rate = 100
  await clock.run(9000)
  expect(spent.done).toBe(false)
  await clock.run(1500)
  expect(spent.done).toBe(true)
})
