import { readInt16, readInt32 } from '../../lib/bytes.ts'
import { readUtf8 } from './buffer-text.ts'
import { WireError } from './wire-error.ts'

/**
 * Strings, structs and arrays that one message may hold in its arrays: a struct of two bytes on the wire costs a
 * hundred bytes of heap, so the frame's size alone is no limit.
 *
 * @internal
 */
export const elementCountMax = 1_000_000

/** Strings longer than this are not legal, in either form: classic lengths are int16. */
export const stringSizeMax = 0x7fff

/**
 * Reads one message. Whatever the bytes are, a method returns or throws a WireError, and nothing is allocated
 * before the length or count was held against the bytes left.
 *
 * Invariant: 0 <= at <= end.
 */
export class Reader {
  readonly bytes: Uint8Array
  readonly end: number
  at: number
  readonly #subject: string
  #elementsLeft = elementCountMax

  /** `subject` begins the sentence of an error. */
  constructor(bytes: Uint8Array, at = 0, subject = 'message') {
    this.bytes = bytes
    this.#subject = subject
    this.at = at
    this.end = bytes.length
    if (at > this.end) this.#refuse(`begins behind the end, at byte ${at}`)
  }

  /** Steps over `size` bytes and returns where they begin. */
  take(size: number): number {
    const at = this.at
    const next = at + size
    if (next > this.end) this.#refuse(`wants ${size} bytes, ${this.end - at} are left`)
    this.at = next
    return at
  }

  int16(): number {
    return readInt16(this.bytes, this.take(2))
  }

  int32(): number {
    return readInt32(this.bytes, this.take(4))
  }

  /** At most five bytes, the value below 2^32. */
  uvarint(): number {
    const first = this.bytes[this.take(1)]!
    if (first < 0x80) return first
    let value = first & 0x7f
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.bytes[this.take(1)]!
      if (shift === 28 && byte > 0x0f) break
      value = (value | ((byte & 0x7f) << shift)) >>> 0
      if (byte < 0x80) return value
    }
    return this.#refuse('has a varint that does not fit into 32 bits')
  }

  string(): string {
    return this.#text(this.#notNull(this.int16()))
  }

  nullableString(): string | null {
    const size = this.int16()
    return size === -1 ? null : this.#text(size)
  }

  compactString(): string {
    return this.#text(this.#notNull(this.uvarint() - 1))
  }

  nullableCompactString(): string | null {
    const size = this.uvarint() - 1
    return size === -1 ? null : this.#text(size)
  }

  byteString(): Uint8Array {
    return this.#copy(this.#notNull(this.int32()))
  }

  nullableByteString(): Uint8Array | null {
    const size = this.int32()
    return size === -1 ? null : this.#copy(size)
  }

  compactByteString(): Uint8Array {
    return this.#copy(this.#notNull(this.uvarint() - 1))
  }

  nullableCompactByteString(): Uint8Array | null {
    const size = this.uvarint() - 1
    return size === -1 ? null : this.#copy(size)
  }

  records(): Uint8Array | null {
    const size = this.int32()
    return size === -1 ? null : this.#view(size)
  }

  compactRecords(): Uint8Array | null {
    const size = this.uvarint() - 1
    return size === -1 ? null : this.#view(size)
  }

  /** Count of an array whose elements take `sizeMin` bytes or more. */
  count(sizeMin: number): number {
    return this.#affordable(this.#notNull(this.int32()), sizeMin)
  }

  /** -1 is null. */
  nullableCount(sizeMin: number): number {
    const count = this.int32()
    return count === -1 ? -1 : this.#affordable(count, sizeMin)
  }

  compactCount(sizeMin: number): number {
    return this.#affordable(this.#notNull(this.uvarint() - 1), sizeMin)
  }

  nullableCompactCount(sizeMin: number): number {
    const count = this.uvarint() - 1
    return count === -1 ? -1 : this.#affordable(count, sizeMin)
  }

  /** Charges `count` elements to what the message may hold. */
  charge(count: number): void {
    this.#elementsLeft -= count
    if (this.#elementsLeft < 0) this.#refuse(`holds more than ${elementCountMax} elements`)
  }

  /** The byte before a nullable struct: negative is null. */
  isPresent(): boolean {
    return this.bytes[this.take(1)]! < 0x80
  }

  /** Count of tagged fields; each takes two bytes or more. */
  tagCount(): number {
    return this.#affordable(this.uvarint(), 2)
  }

  /** Size of a tagged field's value; returns where it ends. */
  tagEnd(): number {
    const size = this.uvarint()
    const stop = this.at + size
    if (stop > this.end) this.#refuse(`has a tag of ${size} bytes, ${this.end - this.at} are left`)
    return stop
  }

  /** A tagged field must fill the size it was announced with. */
  endTag(stop: number): void {
    if (this.at !== stop) this.#refuse(`has a tag that should end at byte ${stop}`)
  }

  /** Steps over a tag section in which this version knows no tag. */
  skipTags(): void {
    for (let left = this.tagCount(); left > 0; left--) {
      this.uvarint()
      this.at = this.tagEnd()
    }
  }

  /** Nothing may follow a message. */
  finish(): void {
    if (this.at !== this.end) this.#refuse(`is followed by ${this.end - this.at} more bytes`)
  }

  #notNull(length: number): number {
    return length === -1 ? this.#refuse('has a null where none is allowed') : length
  }

  #affordable(count: number, sizeMin: number): number {
    if (count < 0 || count * sizeMin > this.end - this.at) {
      this.#refuse(`announces ${count} elements, ${this.end - this.at} bytes are left`)
    }
    return count
  }

  #text(size: number): string {
    if (size === 0) return ''
    if (size < 0 || size > stringSizeMax) this.#refuse(`has a string of ${size} bytes`)
    const at = this.take(size)
    return readUtf8(this.bytes, at, at + size)
  }

  #copy(size: number): Uint8Array {
    if (size < 0) this.#refuse(`has a byte string of ${size} bytes`)
    const at = this.take(size)
    return new Uint8Array(this.#viewAt(at, size))
  }

  #view(size: number): Uint8Array {
    if (size < 0) this.#refuse(`has records of ${size} bytes`)
    return this.#viewAt(this.take(size), size)
  }

  #viewAt(at: number, size: number): Uint8Array {
    return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + at, size)
  }

  #refuse(what: string): never {
    throw new WireError(`${this.#subject} ${what} (at byte ${this.at} of ${this.end})`)
  }
}
