import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OffsetIndex } from './offset-index.ts'
import { TimeIndex } from './time-index.ts'

const rising = (max: number) =>
  fc
    .uniqueArray(fc.integer({ min: 1, max }), { maxLength: 60 })
    .map(values => values.toSorted((a, b) => a - b))

test('a look-up by offset or position finds what a linear search finds', () => {
  fc.assert(
    fc.property(rising(500), fc.integer({ min: 0, max: 600 }), (values, wanted) => {
      const index = new OffsetIndex()
      for (const value of values) index.push(value, value * 3)
      const expected = values.findLastIndex(value => value <= wanted)
      expect(index.byOffset(wanted)).toBe(expected)
      expect(index.byPosition(wanted)).toBe(values.findLastIndex(value => value * 3 <= wanted))
    }),
  )
})

test('offsets and positions above 2^31 stay what they are', () => {
  const index = new OffsetIndex()
  index.push(0x7fff_ffff, 0xffff_fff0)
  expect([index.relativeOffsetAt(0), index.positionAt(0)]).toEqual([0x7fff_ffff, 0xffff_fff0])
})

test('no batch before the floor of a time has that time or a later one', () => {
  const batch = fc.record({ timestamp: fc.integer({ min: 0, max: 50 }), isIndexed: fc.boolean() })
  fc.assert(
    fc.property(
      fc.array(batch, { maxLength: 60 }),
      fc.integer({ min: 0, max: 55 }),
      (batches, wanted) => {
        const index = new TimeIndex()
        let newest = -1
        for (const [offset, { timestamp, isIndexed }] of batches.entries()) {
          if (isIndexed && newest >= 0) index.push(newest, offset)
          newest = Math.max(newest, timestamp)
        }
        const floor = index.floor(wanted)
        expect(batches.slice(0, floor).every(({ timestamp }) => timestamp < wanted)).toBe(true)
      },
    ),
  )
})
