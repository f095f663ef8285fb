import { utf8 } from '../../src/lib/bytes.ts'
import { uuidBytes } from '../../src/lib/uuid.ts'
import type { Api } from '../../src/broker/wire/field.ts'
import {
  isDefault,
  type Member,
  type Message,
  type Shape,
  shapeOf,
  type StructShape,
  tagged,
  untagged,
} from '../../src/broker/wire/shape.ts'

/** How a number lies in a frame. */
export type Form = 'int16' | 'int32' | 'int64' | 'uvarint'

/** One number of a frame that something else hangs on, or that is 64 bits wide. */
export interface Span {
  readonly at: number
  readonly size: number
  readonly form: Form
  readonly what: 'length' | 'count' | 'number'
  /** What the number is where the frame is right; a uvarint has one more than this on the wire. */
  readonly value: number
}

/** A whole frame, and where its lengths, its counts and its 64-bit numbers are. */
export interface MappedFrame {
  readonly bytes: Uint8Array
  readonly spans: readonly Span[]
}

/**
 * Encodes a request by the tables, as the broker's own encoder does, and writes down where things lie. It is a
 * second encoder on purpose: the first one says nothing about places.
 */
export function mapFrame(
  api: Api,
  version: number,
  header: { readonly correlationId: number; readonly clientId: string },
  value: Message,
): MappedFrame {
  const map = new FrameMap()
  const isFlexible = version >= api.flexible
  map.number('int32', 0)
  map.number('int16', api.key)
  map.number('int16', version)
  map.number('int32', header.correlationId)
  map.text(utf8(header.clientId), false, false)
  if (isFlexible) map.span('uvarint', 'count', 0)
  map.struct(shapeOf(api.request, version, isFlexible), value)
  return map.finish()
}

class FrameMap {
  readonly #bytes: number[] = []
  readonly #spans: Span[] = []

  finish(): MappedFrame {
    const bytes = Uint8Array.from(this.#bytes)
    new DataView(bytes.buffer).setInt32(0, bytes.length - 4)
    return { bytes, spans: this.#spans }
  }

  struct(shape: StructShape, message: Message): void {
    for (const member of untagged(shape)) this.#member(member, message, shape.flexible)
    if (!shape.flexible) return
    const written = tagged(shape).filter(tag => {
      return !isDefault(tag.shape, message[tag.name], tag.fallback)
    })
    this.span('uvarint', 'count', written.length)
    for (const tag of written) this.#tag(tag, message)
  }

  /** A length and what it is of. */
  text(bytes: Uint8Array | null, isCompact: boolean, isLong: boolean): void {
    const form = isCompact ? 'uvarint' : isLong ? 'int32' : 'int16'
    this.span(form, 'length', bytes === null ? -1 : bytes.length, 1)
    if (bytes !== null) this.#push(bytes)
  }

  /** `offset`: what a uvarint has more than the number that it means. */
  span(form: Form, what: Span['what'], value: number, offset = 0): void {
    const at = this.#bytes.length
    this.#push(numberBytes(form, BigInt(form === 'uvarint' ? value + offset : value)))
    this.#spans.push({ at, size: this.#bytes.length - at, form, what, value })
  }

  number(form: Form, value: number): void {
    this.#push(numberBytes(form, BigInt(value)))
  }

  #tag(tag: Member, message: Message): void {
    const inner = new FrameMap()
    inner.#member(tag, message, true)
    this.number('uvarint', tag.tagId!)
    this.span('uvarint', 'length', inner.#bytes.length)
    const from = this.#bytes.length
    this.#push(inner.#bytes)
    for (const span of inner.#spans) this.#spans.push({ ...span, at: span.at + from })
  }

  #member({ name, shape, nullable, fallback }: Member, message: Message, flexible: boolean): void {
    const value = message[name] === undefined ? fallback : message[name]
    if (shape.type === 'struct' && nullable) this.#bytes.push(value === null ? 0xff : 1)
    if (value === null && shape.type === 'struct') return
    this.#value(shape, value, flexible)
  }

  #value(shape: Shape, value: unknown, flexible: boolean): void {
    switch (shape.type) {
      case 'struct':
        return this.struct(shape, value as Message)
      case 'array': {
        const elements = value as unknown[] | null
        this.span(flexible ? 'uvarint' : 'int32', 'count', elements?.length ?? -1, 1)
        for (const element of elements ?? []) this.#value(shape.of, element, flexible)
        return
      }
      case 'string':
        return this.text(value === null ? null : utf8(value as string), flexible, false)
      case 'bytes':
      case 'records':
        return this.text(value as Uint8Array | null, flexible, true)
      case 'uuid':
        return this.#push(uuidBytes(value as string))
      case 'bool':
        return void this.#bytes.push(value ? 1 : 0)
      case 'int8':
        return void this.#bytes.push((value as number) & 0xff)
      case 'int16':
      case 'uint16':
        return this.number('int16', value as number)
      case 'int32':
        return this.number('int32', value as number)
      case 'int64':
      case 'exactInt64':
        return this.span('int64', 'number', value as number)
      case 'float64': {
        const bytes = Buffer.alloc(8)
        bytes.writeDoubleBE(value as number)
        return this.#push(bytes)
      }
    }
  }

  #push(bytes: Iterable<number>): void {
    for (const byte of bytes) this.#bytes.push(byte)
  }
}

/** The bytes of a number in a form; what is too large for it is cut, as C does it. */
export function numberBytes(form: Form, value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt.asIntN(64, value))
  switch (form) {
    case 'int64':
      return bytes
    case 'int32':
      return bytes.subarray(4)
    case 'int16':
      return bytes.subarray(6)
    case 'uvarint':
      return uvarint(BigInt.asUintN(64, value))
  }
}

function uvarint(value: bigint): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}

/** The frame with other bytes in place of one span; its length prefix stays right. */
export function withSpan({ bytes }: MappedFrame, span: Span, by: Uint8Array): Uint8Array {
  return reframed([bytes.subarray(0, span.at), by, bytes.subarray(span.at + span.size)])
}

/** The frame cut to `length` bytes, with a prefix that says so. */
export function cutTo({ bytes }: MappedFrame, length: number): Uint8Array {
  return reframed([bytes.subarray(0, length)])
}

function reframed(parts: readonly Uint8Array[]): Uint8Array {
  const frame = Buffer.concat(parts)
  frame.writeInt32BE(frame.length - 4)
  return frame
}
