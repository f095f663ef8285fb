import { describe, expect, test } from 'vitest'
import { brokenRecords, plainRecord, sizedRecord } from '../../../../test/helpers/broken-records.ts'
import { concat } from '../../../lib/bytes.ts'
import { walkRecords } from './record-walk.ts'
import { encodeRecords } from './records.ts'

const three = encodeRecords([
  { timestampDelta: 7, key: 'a', value: 'one' },
  { timestampDelta: -3, key: 'b', headers: [{ key: 'h', value: null }] },
  { timestampDelta: 2_000_000_000_000, key: '', value: 'three' },
])

describe('what the records tell', () => {
  test('number, deltas, keys and times', () => {
    expect(walkRecords(three)).toEqual({
      count: 3,
      isWhole: true,
      misplacedAt: -1,
      keylessAt: -1,
      minTimestampDelta: -3,
      maxTimestampDelta: 2_000_000_000_000,
    })
  })

  test('the first that is out of place, and the first without a key', () => {
    const records = encodeRecords([
      { key: 'a' },
      { key: 'b', offsetDelta: 5 },
      { offsetDelta: 2 },
      { offsetDelta: 9 },
    ])
    expect(walkRecords(records)).toMatchObject({ count: 4, misplacedAt: 1, keylessAt: 2 })
  })

  test('of a range of the bytes', () => {
    const bytes = concat([new Uint8Array(61), three, Uint8Array.of(1, 2)])
    const whole = walkRecords(bytes, 61, 61 + three.length)
    expect(whole).toEqual(walkRecords(three))
    expect(walkRecords(bytes, 61)).toMatchObject({ count: 3, isWhole: false })
  })

  test('of none', () => {
    expect(walkRecords(new Uint8Array(0))).toMatchObject({
      count: 0,
      isWhole: true,
      minTimestampDelta: 0,
      maxTimestampDelta: 0,
    })
  })
})

describe('what does not parse ends the walk', () => {
  for (const [what, record] of brokenRecords) {
    test(what, () => {
      expect(walkRecords(record)).toMatchObject({ count: 0, isWhole: false })
      const second = concat([plainRecord, record, plainRecord])
      expect(walkRecords(second)).toMatchObject({ isWhole: false, misplacedAt: -1 })
    })
  }

  test('and such a record is not told of', () => {
    const keyless = sizedRecord(0, 80, 20, 1, 1, 0, 0)
    expect(walkRecords(keyless)).toMatchObject({
      misplacedAt: -1,
      keylessAt: -1,
      maxTimestampDelta: 0,
    })
  })
})

describe('timestamps of 64 bits', () => {
  const withDelta = (...delta: number[]): Uint8Array => sizedRecord(0, ...delta, 0, 1, 1, 0)
  const ff = (count: number): number[] => Array<number>(count).fill(0xff)

  test.each([
    ['2^53 - 1', [0xfe, ...ff(6), 0x1f], Number.MAX_SAFE_INTEGER],
    ['-(2^53 - 1)', [0xfd, ...ff(6), 0x1f], Number.MIN_SAFE_INTEGER],
    ['2^53', [...Array<number>(7).fill(0x80), 0x20], 2n ** 53n],
    ['2^53 + 1', [0x82, ...Array<number>(6).fill(0x80), 0x20], 2n ** 53n + 1n],
    ['2^63 - 1', [0xfe, ...ff(8), 1], 2n ** 63n - 1n],
    ['-2^63', [...ff(9), 1], -(2n ** 63n)],
  ])('%s', (_name, bytes, delta) => {
    const walk = walkRecords(withDelta(...bytes))
    expect(walk).toMatchObject({ count: 1, isWhole: true, minTimestampDelta: delta })
    expect(walk.maxTimestampDelta).toBe(delta)
  })
})
