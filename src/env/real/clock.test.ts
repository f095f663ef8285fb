import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { realClock } from './clock.ts'

// These fake timers treat long delays as Node does: above 2^31 - 1 they fire after 1 ms.
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const delays = [2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32, 3 * 2 ** 31 + 7]

for (const delayMs of delays) {
  test(`waits ${delayMs} ms, and not 1`, () => {
    let count = 0
    realClock.after(delayMs, () => count++)
    vi.advanceTimersByTime(delayMs - 1)
    expect(count).toBe(0)
    vi.advanceTimersByTime(1)
    expect(count).toBe(1)
    vi.advanceTimersByTime(2 * delayMs)
    expect(count).toBe(1)
  })

  test(`beats every ${delayMs} ms`, () => {
    let count = 0
    const timer = realClock.every(delayMs, () => count++)
    vi.advanceTimersByTime(delayMs - 1)
    expect(count).toBe(0)
    vi.advanceTimersByTime(1)
    expect(count).toBe(1)
    vi.advanceTimersByTime(delayMs)
    expect(count).toBe(2)
    timer.cancel()
    vi.advanceTimersByTime(2 * delayMs)
    expect(count).toBe(2)
  })
}

test.each([2 ** 53, 2 ** 63, Infinity])('%d ms never come, and cost nothing meanwhile', delayMs => {
  let count = 0
  const timers = [realClock.after(delayMs, () => count++), realClock.every(delayMs, () => count++)]
  vi.advanceTimersByTime(2 ** 33)
  expect([count, vi.getTimerCount()]).toEqual([0, 2])
  for (const timer of timers) timer.cancel()
  expect(vi.getTimerCount()).toBe(0)
})

test('a long wait is called off between two of its steps', () => {
  let count = 0
  const timer = realClock.after(2 ** 32, () => count++)
  vi.advanceTimersByTime(2 ** 31)
  timer.cancel()
  vi.advanceTimersByTime(2 ** 33)
  expect(count).toBe(0)
})
