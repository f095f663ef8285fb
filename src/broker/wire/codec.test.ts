import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, fromHex, hex } from '../../lib/bytes.ts'
import { uuidText } from '../../lib/uuid.ts'
import { closeCodec } from './codec-closures.ts'
import { compileCodec } from './codec-compiler.ts'
import { type Codec, codecFor, decodeRequest, decodeResponse, encodeRequest } from './codec.ts'
import {
  api,
  array,
  bool,
  bytes,
  type Field,
  type Fields,
  float64,
  int8,
  int16,
  int32,
  int64,
  exactInt64,
  nullable,
  records,
  string,
  struct,
  uint16,
  uuid,
} from './field.ts'
import { apis } from './messages/index.ts'
import { elementCountMax, Reader } from './reader.ts'
import { WireError } from './wire-error.ts'
import { Writer } from './writer.ts'

/** No API uses all of the notation, this one does. */
const everything = api({
  key: 999,
  name: 'Everything',
  versions: [0, 3],
  flexible: 2,
  request: {
    flag: bool,
    tiny: int8,
    small: int16.default(-7),
    port: uint16,
    plain: int32.since(1),
    wide: int64,
    real: float64,
    id: uuid,
    text: string.until(2),
    maybeText: nullable(string, 1).default(null),
    blob: bytes,
    maybeBlob: nullable(bytes),
    batches: records,
    numbers: array(int64),
    exact: exactInt64,
    exacts: array(exactInt64),
    maybeTexts: nullable(array(string), 2),
    blobs: array(bytes),
    nested: struct({ a: int32, b: array(struct({ c: nullable(string) })) }),
    maybeNested: nullable(struct({ a: int32 })).default(null),
    taggedNumber: int32.since(2).default(3).tag(5),
    taggedId: uuid.since(3).tag(300),
    taggedTexts: array(string).since(2).tag(1),
    taggedText: nullable(string).since(2).default(null).tag(2),
    taggedStruct: struct({ x: int32.default(-1), y: nullable(bytes).since(3).default(null) })
      .since(2)
      .tag(0),
    taggedMaybe: nullable(struct({ x: float64 }))
      .since(2)
      .default(null)
      .tag(4),
  },
  response: {},
})

const sides = ['request', 'response'] as const
const versionsOf = apis.concat(everything).flatMap(owner => {
  const [min, max] = owner.versions
  return Array.from({ length: max - min + 1 }, (_, at) => ({ owner, version: min + at }))
})
const messages = versionsOf.flatMap(({ owner, version }) =>
  sides.map(side => ({ api: owner, side, version })),
)

function codecsOf(id: (typeof messages)[number]): { compiled: Codec; closed: Codec } {
  return { compiled: codecFor(id, compileCodec), closed: codecFor(id, closeCodec) }
}

/** A tiny first buffer makes the writer grow at every place. */
function encode(codec: Codec, message: unknown): Uint8Array {
  const writer = new Writer(1)
  codec.encode(writer, message)
  return concat(writer.finish() as Uint8Array[])
}

function decode(codec: Codec, bytes: Uint8Array): unknown {
  const reader = new Reader(bytes)
  const message = codec.decode(reader)
  reader.finish()
  return message
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 10 }),
  fc.string({ unit: 'binary', minLength: 25, maxLength: 60 }).map(value => value.toWellFormed()),
)
const blob = fc.uint8Array({ maxLength: 40 })
const scalars: Record<string, fc.Arbitrary<unknown>> = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -0x80, max: 0x7f }),
  int16: fc.integer({ min: -0x8000, max: 0x7fff }),
  uint16: fc.integer({ min: 0, max: 0xffff }),
  int32: fc.integer(),
  int64: fc.oneof(fc.maxSafeInteger(), fc.constantFrom(2 ** 63, -(2 ** 63), 2 ** 60, -(2 ** 60))),
  exactInt64: fc
    .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    .map(value => (Number.isSafeInteger(Number(value)) ? Number(value) : value)),
  float64: fc.double(),
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(uuidText),
  string: text,
  bytes: blob,
  records: blob,
}

/** Messages as `version` can carry them: what it lacks is at its default. */
function messageOf(fields: Fields, version: number): fc.Arbitrary<object> {
  return fc.record(
    Object.fromEntries(
      Object.entries(fields).map(([name, field]) => [
        name,
        field.isIn(version) ? valueOf(field, version) : fc.constant(field.fallback),
      ]),
    ),
    { noNullPrototype: true },
  )
}

function valueOf(field: Field<any, any, boolean>, version: number): fc.Arbitrary<unknown> {
  const { kind, traits, fallback } = field
  const some: fc.Arbitrary<unknown> =
    kind.type === 'struct'
      ? messageOf(kind.fields, version)
      : kind.type === 'array'
        ? fc.array(valueOf(kind.of, version), { maxLength: 3 })
        : scalars[kind.type]!
  const choices = [{ arbitrary: some, weight: 6 }]
  if (version >= traits.nullableFrom) choices.push({ arbitrary: fc.constant(null), weight: 1 })
  if (traits.tagId !== null) choices.push({ arbitrary: fc.constant(fallback), weight: 3 })
  return fc.oneof(...choices)
}

describe('every message in every version', () => {
  test('there are tables to check', () => expect(messages.length).toBeGreaterThan(200))

  test.each(messages)('$api.name $side v$version survives, alike in both codecs', id => {
    const { compiled, closed } = codecsOf(id)
    fc.assert(
      fc.property(messageOf(id.api[id.side], id.version), message => {
        const written = encode(compiled, message)
        expect(hex(written)).toBe(hex(encode(closed, message)))
        expect(decode(compiled, written)).toStrictEqual(message)
        expect(decode(closed, written)).toStrictEqual(message)
      }),
      { numRuns: 12 },
    )
  })

  test.each(messages)('$api.name $side v$version refuses damaged bytes as a WireError', id => {
    const { compiled, closed } = codecsOf(id)
    fc.assert(
      fc.property(messageOf(id.api[id.side], id.version), damage, (message, harm) => {
        const damaged = harm(encode(compiled, message))
        const outcome = outcomeOf(() => decode(compiled, damaged))
        expect(outcomeOf(() => decode(closed, damaged))).toStrictEqual(outcome)
      }),
      { numRuns: 12 },
    )
  })

  test.each(messages)('$api.name $side v$version leaves out what is left out', id => {
    const fields = id.api[id.side]
    const fallbacks = Object.entries(fields).map(([name, field]) => [name, field.fallback])
    const { compiled, closed } = codecsOf(id)
    if (
      fallbacks.some(([name, value]) => value === null && !isNullable(fields[name]!, id.version))
    ) {
      return
    }
    const written = encode(compiled, {})
    expect(hex(written)).toBe(hex(encode(closed, {})))
    expect(decode(compiled, written)).toStrictEqual(Object.fromEntries(fallbacks))
  })
})

function isNullable(field: Field<any, any, boolean>, version: number): boolean {
  return version >= field.traits.nullableFrom
}

/** Cuts, overwrites, inserts, or makes up bytes. */
const damage: fc.Arbitrary<(bytes: Uint8Array) => Uint8Array> = fc.oneof(
  fc.nat(200).map(at => (bytes: Uint8Array) => bytes.slice(0, Math.max(0, bytes.length - 1 - at))),
  fc
    .array(fc.tuple(fc.nat(), fc.constantFrom(0, 1, 0x7f, 0x80, 0xfe, 0xff)), { minLength: 1 })
    .map(changes => (bytes: Uint8Array) => {
      const changed = Uint8Array.from(bytes)
      for (const [at, byte] of changes) changed[at % Math.max(1, bytes.length)] = byte
      return changed
    }),
  fc
    .uint8Array({ minLength: 1, maxLength: 20 })
    .map(tail => (bytes: Uint8Array) => concat([bytes, tail])),
  fc.uint8Array({ maxLength: 100 }).map(bytes => () => bytes),
)

function outcomeOf(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    return 'refused'
  }
}

describe('bytes that claim more than there is', () => {
  const bare = api({
    key: 998,
    name: 'Bare',
    versions: [0, 1],
    flexible: 1,
    request: { rows: array({ name: nullable(string) }) },
    response: {},
  })
  const refuses = (version: number, text: string) =>
    expect(() => decodeRequest(bare, version, fromHex(text), 0))

  test('a count above the bytes left', () => {
    refuses(0, '7fffffff0000').toThrow(/announces 2147483647 elements, 2 bytes are left/)
    refuses(1, 'ffffffff0f00').toThrow(/announces 4294967294 elements/)
  })

  test('a negative count, and a null where none is allowed', () => {
    refuses(0, '80000000').toThrow(WireError)
    refuses(0, 'ffffffff').toThrow(/null/)
    refuses(1, '0000').toThrow(/null/)
  })

  test('a varint without an end', () => {
    refuses(1, 'ffffffffffff').toThrow(/varint/)
    refuses(1, '8080808010').toThrow(/varint/)
  })

  test('a tag that is longer than the message', () => {
    refuses(1, '0101057f00').toThrow(/tag of 127 bytes, 1 are left/)
  })

  test('a tag count above the bytes left', () => {
    refuses(1, '01ffffffff0f').toThrow(/announces 4294967295 elements/)
  })

  test('bytes behind a response, named with message and version', () => {
    const emptyAndMore = fromHex('0000000000')
    expect(() => decodeResponse(bare, 0, emptyAndMore, 0)).toThrow(
      /^Bare response v0 is followed by 5 more bytes/,
    )
  })

  test('not bytes behind a request, which librdkafka 2.16 sends', () => {
    expect(decodeRequest(bare, 0, fromHex('0000000000'), 0)).toEqual(
      decodeRequest(bare, 0, fromHex('00000000'), 0),
    )
  })

  test('more elements than a message may have, though the bytes are there', () => {
    const frame = new Uint8Array(5 + (elementCountMax + 1) * 2)
    const writer = new Writer()
    writer.uvarint(elementCountMax + 2)
    const head = writer.finish()[0] as Uint8Array
    frame.set(head)
    expect(() => decodeRequest(bare, 1, frame, 0)).toThrow(/more than 1000000 elements/)
  })
})

describe('what the codecs do with values', () => {
  const echo = <F extends Fields>(request: F, flexible: number, message: never) => {
    const owner = api({ key: 997, name: 'Echo', versions: [0, 0], flexible, request, response: {} })
    const writer = new Writer()
    encodeRequest(owner, 0, message, writer)
    return decodeRequest(owner, 0, concat(writer.finish() as Uint8Array[]), 0)
  }

  test('an unknown tag is stepped over', () => {
    const owner = api({
      key: 996,
      name: 'Tags',
      versions: [0, 0],
      flexible: 0,
      request: { a: int32.tag(7) },
      response: {},
    })
    const read = decodeRequest(owner, 0, fromHex('03' + '0002abcd' + '070400000005' + '2000'), 0)
    expect(read).toEqual({ a: 5 })
  })

  test('what a version lacks does not make a tagged struct worth writing', () => {
    for (const make of [compileCodec, closeCodec]) {
      const codec = codecFor({ api: everything, side: 'request', version: 2 }, make)
      const written = encode(codec, { taggedStruct: { x: -1, y: fromHex('ab') } })
      expect(hex(written)).toBe(hex(encode(codec, {})))
    }
  })

  test('a tag that does not fill its size is refused', () => {
    const owner = api({
      key: 995,
      name: 'Tags',
      versions: [0, 0],
      flexible: 0,
      request: { a: int32.tag(7) },
      response: {},
    })
    expect(() => decodeRequest(owner, 0, fromHex('01' + '070500000005aa'), 0)).toThrow(/tag/)
    expect(() => decodeRequest(owner, 0, fromHex('01' + '070300000005'), 0)).toThrow(/tag/)
  })

  test('a string that no length can tell is cut between characters', () => {
    for (const flexible of [0, Infinity]) {
      const read = echo({ text: string }, flexible, { text: 'ä'.repeat(20_000) } as never)
      expect(read.text).toBe('ä'.repeat(0x7fff >> 1))
    }
  })

  test('bytes that are not UTF-8 become replacement characters, which can be sent back', () => {
    const owner = api({
      key: 993,
      name: 'Text',
      versions: [0, 0],
      request: { text: string },
      response: {},
    })
    expect(decodeRequest(owner, 0, fromHex('0003' + '61ff62'), 0)).toEqual({ text: 'a\ufffdb' })
  })

  test('a null where the version has none is a broken invariant, not a broken frame', () => {
    expect(() => echo({ text: string }, 0, { text: null } as never)).toThrow(/text is null/)
    expect(() => echo({ rows: array(int32) }, 0, { rows: null } as never)).toThrow(/rows is null/)
  })

  test('defaults are shared and cannot be changed', () => {
    const read = echo(
      { rows: array(int32).since(1), s: struct({ a: int8 }).since(1) },
      0,
      {} as never,
    )
    expect(() => read.rows.push(1)).toThrow(TypeError)
    expect(() => (read.s.a = 1)).toThrow(TypeError)
  })

  test('byte strings are copies, also where the frame is a Buffer', () => {
    const owner = api({
      key: 991,
      name: 'Bytes',
      versions: [0, 0],
      request: { blob: bytes },
      response: {},
    })
    const frame = Buffer.from('00000003aabbcc', 'hex')
    const { blob: copy } = decodeRequest(owner, 0, frame, 0)
    frame.fill(0)
    expect(hex(copy)).toBe('aabbcc')
  })

  test('records are spliced on the way out and a view on the way in', () => {
    const owner = api({
      key: 992,
      name: 'Records',
      versions: [0, 0],
      request: { rows: array({ id: int32, records }) },
      response: {},
    })
    const range = { length: 3, file: 'a segment' }
    const writer = new Writer()
    const rows = [
      { id: 1, records: range },
      { id: 2, records: null },
    ]
    encodeRequest(owner, 0, { rows }, writer)
    const parts = writer.finish()
    expect(parts[1]).toBe(range)
    const frame = concat([parts[0] as Uint8Array, fromHex('aabbcc'), parts[2] as Uint8Array])
    const read = decodeRequest(owner, 0, frame, 0)
    expect(read.rows[0]!.records!.buffer).toBe(frame.buffer)
    expect(hex(read.rows[0]!.records!)).toBe('aabbcc')
    expect(read.rows[1]!.records).toBe(null)
  })
})
