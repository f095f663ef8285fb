import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, equal, fromHex, hex } from '../../../lib/bytes.ts'
import { encodeRecords, readRecords, RecordCursor, RecordError } from './records.ts'

const someBytes = fc.uint8Array({ maxLength: 80 })
const someRecord = fc.record({
  offsetDelta: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  timestampDelta: fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 }),
  key: fc.option(someBytes),
  value: fc.option(someBytes),
  headers: fc.array(fc.record({ key: someBytes, value: fc.option(someBytes) }), { maxLength: 4 }),
})

const read = (payload: Uint8Array, count: number) => [...readRecords(payload, { count })]

/** A record of one byte of value, with any part replaced; its length is made right. */
function record(
  parts: Partial<Record<'attributes' | 'time' | 'offset' | 'key' | 'value' | 'headers', string>>,
) {
  const {
    attributes = '00',
    time = '00',
    offset = '00',
    key = '01',
    value = '0278',
    headers = '00',
  } = parts
  const body = fromHex(attributes + time + offset + key + value + headers)
  return concat([Uint8Array.of(body.length * 2), body])
}

describe('readRecords', () => {
  test('gives back what was encoded', () => {
    fc.assert(
      fc.property(fc.array(someRecord, { maxLength: 20 }), records => {
        const back = read(encodeRecords(records), records.length)
        expect(plain(back)).toEqual(plain(records))
      }),
    )
  })

  test('gives views, not copies', () => {
    const payload = encodeRecords([{ key: 'k', value: 'v', headers: [{ key: 'h', value: 'w' }] }])
    const [only] = read(payload, 1)
    for (const part of [
      only!.key!,
      only!.value!,
      only!.headers[0]!.key,
      only!.headers[0]!.value!,
    ]) {
      expect(part.buffer).toBe(payload.buffer)
    }
  })

  test('is lazy: what comes before the fault is given', () => {
    const payload = concat([encodeRecords([{ value: 'a' }]), Uint8Array.of(0x80)])
    const records = readRecords(payload, { count: 2 })
    expect(records.next().value).toMatchObject({ offsetDelta: 0 })
    expect(() => records.next()).toThrow(RecordError)
  })

  test('reads the extremes of a timestamp delta, rounded where a number must', () => {
    const min = record({ time: 'ffffffffffffffffff01' })
    const max = record({ time: 'feffffffffffffffff01' })
    expect(read(min, 1)[0]!.timestampDelta).toBe(-(2 ** 63))
    expect(read(max, 1)[0]!.timestampDelta).toBe(2 ** 63)
    expect(read(record({ offset: 'ffffffff0f' }), 1)[0]!.offsetDelta).toBe(-(2 ** 31))
    expect(read(record({ offset: 'feffffff0f' }), 1)[0]!.offsetDelta).toBe(2 ** 31 - 1)
  })

  test.each([
    ['more records than there are', '', 1],
    ['fewer records than there are', hex(record({})), 0],
    ['a record of length 0', '00', 1],
    ['a negative length', '01', 1],
    ['a length past the end', 'fe7f00', 1],
    ['a length that cuts the record', hex(record({})).replace(/^../, '0c'), 1],
    ['a length that is too long', `${hex(record({})).replace(/^../, '10')}00`, 1],
    ['a key length past the record', hex(record({ key: '28' })), 1],
    ['a key length of -2', hex(record({ key: '03' })), 1],
    ['a value length past the record', hex(record({ value: '28' })), 1],
    ['headers that cannot be there', hex(record({ headers: 'feffffff0f' })), 1],
    ['a negative header count', hex(record({ headers: '01' })), 1],
    ['a header without a key', hex(record({ headers: '020101' })), 1],
    ['a header value past the record', hex(record({ headers: '020028' })), 1],
    ['a varint of six bytes', hex(record({ offset: '808080808000' })), 1],
    ['a varint of 33 bits', hex(record({ offset: '8080808010' })), 1],
    ['a varlong of eleven bytes', hex(record({ time: '8080808080808080808000' })), 1],
    ['a varlong of 65 bits', hex(record({ time: '80808080808080808002' })), 1],
  ])('refuses %s', (_, payload, count) => {
    expect(() => read(fromHex(payload), count)).toThrow(RecordError)
  })

  test('never throws anything else, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 100 }),
        fc.integer({ min: -5, max: 30 }),
        (payload, count) => {
          try {
            expect(read(payload, count).length).toBe(Math.max(count, 0))
          } catch (error) {
            expect(error).toBeInstanceOf(RecordError)
          }
        },
      ),
      { numRuns: 3_000 },
    )
  })

  test('and for nearly right bytes neither', () => {
    const records = fc.array(someRecord, { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(records, fc.nat(), fc.integer({ min: 1, max: 255 }), (all, place, by) => {
        const payload = encodeRecords(all)
        payload[place % payload.length]! ^= by
        try {
          read(payload, all.length)
        } catch (error) {
          expect(error).toBeInstanceOf(RecordError)
        }
      }),
      { numRuns: 1_000 },
    )
  })
})

test('RecordCursor walks without making records, and gives parts where asked', () => {
  const cursor = new RecordCursor(
    encodeRecords([{ key: 'ab' }, { timestampDelta: 9, value: '' }]),
    2,
  )
  expect(cursor.next()).toBe(true)
  expect([cursor.index, cursor.keyBytes, cursor.valueBytes]).toEqual([0, 2, -1])
  expect(cursor.next()).toBe(true)
  expect([cursor.index, cursor.offsetDelta, cursor.timestampDelta]).toEqual([1, 1, 9])
  expect(cursor.key).toBeNull()
  expect(equal(cursor.value!, new Uint8Array(0))).toBe(true)
  expect(cursor.headers()).toEqual([])
  expect(cursor.headers()).toEqual([])
  expect(cursor.next()).toBe(false)
})

/** Bytes as hex, so that views and arrays compare. */
function plain(records: readonly object[]): unknown {
  return JSON.parse(
    JSON.stringify(records, (_, value: unknown) =>
      value instanceof Uint8Array ? hex(value) : value,
    ),
  )
}
