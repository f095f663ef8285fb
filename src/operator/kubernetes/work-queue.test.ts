import { describe, expect, test } from 'vitest'
import { WorkQueue } from './work-queue.ts'

const newQueue = (): WorkQueue => new WorkQueue(() => 1, { msMin: 100, msMax: 1000 })

describe('a work queue', () => {
  test('gives each key once, in the order in which they came', () => {
    const queue = newQueue()
    for (const key of ['b', 'a', 'b', 'a']) queue.add(key, 0)
    expect(queue.take(5)).toEqual({ key: 'b', waitedMs: 5 })
    expect(queue.take(7)).toEqual({ key: 'a', waitedMs: 7 })
    expect(queue.take(8)).toBeNull()
    expect(queue.counts).toEqual({ adds: 4, retries: 0 })
  })

  test('never gives a key that is being worked on, and gives it again after that', () => {
    const queue = newQueue()
    queue.add('a', 0)
    queue.take(0)
    queue.add('a', 10)
    queue.add('a', 11)
    expect(queue.take(20)).toBeNull()
    queue.succeeded('a', 30, 60_000)
    expect(queue.take(31)).toEqual({ key: 'a', waitedMs: 1 })
    queue.succeeded('a', 32, null)
    expect(queue.take(1e9)).toBeNull()
  })

  test('gives a failed key after pauses that grow, and begins anew after a success', () => {
    const queue = newQueue()
    queue.add('a', 0)
    queue.take(0)
    expect(queue.failed('a', 0)).toBe(100)
    expect(queue.failingCount).toBe(1)
    expect(queue.nextAtMs).toBe(100)
    expect(queue.take(99)).toBeNull()
    expect(queue.take(100)?.key).toBe('a')
    expect(queue.failed('a', 100)).toBe(200)
    queue.take(300)
    queue.succeeded('a', 300, null)
    queue.add('a', 301)
    queue.take(301)
    expect(queue.failed('a', 301)).toBe(100)
    expect(queue.counts.retries).toBe(3)
  })

  test('gives a key when it was asked to, or at once where something happens before', () => {
    const queue = newQueue()
    queue.add('a', 0)
    queue.take(0)
    queue.succeeded('a', 0, 5000)
    expect(queue.nextAtMs).toBe(5000)
    queue.add('a', 10)
    expect(queue.nextAtMs).toBe(Infinity)
    expect(queue.take(10)?.key).toBe('a')
    queue.succeeded('a', 10, 5000)
    expect(queue.take(5009)).toBeNull()
    expect(queue.take(5012)).toEqual({ key: 'a', waitedMs: 2 })
  })

  test('tells what is due, running and since when', () => {
    const queue = newQueue()
    queue.add('a', 0)
    queue.add('b', 0)
    queue.take(3)
    expect([queue.depth, queue.runningCount, [...queue.running]]).toEqual([1, 1, [['a', 3]]])
  })
})
