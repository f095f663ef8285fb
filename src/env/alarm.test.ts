import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SimClock } from '../../sim/clock.ts'
import { Alarm } from './alarm.ts'

test('rings at the earliest of what it was given, whatever came first, and never twice for one', () => {
  const delays = fc.array(fc.oneof(fc.nat(1000), fc.constantFrom(2 ** 40, 2 ** 63, Infinity)))
  fc.assert(
    fc.property(delays, due => {
      const clock = new SimClock()
      const rung: number[] = []
      const alarm = new Alarm(clock, () => rung.push(clock.monotonic()))
      for (const atMs of due) alarm.ringBy(atMs)
      clock.advance(1000)
      const first = Math.min(...due)
      expect(rung).toEqual(first <= 1000 ? [first] : [])
    }),
  )
})

test('after it rang, and after it was called off, it takes any time again', () => {
  const clock = new SimClock()
  const rung: number[] = []
  const alarm = new Alarm(clock, () => rung.push(clock.monotonic()))
  alarm.ringBy(10)
  clock.advance(20)
  alarm.ringBy(500)
  alarm.cancel()
  clock.advance(1000)
  alarm.ringBy(2000)
  alarm.ringBy(5)
  clock.advance(0)
  clock.advance(5000)
  expect(rung).toEqual([10, 1020])
})

test('who is rung may give the next time at once', () => {
  const clock = new SimClock()
  let count = 0
  const alarm: Alarm = new Alarm(clock, () => {
    if (++count < 3) alarm.ringBy(clock.monotonic() + 100)
  })
  alarm.ringBy(100)
  clock.advance(1000)
  expect(count).toBe(3)
})
