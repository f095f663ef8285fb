import { expect, test } from 'vitest'
import { Waits } from './waits.ts'

test('I-6: who waits for an offset is let go when the watermark is there, and not one before', () => {
  const waits = new Waits()
  for (const [id, offset] of [
    [1, 5],
    [2, 7],
    [3, 6],
  ] as const) {
    waits.add(id, offset)
  }
  const taken = [4, 5, 6, 6].map(offset => waits.takeUpTo(offset).map(({ id }) => id))
  expect(taken).toEqual([[], [1], [3], []])
  waits.delete(2)
  expect(waits.takeUpTo(Infinity)).toEqual([])
})
