import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { addInt64, concat, fromUtf8 } from '../../../lib/bytes.ts'
import { crc32c } from '../../../lib/crc32c.ts'
import {
  batchOverheadBytes,
  checkCrc,
  codecOf,
  encodeBatch,
  hasDeleteHorizon,
  lastOffset,
  readBatchHeader,
  readTimestamps,
  type BatchInput,
} from '../batch/batch.ts'
import { encodeRecords, RecordCursor, type RecordInput } from '../batch/records.ts'
import { doCodecWork } from '../compression/codec-work.ts'
import { Compaction } from './compaction.ts'
import type { KeepRules } from './keep-rules.ts'

const seed = new Uint8Array(16)
const nowMs = 1_700_000_000_000
const dayMs = 86_400_000

const rules: KeepRules = {
  mappedTo: 1000,
  upToOffset: 1000,
  nowMs,
  isTimeKnown: true,
  deleteRetentionMs: dayMs,
  producerEnds: new Map(),
}

/** What compaction leaves of a segment of these batches, all of them mapped. */
function compact(batches: readonly Uint8Array[], over: Partial<KeepRules> = {}): Uint8Array {
  const bytes = concat(batches)
  const compaction = new Compaction()
  const chunk = () => ({ bytes, position: 0, leftBytes: bytes.length, fromOffset: 0 })
  compaction.begin({ keys: { slots: 1000, keysMax: 900, seed }, fromOffset: 0 })
  const mapped = compaction.map(chunk())
  expect(mapped).toMatchObject({ damage: null, isFull: false, usedBytes: bytes.length })
  compaction.keep({ ...rules, ...over })
  compaction.beginSegment({ baseOffset: 0, indexIntervalBytes: 4096 })
  const filtered = compaction.filter(chunk())
  expect(filtered.damage).toBe(null)
  return concat(filtered.parts)
}

interface Found {
  readonly offset: number
  readonly key: string
  readonly value: string | null
  readonly timestampMs: number | bigint
}

function headersOf(bytes: Uint8Array) {
  const headers = []
  for (let at = 0; at < bytes.length;) {
    const header = readBatchHeader(bytes, at)
    expect(checkCrc(bytes, at, header, crc32c)).toBe(true)
    headers.push({ ...header, at })
    at += header.sizeBytes
  }
  return headers
}

function recordsOf(bytes: Uint8Array): Found[] {
  const found: Found[] = []
  for (const { at, ...header } of headersOf(bytes)) {
    const packed = bytes.subarray(at + batchOverheadBytes, at + header.sizeBytes)
    const codec = codecOf(header)
    const outputBytesMax = 1e6
    const payload =
      codec === 0
        ? packed
        : doCodecWork({ kind: 'open', codec: codec as 1, bytes: packed, outputBytesMax })
    const { baseTimestamp } = readTimestamps(bytes, at)
    const cursor = new RecordCursor(payload, header.count)
    while (cursor.next()) {
      found.push({
        offset: header.baseOffset + cursor.offsetDelta,
        key: fromUtf8(cursor.key!),
        value: cursor.value === null ? null : fromUtf8(cursor.value),
        timestampMs: addInt64(baseTimestamp, cursor.exactTimestampDelta),
      })
    }
  }
  return found
}

function batch(
  baseOffset: number,
  records: readonly RecordInput[],
  over: Partial<BatchInput> = {},
) {
  return encodeBatch({ records, baseOffset, baseTimestamp: nowMs, leaderEpoch: 3, ...over })
}

const codecs: Record<string, (records: readonly RecordInput[]) => BatchInput['records']> = {
  none: records => records,
  gzip: records => ({ codec: 1, bytes: gzipSync(encodeRecords(records)), count: records.length }),
  zstd: records => ({
    codec: 4,
    bytes: zstdCompressSync(encodeRecords(records)),
    count: records.length,
  }),
}

describe.each(Object.keys(codecs))('a batch of codec %s', name => {
  const packed = (baseOffset: number, records: readonly RecordInput[]) =>
    batch(baseOffset, [], {
      records: codecs[name]!(records),
      lastOffsetDelta: records.length - 1,
      maxTimestamp: nowMs + 9,
    })

  test('keeps the last record of each key, with offsets, times, epoch and codec', () => {
    const records = [
      { key: 'a', value: '0', timestampDelta: 9 },
      { key: 'b', value: '1', timestampDelta: 5, headers: [{ key: 'h', value: 'x' }] },
      { key: 'a', value: '2', timestampDelta: 7 },
    ]
    const first = packed(10, records)
    const left = compact([first, packed(13, [{ key: 'a', value: '3', timestampDelta: 9 }])])
    expect(recordsOf(left)).toEqual([
      { offset: 11, key: 'b', value: '1', timestampMs: nowMs + 5 },
      { offset: 13, key: 'a', value: '3', timestampMs: nowMs + 9 },
    ])
    const [header] = headersOf(left)
    const before = readBatchHeader(first, 0)
    expect(header).toMatchObject({
      baseOffset: 10,
      lastOffsetDelta: 2,
      leaderEpoch: 3,
      count: 1,
      maxTimestamp: nowMs + 5,
      attributes: before.attributes,
    })
  })

  test('that keeps all is what it was, byte for byte', () => {
    const batches = [
      packed(0, [
        { key: 'a', value: '1' },
        { key: 'b', value: '2' },
      ]),
    ]
    expect(compact(batches)).toEqual(concat(batches))
  })
})

describe('a tombstone', () => {
  const records = [
    { key: 'a', value: '0', timestampDelta: -4 },
    { key: 'b', value: null, timestampDelta: 6 },
  ]

  test('stays, and its batch says when it may go', () => {
    const left = compact([batch(0, records), batch(2, [{ key: 'a', value: null }])])
    const [first] = headersOf(left)
    expect(hasDeleteHorizon(first!)).toBe(true)
    expect(first!.baseTimestamp).toBe(nowMs + dayMs)
    expect(recordsOf(left)).toEqual([
      { offset: 1, key: 'b', value: null, timestampMs: nowMs + 6 },
      { offset: 2, key: 'a', value: null, timestampMs: nowMs },
    ])
  })

  test('goes at that time and not before, and what stands beside it stays', () => {
    const once = compact([batch(0, records)])
    const at = (ms: number) => recordsOf(compact([once], { nowMs: ms })).map(({ key }) => key)
    expect(at(nowMs + dayMs - 1)).toEqual(['a', 'b'])
    expect(at(nowMs + dayMs)).toEqual(['a'])
    // The time is kept, not begun anew.
    const twice = compact([once], { nowMs: nowMs + dayMs - 1 })
    expect(headersOf(twice)[0]!.baseTimestamp).toBe(nowMs + dayMs)
    expect(recordsOf(compact([once], { nowMs: nowMs + dayMs }))[0]!.timestampMs).toBe(nowMs - 4)
  })

  test('neither goes nor is given its time by a clock that is not believed', () => {
    const unknown = { isTimeKnown: false }
    const fresh = batch(0, records)
    expect(compact([fresh], unknown)).toEqual(fresh)
    const once = compact([fresh])
    const later = { nowMs: nowMs + 400 * dayMs }
    expect(compact([once], { ...later, ...unknown })).toEqual(once)
    expect(recordsOf(compact([once], later)).map(({ key }) => key)).toEqual(['a'])
  })

  test('is removed by a later record of its key at once', () => {
    expect(recordsOf(compact([batch(0, records), batch(2, [{ key: 'b', value: 'x' }])]))).toEqual([
      { offset: 0, key: 'a', value: '0', timestampMs: nowMs - 4 },
      { offset: 2, key: 'b', value: 'x', timestampMs: nowMs },
    ])
  })

  test('of a time that no double holds keeps it', () => {
    const baseTimestamp = 1_700_000_000_000_000_123n
    const left = compact([
      batch(0, [{ key: 'a', value: null, timestampDelta: 1 }], { baseTimestamp }),
    ])
    expect(recordsOf(left)[0]!.timestampMs).toBe(baseTimestamp + 1n)
  })
})

describe('a batch of which no record stays', () => {
  const old = batch(
    0,
    [
      { key: 'a', value: '1' },
      { key: 'a', value: '2' },
    ],
    {
      producerId: 7,
      producerEpoch: 2,
      baseSequence: 40,
      maxTimestamp: nowMs + 3,
    },
  )
  const newer = batch(2, [{ key: 'a', value: '3' }])

  test('goes', () => {
    expect(headersOf(compact([old, newer])).map(({ baseOffset }) => baseOffset)).toEqual([2])
  })

  test('leaves its header where it is the last of its producer', () => {
    const left = compact([old, newer], { producerEnds: new Map([[7, 1]]) })
    const [header] = headersOf(left)
    expect(header).toMatchObject({
      baseOffset: 0,
      lastOffsetDelta: 1,
      sizeBytes: batchOverheadBytes,
      producerId: 7,
      producerEpoch: 2,
      baseSequence: 40,
      maxTimestamp: nowMs + 3,
      baseTimestamp: -1,
      leaderEpoch: 3,
      count: 0,
    })
    // And again: it is what it was.
    expect(compact([left], { producerEnds: new Map([[7, 1]]) })).toEqual(left)
    expect(headersOf(compact([left]))).toHaveLength(1)
  })

  test('leaves its header where it is the last of the range', () => {
    // The range ends before the record that makes it superfluous, as after a partial map.
    const left = compact([old, newer], { upToOffset: 2 })
    expect(headersOf(left).map(({ count }) => count)).toEqual([0, 1])
  })
})

test('records without a key go: an ordinary topic became a compacted one', () => {
  const left = compact([
    batch(0, [
      { key: null, value: 'x' },
      { key: 'a', value: 'y' },
    ]),
  ])
  expect(recordsOf(left).map(({ offset }) => offset)).toEqual([1])
})

test('append times stay what they were', () => {
  const over = { logAppendTime: true, maxTimestamp: nowMs + 77 }
  const left = compact([
    batch(
      0,
      [
        { key: 'a', value: '1' },
        { key: 'b', value: '2' },
      ],
      over,
    ),
    batch(2, [{ key: 'a', value: '3' }], over),
  ])
  expect(headersOf(left)[0]).toMatchObject({ count: 1, maxTimestamp: nowMs + 77, attributes: 8 })
})

test('what the map says nothing of stays as it is', () => {
  const batches = [
    batch(0, [
      { key: 'a', value: '1' },
      { key: 'a', value: '2' },
    ]),
    batch(2, [
      { key: 'b', value: null },
      { key: 'b', value: '2' },
    ]),
    batch(4, [{ key: 'c', value: '1' }], { control: true }),
  ]
  expect(
    compact(batches, { mappedTo: 2 }).subarray(-batches[1]!.length - batches[2]!.length),
  ).toEqual(concat(batches.slice(1)))
})

test('markers stay, whatever their keys', () => {
  const marker = batch(0, [{ key: 'a', value: null }], { control: true })
  const batches = [marker, batch(1, [{ key: 'a', value: '1' }])]
  expect(compact(batches)).toEqual(concat(batches))
})

describe('a map that is full', () => {
  const batches = [
    batch(0, [
      { key: 'a', value: '1' },
      { key: 'b', value: '2' },
    ]),
    batch(2, [
      { key: 'a', value: '3' },
      { key: 'c', value: '4' },
    ]),
  ]

  function mapOf(keysMax: number) {
    const bytes = concat(batches)
    const compaction = new Compaction()
    compaction.begin({ keys: { slots: 100, keysMax, seed }, fromOffset: 0 })
    return compaction.map({ bytes, position: 0, leftBytes: bytes.length, fromOffset: 0 })
  }

  test('ends behind the last batch whose keys all fit', () => {
    expect(mapOf(2)).toMatchObject({ isFull: true, mappedTo: 2, utilization: 1 })
    expect(mapOf(3)).toMatchObject({ isFull: false, mappedTo: 4 })
    expect(mapOf(1)).toMatchObject({ isFull: true, mappedTo: 0 })
  })
})

describe('damage is told with its place', () => {
  const batches = [batch(0, [{ key: 'a', value: '1' }]), batch(1, [{ key: 'b', value: '2' }])]
  const second = batches[0]!.length

  function damageOf(change: (bytes: Uint8Array) => Uint8Array) {
    const bytes = change(concat(batches))
    const compaction = new Compaction()
    compaction.begin({ keys: { slots: 100, keysMax: 90, seed }, fromOffset: 0 })
    return compaction.map({ bytes, position: 0, leftBytes: bytes.length, fromOffset: 0 }).damage
  }

  test.each<[string, (bytes: Uint8Array) => Uint8Array, RegExp]>([
    ['a flipped bit', bytes => (bytes.fill(0x55, second + 65, second + 66), bytes), /CRC/],
    ['another magic', bytes => (bytes.fill(1, second + 16, second + 17), bytes), /magic/],
    ['an offset that falls', bytes => (bytes.fill(0, second, second + 8), bytes), /goes on/],
    ['a torn end', bytes => bytes.subarray(0, -3), /ends inside a batch/],
    ['a torn header', bytes => bytes.subarray(0, second + 20), /ends inside a header/],
    ['zeros', bytes => (bytes.fill(0, second), bytes), /magic/],
  ])('%s', (_, change, reason) => {
    const damage = damageOf(change)
    expect(damage?.position).toBe(second)
    expect(damage?.reason).toMatch(reason)
  })

  test('records that do not parse', () => {
    const bad = batch(0, [], {
      records: { codec: 0, bytes: new Uint8Array(5).fill(0x7f), count: 2 },
    })
    expect(damageOf(() => bad)?.reason).toMatch(/does not parse/)
    const torn = batch(0, [], { records: { codec: 4, bytes: new Uint8Array(5), count: 2 } })
    expect(damageOf(() => torn)?.position).toBe(0)
  })
})

test('a batch that is not whole in its chunk is asked for with its size', () => {
  const bytes = concat([batch(0, [{ key: 'a', value: 'x'.repeat(200) }])])
  const compaction = new Compaction()
  compaction.begin({ keys: { slots: 100, keysMax: 90, seed }, fromOffset: 0 })
  const part = (length: number) => ({
    bytes: bytes.slice(0, length),
    position: 0,
    leftBytes: bytes.length,
    fromOffset: 0,
  })
  expect(compaction.map(part(30))).toMatchObject({ usedBytes: 0, wantedBytes: batchOverheadBytes })
  expect(compaction.map(part(100))).toMatchObject({ usedBytes: 0, wantedBytes: bytes.length })
  expect(compaction.map(part(bytes.length))).toMatchObject({ usedBytes: bytes.length, mappedTo: 1 })
})

test('the caches of a new segment speak of it', () => {
  const batches = Array.from({ length: 20 }, (_, at) =>
    batch(at * 2, [{ key: `k${at}`, value: 'x'.repeat(50) }], { lastOffsetDelta: 1 }),
  )
  const bytes = concat(batches)
  const compaction = new Compaction()
  const chunk = { bytes, position: 0, leftBytes: bytes.length, fromOffset: 0 }
  compaction.begin({ keys: { slots: 100, keysMax: 90, seed }, fromOffset: 0 })
  compaction.map(chunk)
  compaction.keep(rules)
  compaction.beginSegment({ baseOffset: 0, indexIntervalBytes: 300 })
  const { parts } = compaction.filter(chunk)
  // Nothing was made anew: it is one view of what was given.
  expect(parts).toHaveLength(1)
  expect(parts[0]!.buffer).toBe(bytes.buffer)
  const caches = compaction.endSegment()
  expect(caches.endOffset).toBe(lastOffset(readBatchHeader(batches[19]!, 0)) + 1)
  expect(caches.newest).toEqual({ timestampMs: nowMs, batchOffset: 0 })
  expect(caches.offsets.length).toBeGreaterThan(60)
})
