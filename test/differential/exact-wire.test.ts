import { expect, test } from 'vitest'
import { concat, hex } from '../../src/lib/bytes.ts'
import {
  api,
  array,
  bytes,
  type Field,
  type Fields,
  int64,
  nullable,
  string,
} from '../../src/broker/wire/field.ts'
import { requestFrame, responseFrame } from '../../src/broker/wire/frame.ts'
import { apis } from '../../src/broker/wire/messages/index.ts'
import { decodeExactly, encodeExactly } from './exact-wire.ts'
import type { Json } from './json.ts'

const versions = apis.flatMap(of => {
  const [min, max] = of.versions
  return Array.from({ length: max - min + 1 }, (_, at) => ({
    of,
    name: of.name,
    version: min + at,
  }))
})

test.each(versions)("$name v$version: the product's codecs and these agree", ({ of, version }) => {
  const message = sample(of.request) as never
  const header = { correlationId: 7, clientId: 'differential' }
  const theirs = concat(requestFrame(of, version, header, message) as Uint8Array[])
  expect(hex(encodeExactly(of, version, 7, message))).toBe(hex(theirs))
  const answer = sample(of.response)
  const frame = concat(responseFrame(of, version, 7, answer as never) as Uint8Array[])
  const decoded = decodeExactly(of, version, frame.subarray(4))
  expect(withoutMissing(asJson(answer), decoded)).toEqual(decoded)
})

const odd = api({
  key: 990,
  name: 'Odd',
  versions: [0, 0],
  request: { name: string, numbers: array(int64), rest: bytes },
  response: { name: nullable(string), numbers: array(int64) },
})

test('null goes where no client sends it, and 64-bit numbers keep their value', () => {
  const frame = encodeExactly(odd, 0, 7, { name: null, numbers: [2n ** 53n + 1n, -1], rest: null })
  expect(
    hex(frame).endsWith('ffff' + '00000002' + '0020000000000001' + 'f'.repeat(16) + 'f'.repeat(8)),
  ).toBe(true)
  const answer = Buffer.from('00000007' + 'ffff' + '00000001' + '0020000000000001', 'hex')
  expect(decodeExactly(odd, 0, answer)).toEqual({ name: null, numbers: ['9007199254740993'] })
})

test('an answer with a byte too many, or too few, does not decode', () => {
  const answer = Buffer.from('00000007' + '0001' + '61' + '00000000', 'hex')
  expect(decodeExactly(odd, 0, answer)).toEqual({ name: 'a', numbers: [] })
  expect(() => decodeExactly(odd, 0, Buffer.concat([answer, Buffer.of(0)]))).toThrow(RangeError)
  expect(() => decodeExactly(odd, 0, answer.subarray(0, -1))).toThrow(RangeError)
})

/** A message with something in every field that has no tag, and one element in every array. */
function sample(fields: Fields): Record<string, unknown> {
  const untagged = Object.entries(fields).filter(([, { traits }]) => traits.tagId === null)
  return Object.fromEntries(untagged.map(([name, field]) => [name, sampleOf(field)]))
}

function sampleOf({ kind }: Field<any, any, boolean>): unknown {
  switch (kind.type) {
    case 'array':
      return [sampleOf(kind.of)]
    case 'struct':
      return sample(kind.fields)
    case 'string':
      return 'text'
    case 'bytes':
      return Uint8Array.of(1, 2, 3)
    case 'records':
      return null
    case 'uuid':
      return 'c3RyYW5nZXIgaW4gdG93bg'
    case 'bool':
      return true
    case 'float64':
      return 1.5
    case 'int8':
    case 'int16':
    case 'uint16':
    case 'int32':
    case 'int64':
    case 'exactInt64':
      return 77
  }
}

function asJson(value: unknown): Json {
  const text = JSON.stringify(value, (_, of: unknown) =>
    of instanceof Uint8Array ? `hex:${hex(of)}` : of,
  )
  return JSON.parse(text) as Json
}

/** `value` with the fields that the version carries, as `decoded` has them; tagged ones are at their defaults there. */
function withoutMissing(value: Json, decoded: Json): Json {
  if (Array.isArray(value))
    return value.map((of: Json, at) => withoutMissing(of, (decoded as Json[])[at]!))
  if (typeof value !== 'object' || value === null) return value
  const [have, want] = [value as { [name: string]: Json }, decoded as { [name: string]: Json }]
  const names = Object.keys(want)
  return Object.fromEntries(
    names.map(name => [
      name,
      name in have ? withoutMissing(have[name]!, want[name]!) : want[name]!,
    ]),
  )
}
