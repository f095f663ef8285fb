import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromHex, hex } from '../../lib/bytes.ts'
import type { GroupRecord, GroupValue, OffsetValue } from './groups/records.ts'
import { WireError } from '../wire/wire-error.ts'
import { decodeGroupRecord, encodeGroupRecord } from './record-format.ts'
import { uuidText, zeroUuid } from '../../lib/uuid.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const bytes = fc.uint8Array({ maxLength: 40 })
const long = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const someBytes = '000102030405060708090a0b0c0d0e0f'
const someId = uuidText(fromHex(someBytes))
const int = fc.integer({ min: -1, max: 2 ** 31 - 1 })

const offsetValue: fc.Arbitrary<OffsetValue> = fc.record({
  offset: long,
  topicId: fc.constantFrom(zeroUuid, someId),
  leaderEpoch: int,
  metadata: text,
  commitTimeMs: long,
  expireTimeMs: fc.constant(-1),
})

const groupValue: fc.Arbitrary<GroupValue> = fc.record({
  protocolType: text,
  generation: int,
  protocol: fc.option(text),
  leaderId: fc.option(text),
  stateTimeMs: long,
  members: fc.array(
    fc.record({
      memberId: text,
      instanceId: fc.option(text),
      clientId: text,
      clientHost: text,
      rebalanceTimeoutMs: long.map(ms => ms % 2 ** 31),
      sessionTimeoutMs: long.map(ms => ms % 2 ** 31),
      subscription: bytes,
      assignment: bytes,
    }),
    { maxLength: 4 },
  ),
})

const record: fc.Arbitrary<GroupRecord> = fc.oneof(
  fc.record({
    type: fc.constant('offset' as const),
    groupId: text,
    topic: text,
    partition: int,
    value: fc.option(offsetValue),
  }),
  fc.record({ type: fc.constant('group' as const), groupId: text, value: fc.option(groupValue) }),
)

test('what is written is read', () => {
  fc.assert(
    fc.property(record, one => {
      const { key, value } = encodeGroupRecord(one)
      expect(decodeGroupRecord(key, value)).toEqual(one)
    }),
  )
})

test('a commit with an expiry of its own keeps it, in the one version that can', () => {
  const value = {
    topicId: zeroUuid,
    offset: 5,
    leaderEpoch: -1,
    metadata: '',
    commitTimeMs: 1,
    expireTimeMs: 9,
  }
  const encoded = encodeGroupRecord({
    type: 'offset',
    groupId: 'g',
    topic: 't',
    partition: 0,
    value,
  })
  expect(hex(encoded.value!.subarray(0, 2))).toBe('0001')
  expect(decodeGroupRecord(encoded.key, encoded.value)).toMatchObject({ value })
})

test('a commit looks as Kafka writes it', () => {
  const value = {
    topicId: zeroUuid,
    offset: 7,
    leaderEpoch: 3,
    metadata: 'm',
    commitTimeMs: 258,
    expireTimeMs: -1,
  }
  const encoded = encodeGroupRecord({
    type: 'offset',
    groupId: 'g',
    topic: 't',
    partition: 2,
    value,
  })
  expect(hex(encoded.key)).toBe('0001' + '000167' + '000174' + '00000002')
  expect(hex(encoded.value!)).toBe(
    '0003' + '0000000000000007' + '00000003' + '00016d' + '0000000000000102',
  )
})

test('a commit of a topic by its id looks as Kafka writes it', () => {
  const value = { offset: 7, leaderEpoch: 3, metadata: 'm', commitTimeMs: 258, expireTimeMs: -1 }
  const encoded = encodeGroupRecord({
    type: 'offset',
    groupId: 'g',
    topic: 't',
    partition: 2,
    value: { ...value, topicId: someId },
  })
  // Compact text, then one tag, 0, of 16 bytes.
  expect(hex(encoded.value!)).toBe(
    '0004' + '0000000000000007' + '00000003' + '026d' + '0000000000000102' + '010010' + someBytes,
  )
})

test('a group looks as Kafka writes it', () => {
  const member = {
    memberId: 'm',
    instanceId: null,
    clientId: 'c',
    clientHost: '/h',
    rebalanceTimeoutMs: 2,
    sessionTimeoutMs: 1,
    subscription: Uint8Array.of(1, 2),
    assignment: Uint8Array.of(3),
  }
  const value = {
    protocolType: 'p',
    generation: 1,
    protocol: 'r',
    leaderId: 'm',
    stateTimeMs: 4,
    members: [member],
  }
  const encoded = encodeGroupRecord({ type: 'group', groupId: 'g', value })
  expect(hex(encoded.key)).toBe('0002' + '000167')
  expect(hex(encoded.value!)).toBe(
    '0003' +
      '000170' +
      '00000001' +
      '000172' +
      '00016d' +
      '0000000000000004' +
      '00000001' +
      '00016d' +
      'ffff' +
      '000163' +
      '00022f68' +
      '00000002' +
      '00000001' +
      '000000020102' +
      '0000000103',
  )
})

test('older and newer values are read: v0 without times, v4 with a topic id', () => {
  const key = fromHex('0000' + '000167' + '000174' + '00000002')
  const v0 = fromHex('0000' + '0000000000000007' + '0000' + '0000000000000001')
  expect(decodeGroupRecord(key, v0)).toMatchObject({ value: { offset: 7, leaderEpoch: -1 } })
  const v4 = fromHex(
    '0004' +
      '0000000000000007' +
      '00000003' +
      '01' +
      '0000000000000001' +
      '0100' +
      '10' +
      '11'.repeat(16),
  )
  expect(decodeGroupRecord(key, v4)).toMatchObject({ value: { offset: 7, leaderEpoch: 3 } })
})

test("records of Kafka's newer groups are none of ours", () => {
  for (const key of ['0003000167', '000f', '', '00']) {
    expect(decodeGroupRecord(fromHex(key), null)).toBeNull()
  }
})

test('what does not fit is a WireError, whatever it is', () => {
  const key = fromHex('0001' + '000167' + '000174' + '00000002')
  expect(() => decodeGroupRecord(key, fromHex('0063'))).toThrow(WireError)
  fc.assert(
    fc.property(fc.constantFrom('0000', '0001', '0002'), bytes, bytes, (version, rest, value) => {
      try {
        decodeGroupRecord(Uint8Array.of(...fromHex(version), ...rest), value)
      } catch (error) {
        expect(error).toBeInstanceOf(WireError)
      }
    }),
  )
})
