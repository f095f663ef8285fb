import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crc32c } from '../../../lib/crc32c.ts'
import {
  batchOverheadBytes,
  checkCrc,
  codecOf,
  encodeBatch,
  hasLogAppendTime,
  isControl,
  isTransactional,
  lastOffset,
  lastSequence,
  readBatchHeader,
  stampAppendTime,
  stampBatch,
} from './batch.ts'

const two = {
  baseTimestamp: 1_700_000_000_000,
  records: [
    { key: 'a', value: 'one' },
    { value: 'two', timestampDelta: 5 },
  ],
}

describe('readBatchHeader', () => {
  test('reads what encodeBatch wrote, at any place', () => {
    const batch = encodeBatch({
      ...two,
      producerId: 4_000_000_007,
      producerEpoch: 3,
      baseSequence: 9,
    })
    const bytes = new Uint8Array(batch.length + 7)
    bytes.set(batch, 7)
    expect(readBatchHeader(bytes, 7)).toMatchObject({
      baseOffset: 0,
      sizeBytes: batch.length,
      leaderEpoch: -1,
      magic: 2,
      attributes: 0,
      lastOffsetDelta: 1,
      baseTimestamp: 1_700_000_000_000,
      maxTimestamp: 1_700_000_000_005,
      producerId: 4_000_000_007,
      producerEpoch: 3,
      baseSequence: 9,
      count: 2,
    })
  })

  test('shows every attribute', () => {
    const plain = readBatchHeader(encodeBatch(two), 0)
    expect([
      codecOf(plain),
      isControl(plain),
      isTransactional(plain),
      hasLogAppendTime(plain),
    ]).toEqual([0, false, false, false])
    const payload = { codec: 4, bytes: new Uint8Array(3), count: 2 }
    const flags = { logAppendTime: true, transactional: true, control: true }
    const all = readBatchHeader(encodeBatch({ records: payload, ...flags }), 0)
    expect([codecOf(all), isControl(all), isTransactional(all), hasLogAppendTime(all)]).toEqual([
      4,
      true,
      true,
      true,
    ])
  })

  test('wraps the last sequence from 2^31-1 to 0', () => {
    const header = readBatchHeader(encodeBatch({ ...two, baseSequence: 0x7fff_ffff }), 0)
    expect(lastSequence(header)).toBe(0)
    expect(lastSequence({ ...header, baseSequence: 0x7fff_fffe })).toBe(0x7fff_ffff)
  })

  test('never throws on 61 arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 61, maxLength: 80 }), bytes => {
        const header = readBatchHeader(bytes, 0)
        for (const value of Object.values(header)) expect(Number.isInteger(value)).toBe(true)
        checkCrc(bytes, 0, header, crc32c)
      }),
    )
  })
})

describe('stamps', () => {
  test('offset and leader epoch leave the CRC as it was', () => {
    const batch = encodeBatch(two)
    stampBatch(batch, 0, 2 ** 40 + 5, 77)
    const header = readBatchHeader(batch, 0)
    expect(header).toMatchObject({ baseOffset: 2 ** 40 + 5, leaderEpoch: 77 })
    expect(lastOffset(header)).toBe(2 ** 40 + 6)
    expect(checkCrc(batch, 0, header, crc32c)).toBe(true)
  })

  test('append time sets type and maxTimestamp, and makes the CRC right again', () => {
    const bytes = new Uint8Array(300)
    bytes.set(encodeBatch(two), 100)
    stampAppendTime(bytes, 100, 1_800_000_000_123, crc32c)
    const header = readBatchHeader(bytes, 100)
    expect(header).toMatchObject({
      maxTimestamp: 1_800_000_000_123,
      baseTimestamp: 1_700_000_000_000,
    })
    expect(hasLogAppendTime(header)).toBe(true)
    expect(checkCrc(bytes, 100, header, crc32c)).toBe(true)
  })

  test('every flipped bit under the CRC is seen', () => {
    const batch = encodeBatch(two)
    const header = readBatchHeader(batch, 0)
    for (let bit = 21 * 8; bit < batch.length * 8; bit++) {
      batch[bit >> 3]! ^= 1 << (bit & 7)
      expect(checkCrc(batch, 0, header, crc32c)).toBe(false)
      batch[bit >> 3]! ^= 1 << (bit & 7)
    }
  })

  test('a batch that is not whole has no right CRC', () => {
    const batch = encodeBatch(two)
    const header = readBatchHeader(batch, 0)
    expect(checkCrc(batch.subarray(0, -1), 0, header, crc32c)).toBe(false)
    expect(checkCrc(batch, 0, { ...header, sizeBytes: batchOverheadBytes - 1 }, crc32c)).toBe(false)
  })
})
