import { utf8 } from '../../src/lib/bytes.ts'
import { uuidBytes, uuidText } from '../../src/lib/uuid.ts'
import type { Api, Fields } from '../../src/broker/wire/field.ts'
import {
  type Member,
  type Message,
  type Shape,
  shapeOf,
  type StructShape,
  tagged,
  untagged,
} from '../../src/broker/wire/shape.ts'
import { describeRecords } from './describe-records.ts'
import { exactly, type Json } from './json.ts'

/**
 * A second pair of codecs over the protocol tables, for asking and not for serving: 64-bit numbers keep their value, null
 * may stand where no client should send it, and an answer becomes JSON, with what its version carries and nothing else.
 */

/** What ApiVersions is called by: its answers have the older header in every version (G3). */
const apiVersionsKey = 18

/** A whole request frame, length prefix included. Fields that `body` leaves out are at their defaults. */
export function encodeExactly(
  api: Api,
  version: number,
  correlationId: number,
  body: Message,
): Buffer {
  const isFlexible = version >= api.flexible
  const out = new Out()
  out.int(2, api.key)
  out.int(2, version)
  out.int(4, correlationId)
  out.sized(utf8('differential'), 2)
  if (isFlexible) out.uvarint(0)
  out.struct(shapeOf(api.request, version, isFlexible), body)
  return out.frame()
}

/** A request frame of an API that has no table: its header and whatever `body` is. */
export function frameOfBytes(
  header: { readonly key: number; readonly version: number; readonly isFlexible: boolean },
  correlationId: number,
  body: Uint8Array,
): Buffer {
  const out = new Out()
  out.int(2, header.key)
  out.int(2, header.version)
  out.int(4, correlationId)
  out.sized(utf8('differential'), 2)
  if (header.isFlexible) out.uvarint(0)
  out.bytes(body)
  return out.frame()
}

/** The answer in a frame whose length prefix is off. Throws where it is not what the table says, to the last byte. */
export function decodeExactly(api: Api, version: number, frame: Uint8Array): Json {
  const isFlexible = version >= api.flexible
  const from = new In(frame)
  from.int(4)
  if (isFlexible && api.key !== apiVersionsKey) from.tags([], {})
  const answer = from.struct(shapeOf(api.response as Fields, version, isFlexible))
  from.finish()
  return answer
}

class Out {
  readonly #parts: Uint8Array[] = []

  frame(): Buffer {
    const body = Buffer.concat(this.#parts)
    const size = Buffer.alloc(4)
    size.writeInt32BE(body.length)
    return Buffer.concat([size, body])
  }

  bytes(bytes: Uint8Array): void {
    this.#parts.push(bytes)
  }

  int(size: 1 | 2 | 4 | 8, value: number | bigint): void {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64BE(BigInt.asIntN(64, BigInt(value)))
    this.#parts.push(bytes.subarray(8 - size))
  }

  uvarint(value: number): void {
    const bytes: number[] = []
    let rest = value
    for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
    bytes.push(rest)
    this.#parts.push(Uint8Array.from(bytes))
  }

  /** Bytes behind their length: of two or four bytes, or compact. */
  sized(bytes: Uint8Array | null, form: 2 | 4 | 'compact'): void {
    this.count(bytes?.length ?? -1, form)
    if (bytes !== null) this.#parts.push(bytes)
  }

  count(count: number, form: 2 | 4 | 'compact'): void {
    if (form === 'compact') this.uvarint(count + 1)
    else this.int(form, count)
  }

  struct(shape: StructShape, message: Message): void {
    for (const member of untagged(shape)) this.#member(member, message, shape.flexible)
    if (!shape.flexible) return
    const given = tagged(shape).filter(member => message[member.name] !== undefined)
    this.uvarint(given.length)
    for (const member of given) {
      const inner = new Out()
      inner.#member(member, message, true)
      const bytes = Buffer.concat(inner.#parts)
      this.uvarint(member.tagId!)
      this.uvarint(bytes.length)
      this.bytes(bytes)
    }
  }

  #member({ name, shape, nullable, fallback }: Member, message: Message, compact: boolean): void {
    const value = message[name] === undefined ? fallback : message[name]
    if (shape.type === 'struct' && nullable) this.int(1, value === null ? -1 : 1)
    if (shape.type === 'struct' && value === null) return
    this.#value(shape, value, compact)
  }

  #value(shape: Shape, value: unknown, compact: boolean): void {
    switch (shape.type) {
      case 'struct':
        return this.struct(shape, value as Message)
      case 'array': {
        const elements = value as readonly unknown[] | null
        this.count(elements?.length ?? -1, compact ? 'compact' : 4)
        for (const element of elements ?? []) this.#value(shape.of, element, compact)
        return
      }
      case 'string': {
        const text = value as string | null
        return this.sized(text === null ? null : utf8(text), compact ? 'compact' : 2)
      }
      case 'bytes':
      case 'records':
        return this.sized(value as Uint8Array | null, compact ? 'compact' : 4)
      case 'uuid':
        return this.bytes(uuidBytes(value as string))
      case 'float64': {
        const bytes = Buffer.alloc(8)
        bytes.writeDoubleBE(value as number)
        return this.bytes(bytes)
      }
      case 'bool':
        return this.int(1, value === true ? 1 : 0)
      case 'int8':
        return this.int(1, value as number)
      case 'int16':
      case 'uint16':
        return this.int(2, value as number)
      case 'int32':
        return this.int(4, value as number)
      case 'int64':
      case 'exactInt64':
        return this.int(8, int64Of(value as number | bigint))
    }
  }
}

/** The table's 2^63 stands for the largest. */
function int64Of(value: number | bigint): bigint {
  const exact = BigInt(value)
  return exact === 2n ** 63n ? exact - 1n : exact
}

class In {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  finish(): void {
    const left = this.#bytes.length - this.#at
    if (left > 0) throw new RangeError(`${left} bytes are left over`)
  }

  int(size: 1 | 2 | 4): number {
    return this.#take(size).readIntBE(0, size)
  }

  struct(shape: StructShape): { readonly [name: string]: Json } {
    const message: Record<string, Json> = {}
    for (const member of untagged(shape)) message[member.name] = this.#member(member, shape)
    if (shape.flexible) this.tags(tagged(shape), message)
    return message
  }

  /** Reads a section of tags: those known into `message`, which has the others' defaults, and the rest by number. */
  tags(known: readonly Member[], message: Record<string, Json>): void {
    for (const { name, fallback } of known) message[name] = jsonOf(fallback)
    const given = this.#uvarint()
    for (let count = 0; count < given; count++) {
      const id = this.#uvarint()
      const inner = new In(this.#take(this.#uvarint()))
      const member = known.find(({ tagId }) => tagId === id)
      if (member === undefined) message[`tag ${id}`] = `hex:${inner.#bytes.toString('hex')}`
      else {
        message[member.name] = inner.#member(member, { flexible: true })
        inner.finish()
      }
    }
  }

  #member({ shape, nullable }: Member, { flexible }: { readonly flexible: boolean }): Json {
    if (shape.type === 'struct' && nullable && this.int(1) < 0) return null
    return this.#value(shape, flexible)
  }

  #value(shape: Shape, compact: boolean): Json {
    switch (shape.type) {
      case 'struct':
        return this.struct(shape)
      case 'array': {
        const count = compact ? this.#uvarint() - 1 : this.int(4)
        if (count < 0) return null
        return Array.from({ length: count }, () => this.#value(shape.of, compact))
      }
      case 'string':
        return this.#sized(compact ? 'compact' : 2)?.toString() ?? null
      case 'bytes': {
        const bytes = this.#sized(compact ? 'compact' : 4)
        return bytes === null ? null : `hex:${bytes.toString('hex')}`
      }
      case 'records': {
        const bytes = this.#sized(compact ? 'compact' : 4)
        return bytes === null ? null : describeRecords(bytes)
      }
      case 'uuid':
        return uuidText(this.#take(16))
      case 'float64':
        return this.#take(8).readDoubleBE()
      case 'bool':
        return this.int(1) !== 0
      case 'int8':
        return this.int(1)
      case 'int16':
        return this.int(2)
      case 'uint16':
        return this.#take(2).readUInt16BE()
      case 'int32':
        return this.int(4)
      case 'int64':
      case 'exactInt64':
        return exactly(this.#take(8).readBigInt64BE())
    }
  }

  #sized(form: 2 | 4 | 'compact'): Buffer | null {
    const length = form === 'compact' ? this.#uvarint() - 1 : this.int(form)
    return length < 0 ? null : this.#take(length)
  }

  #uvarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#take(1)[0]!
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new RangeError('an unsigned varint is longer than five bytes')
  }

  #take(length: number): Buffer {
    if (length < 0 || this.#at + length > this.#bytes.length) {
      throw new RangeError(`${length} bytes are wanted at ${this.#at} of ${this.#bytes.length}`)
    }
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }
}

/** A table's default as JSON. */
function jsonOf(fallback: unknown): Json {
  if (fallback instanceof Uint8Array) return 'hex:'
  return JSON.parse(JSON.stringify(fallback)) as Json
}
