import { expect, test } from 'vitest'
import { sleep } from '../src/env/clock.ts'
import { Prng } from '../src/lib/prng.ts'
import { SimClock } from './clock.ts'

test('timers run in order of time, then of setting, at their time', () => {
  const clock = new SimClock({ startMs: 1_000 })
  const prng = new Prng(3)
  const delays = Array.from({ length: 500 }, () => prng.below(100))
  const ran: [delay: number, at: number, order: number][] = []
  delays.forEach((delay, order) => {
    clock.after(delay, () => ran.push([delay, clock.now(), order]))
  })
  clock.advance(50)
  expect(clock.now()).toBe(1_050)
  clock.advance(50)
  expect(ran).toHaveLength(500)
  expect(ran).toEqual(ran.toSorted((a, b) => a[0] - b[0] || a[2] - b[2]))
  expect(ran.every(([delay, at]) => at === 1_000 + delay)).toBe(true)
  expect(clock.timerCount).toBe(0)
})

test('cancelled timers do not run; periodic ones do until cancelled', () => {
  const clock = new SimClock()
  let beats = 0
  const never = clock.after(5, () => expect.unreachable())
  const beat = clock.every(10, () => {
    beats++
    if (beats === 3) beat.cancel()
  })
  never.cancel()
  clock.advance(100)
  expect(beats).toBe(3)
  expect(clock.nextAtMs).toBeNull()
})

test('soon runs before time moves, and after each timer', () => {
  const clock = new SimClock()
  const ran: string[] = []
  clock.soon(() => {
    ran.push('a')
    clock.soon(() => ran.push('b'))
  })
  clock.after(0, () => clock.soon(() => ran.push('d')))
  clock.after(1, () => ran.push('e'))
  clock.soon(() => ran.push('c'))
  clock.advance(1)
  expect(ran).toEqual(['a', 'c', 'b', 'd', 'e'])
})

test('run lets promises go on between timers', async () => {
  const clock = new SimClock({ startMs: 0 })
  const at: number[] = []
  const walk = async (): Promise<void> => {
    for (let step = 0; step < 5; step++) {
      await sleep(clock, 7)
      at.push(clock.now())
    }
  }
  void walk()
  await clock.run(100)
  expect(at).toEqual([7, 14, 21, 28, 35])
})

test('the wall clock may jump, the monotonic one does not', () => {
  const clock = new SimClock({ startMs: 1_000 })
  clock.advance(10)
  clock.jump(-500)
  expect([clock.now(), clock.monotonic()]).toEqual([510, 10])
})
