import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { brokenRecords, plainRecord } from '../../../test/helpers/broken-records.ts'
import { walkRecords } from '../log/batch/record-walk.ts'
import { nativeForTests } from '../../../test/helpers/native.ts'

const { native } = nativeForTests()

/** Bytes of a number as zigzag varint, with `padding` bytes more than it needs. */
function varint(value: bigint, padding = 0): number[] {
  let raw = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  const bytes: number[] = []
  for (; raw >= 0x80n; raw >>= 7n) bytes.push(Number(raw & 0x7fn) | 0x80)
  bytes.push(Number(raw))
  for (let left = padding; left > 0; left--) {
    bytes[bytes.length - 1]! |= 0x80
    bytes.push(0)
  }
  return bytes
}

const sized = (bytes: Uint8Array | null, padding = 0): number[] =>
  bytes === null ? varint(-1n, padding) : [...varint(BigInt(bytes.length), padding), ...bytes]

const bytes = fc.uint8Array({ maxLength: 200 })
const edges = [0n, -1n, 63n, 64n, 2n ** 31n, 2n ** 53n - 1n, 2n ** 53n + 1n, -(2n ** 53n) - 1n]
const extremes = [2n ** 63n - 1n, -(2n ** 63n)]
const delta = fc.oneof(
  fc.constantFrom(...edges, ...extremes),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: 0n, max: 100_000n }),
)
/** Numbers may be longer than they need be; of 32 bits they have five bytes at most, which is not always kept to. */
const padding = fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.nat(5))

const record = fc.record({
  attributes: fc.nat(255),
  timestamp: delta,
  /** Of its place, mostly nothing. */
  misplacedBy: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.integer()),
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(fc.record({ key: bytes, value: fc.option(bytes) }), { maxLength: 3 }),
  padding,
})

type Parts = typeof record extends fc.Arbitrary<infer T> ? T : never

function encode(parts: Parts, place: number): number[] {
  const body = [
    parts.attributes,
    ...varint(parts.timestamp, parts.padding),
    ...varint(BigInt(place + parts.misplacedBy), parts.padding),
    ...sized(parts.key, parts.padding),
    ...sized(parts.value),
    ...varint(BigInt(parts.headers.length), parts.padding),
    ...parts.headers.flatMap(({ key, value }) => [...sized(key), ...sized(value)]),
  ]
  return [...varint(BigInt(body.length), parts.padding), ...body]
}

const batch = fc
  .array(record, { maxLength: 40 })
  .map(records => records.flatMap((parts, place) => encode(parts, place)))

type Damage = (batch: number[]) => number[]

const at = fc.nat(100_000)
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.tuple(at, fc.nat(7)).map(
    ([place, bit]): Damage =>
      all =>
        all.map((byte, index) => (index === place % all.length ? byte ^ (1 << bit) : byte)),
  ),
  fc.tuple(at, fc.nat(255)).map(
    ([place, byte]): Damage =>
      all =>
        all.toSpliced(place % (all.length + 1), 0, byte),
  ),
  at.map(
    (place): Damage =>
      all =>
        all.slice(0, place % (all.length + 1)),
  ),
  fc.tuple(at, fc.nat(20)).map(
    ([place, count]): Damage =>
      all =>
        all.toSpliced(place % (all.length + 1), count),
  ),
  fc.array(fc.nat(255), { maxLength: 12 }).map((more): Damage => all => [...all, ...more]),
)

/** In memory of its own, so that a sanitizer sees a read beside it. */
function agree(all: readonly number[]): void {
  const exact = Uint8Array.from(all)
  expect(native.walkRecords(exact)).toEqual(walkRecords(exact))
}

describe('the addon walks records as the portable code does', () => {
  test('where they are sound, whatever is in them', () => {
    fc.assert(fc.property(batch, agree), { numRuns: 1000 })
  })

  test('where they are damaged in one place or several', () => {
    fc.assert(
      fc.property(batch, fc.array(damage, { minLength: 1, maxLength: 4 }), (sound, damages) =>
        agree(damages.reduce((all, harm) => harm(all), sound)),
      ),
      { numRuns: 4000 },
    )
  })

  test('where they are noise', () => {
    fc.assert(fc.property(fc.array(fc.nat(255), { maxLength: 60 }), agree), { numRuns: 4000 })
  })

  test('where they are cut anywhere', () => {
    const [sound] = fc.sample(
      batch.filter(all => all.length > 500),
      { seed: 5, numRuns: 1 },
    )
    for (let length = 0; length <= sound!.length; length++) agree(sound!.slice(0, length))
  })

  test.each(brokenRecords)('where there is %s', (_what, record) => {
    agree([...record])
    agree([...plainRecord, ...record])
    agree([...plainRecord, ...record, ...plainRecord])
  })

  test('in a range, which is cut to what is there', () => {
    const [sound] = fc.sample(
      batch.filter(all => all.length > 500),
      { seed: 6, numRuns: 1 },
    )
    const wide = Uint8Array.from([...Array<number>(61).fill(0xff), ...sound!, 1, 2, 3])
    const end = wide.length - 3
    expect(native.walkRecords(wide, 61, end)).toEqual(walkRecords(wide, 61, end))
    expect(native.walkRecords(wide, 61)).toEqual(walkRecords(wide, 61))
    expect(native.walkRecords(wide, 61, wide.length + 9)).toEqual(walkRecords(wide, 61))
    expect(native.walkRecords(wide, end, end)).toEqual(walkRecords(new Uint8Array(0)))
  })

  test('where a batch has millions of them', () => {
    const least = encodeMany(1_000_000)
    const walk = native.walkRecords(least)
    expect(walk).toMatchObject({ count: 1_000_000, isWhole: true, misplacedAt: -1, keylessAt: 0 })
    expect(walk).toEqual(walkRecords(least))
  })
})

function encodeMany(count: number): Uint8Array {
  const parts = { attributes: 0, timestamp: 5n, misplacedBy: 0, key: null, value: null }
  const all: number[] = []
  for (let place = 0; place < count; place++) {
    for (const byte of encode({ ...parts, headers: [], padding: 0 }, place)) all.push(byte)
  }
  return Uint8Array.from(all)
}
