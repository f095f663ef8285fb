import { expect, test } from 'vitest'
import { RequestMemory, type GatedReader } from './request-memory.ts'

/** A reader that notes whether it may read. */
class Reader implements GatedReader {
  partialBytes = 0
  missingBytes = 0
  mayRead = true

  constructor(partialBytes = 0, missingBytes = 0) {
    this.partialBytes = partialBytes
    this.missingBytes = missingBytes
  }

  setGate(isClosed: boolean): void {
    this.mayRead = !isClosed
  }
}

test('above the limit nobody reads; whoever joins then does not either', () => {
  const memory = new RequestMemory()
  const [a, b, late] = [new Reader(), new Reader(), new Reader()]
  memory.join(a, 100)
  memory.join(b, 100)
  memory.change(100, 0)
  expect([a.mayRead, b.mayRead]).toEqual([true, true])
  memory.change(1, 0)
  memory.join(late, 100)
  expect([a.mayRead, b.mayRead, late.mayRead]).toEqual([false, false, false])
  memory.change(-1, 0)
  expect([a.mayRead, b.mayRead, late.mayRead]).toEqual([true, true, true])
})

test('each limit holds its own listeners back', () => {
  const memory = new RequestMemory()
  const [small, large] = [new Reader(), new Reader()]
  memory.join(small, 100)
  memory.join(large, 1000)
  memory.change(500, 0)
  expect([small.mayRead, large.mayRead]).toEqual([false, true])
})

test('where only begun frames fill the memory, the one that lacks least goes on', () => {
  const memory = new RequestMemory()
  const [far, near, idle] = [new Reader(60, 900), new Reader(60, 10), new Reader()]
  for (const reader of [far, near, idle]) memory.join(reader, 100)
  memory.change(0, 120)
  expect([far.mayRead, near.mayRead, idle.mayRead]).toEqual([false, true, false])
  // It completes: now there is a frame to wait for.
  near.partialBytes = 0
  memory.change(70, -60)
  expect([far.mayRead, near.mayRead]).toEqual([false, false])
  far.partialBytes = 110
  memory.change(0, 50)
  memory.change(-70, 0)
  expect([far.mayRead, near.mayRead]).toEqual([true, false])
  memory.leave(far, 100)
  memory.change(0, -110)
  expect([near.mayRead, idle.mayRead]).toEqual([true, true])
})
