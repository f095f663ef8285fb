import { assert, InvariantError } from '../../lib/assert.ts'
import { writeInt16, writeInt32 } from '../../lib/bytes.ts'
import { writeUtf8 } from './buffer-text.ts'
import { stringSizeMax } from './reader.ts'

/** Strings up to here are written a character at a time, which is faster than the call out of JavaScript. */
const shortTextLengthMax = 32

/** Bytes that the encoder passes on without looking: a file range of the network port is one. */
export interface Splice {
  readonly length: number
}

/**
 * Collects one message as parts: bytes written here, and splices (records) between them, which are never
 * copied. The open piece is `bytes[from, at)`; those before it are in the parts.
 */
export class Writer {
  #bytes: Uint8Array
  #from = 0
  #at = 0
  #parts: (Uint8Array | Splice)[] = []
  #partsLength = 0

  constructor(sizeHint = 512) {
    this.#bytes = Buffer.allocUnsafe(sizeHint)
  }

  /** The buffer of the open piece; `take` may replace it. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** Bytes written and spliced so far. */
  get length(): number {
    return this.#partsLength + this.#at - this.#from
  }

  /** Makes `size` bytes of the open piece the caller's to fill; returns where they begin in `bytes`. */
  take(size: number): number {
    if (this.#at + size > this.#bytes.length) this.#grow(size)
    const at = this.#at
    this.#at = at + size
    return at
  }

  /** Ends the message. The writer is not used after. */
  finish(): (Uint8Array | Splice)[] {
    this.#closePiece()
    return this.#parts
  }

  int8(value: number): void {
    const at = this.take(1)
    this.#bytes[at] = value
  }

  int16(value: number): void {
    const at = this.take(2)
    writeInt16(this.#bytes, at, value)
  }

  int32(value: number): void {
    const at = this.take(4)
    writeInt32(this.#bytes, at, value)
  }

  uvarint(value: number): void {
    if (value < 0x80) return this.int8(value)
    const at = this.take(uvarintSize(value))
    writeUvarint(this.#bytes, at, value)
  }

  string(value: string): void {
    const size = this.#textSize(value)
    this.int16(size)
    this.#text(value, size)
  }

  nullableString(value: string | null): void {
    if (value === null) this.int16(-1)
    else this.string(value)
  }

  compactString(value: string): void {
    const size = this.#textSize(value)
    this.uvarint(size + 1)
    this.#text(value, size)
  }

  nullableCompactString(value: string | null): void {
    if (value === null) this.int8(0)
    else this.compactString(value)
  }

  byteString(value: Uint8Array): void {
    this.int32(value.length)
    this.#copy(value)
  }

  nullableByteString(value: Uint8Array | null): void {
    if (value === null) this.int32(-1)
    else this.byteString(value)
  }

  compactByteString(value: Uint8Array): void {
    this.uvarint(value.length + 1)
    this.#copy(value)
  }

  nullableCompactByteString(value: Uint8Array | null): void {
    if (value === null) this.int8(0)
    else this.compactByteString(value)
  }

  records(value: Uint8Array | Splice | null): void {
    if (value === null) return this.int32(-1)
    this.int32(value.length)
    this.#splice(value)
  }

  compactRecords(value: Uint8Array | Splice | null): void {
    if (value === null) return this.int8(0)
    this.uvarint(value.length + 1)
    this.#splice(value)
  }

  /** Begins a tagged field of a size that is not known yet; `closeTag` wants what this returns. */
  openTag(tagId: number): number {
    this.uvarint(tagId)
    this.int8(0)
    return this.length
  }

  closeTag(begin: number): void {
    assert(begin - this.#partsLength > 0, 'a tagged field holds no records')
    const size = this.length - begin
    const sizeAt = this.#at - size - 1
    const extra = uvarintSize(size) - 1
    if (extra === 0) {
      this.#bytes[sizeAt] = size
      return
    }
    this.take(extra)
    const from = this.#at - size - extra
    this.#bytes.copyWithin(from + extra, from, from + size)
    writeUvarint(this.#bytes, from - 1, size)
  }

  #textSize(value: string): number {
    const length = value.length
    if (length <= shortTextLengthMax) {
      let at = 0
      while (at < length && value.charCodeAt(at) < 0x80) at++
      if (at === length) return length
    }
    const size = Buffer.byteLength(value)
    return size > stringSizeMax ? cutSize(value) : size
  }

  /** A `size` of `value.length` says that all characters are ASCII: others take two bytes or more. */
  #text(value: string, size: number): void {
    const at = this.take(size)
    if (size > shortTextLengthMax || size !== value.length) {
      writeUtf8(this.#bytes, at, value, size)
      return
    }
    const bytes = this.#bytes
    for (let index = 0; index < size; index++) bytes[at + index] = value.charCodeAt(index)
  }

  #copy(value: Uint8Array): void {
    const at = this.take(value.length)
    this.#bytes.set(value, at)
  }

  #splice(value: Uint8Array | Splice): void {
    if (value.length === 0) return
    this.#closePiece()
    this.#parts.push(value)
    this.#partsLength += value.length
  }

  #closePiece(): void {
    if (this.#at === this.#from) return
    this.#parts.push(this.#bytes.subarray(this.#from, this.#at))
    this.#partsLength += this.#at - this.#from
    this.#from = this.#at
  }

  /** Moves the open piece to the start of a buffer that has room for `size` more bytes. */
  #grow(size: number): void {
    const used = this.#at - this.#from
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, used + size))
    grown.set(this.#bytes.subarray(this.#from, this.#at))
    this.#bytes = grown
    this.#from = 0
    this.#at = used
  }
}

function uvarintSize(value: number): number {
  let size = 1
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) size++
  return size
}

function writeUvarint(bytes: Uint8Array, at: number, value: number): void {
  let rest = value
  for (; rest > 0x7f; rest >>>= 7) bytes[at++] = rest | 0x80
  bytes[at] = rest
}

/** The most bytes of `value` that a string may have, cut between characters. */
function cutSize(value: string): number {
  return new TextEncoder().encodeInto(value, new Uint8Array(stringSizeMax)).written
}

/** A handler answered null where this version has no way to say so. */
export function refuseNull(name: string): never {
  throw new InvariantError(`${name} is null, which this version cannot carry`)
}
