import fc from 'fast-check'
import { expect, test } from 'vitest'
import { batchOf } from '../../../../test/helpers/logs.ts'
import { crc32c } from '../../../lib/crc32c.ts'
import { readBatchHeader } from '../batch/batch.ts'
import { decodeIndexHead, decodeOffsets, decodeTimes, encodeIndex } from './index-file.ts'
import { SegmentIndex } from './segment-index.ts'

function indexOf(count: number): SegmentIndex {
  const index = new SegmentIndex(100)
  let position = 0
  for (let at = 0; at < count; at++) {
    const bytes = batchOf(1, { baseOffset: 100 + at, baseTimestamp: 5000 + at })
    index.note(readBatchHeader(bytes, 0), position, 100)
    position += bytes.length
  }
  return index
}

const of = { baseOffset: 100, endOffset: 140, logBytes: 4000 }

test('what is written is read', () => {
  const index = indexOf(40)
  const bytes = encodeIndex('offsets', index, of, crc32c)
  expect(decodeIndexHead('offsets', bytes, crc32c)).toEqual({
    ...of,
    newest: { timestampMs: 5039, batchOffset: 139 },
    count: index.offsets.count,
  })
  const offsets = decodeOffsets(bytes, crc32c)!
  expect(offsets.count).toBeGreaterThan(5)
  expect(offsets.positionAt(4)).toBe(index.offsets.positionAt(4))
  const times = decodeTimes(encodeIndex('times', index, of, crc32c), crc32c)!
  expect(times.floor(5030)).toBe(index.times.floor(5030))
})

test('a file with any byte changed, cut or added is not believed', () => {
  const whole = encodeIndex('offsets', indexOf(20), of, crc32c)
  const isBelieved = (bytes: Uint8Array) =>
    decodeIndexHead('offsets', bytes, crc32c) !== null && decodeOffsets(bytes, crc32c) !== null
  expect(isBelieved(whole)).toBe(true)
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      // Byte 7 is padding; it says nothing.
      if (at === 7) return
      const changed = whole.slice()
      changed[at]! ^= flip
      expect(isBelieved(changed)).toBe(false)
      expect(isBelieved(whole.slice(0, at))).toBe(false)
    }),
  )
  expect(isBelieved(Uint8Array.from([...whole, 0]))).toBe(false)
  expect(decodeIndexHead('times', whole, crc32c)).toBe(null)
})
