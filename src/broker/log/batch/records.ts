import { concat, int64Of, utf8, type Int64 } from '../../../lib/bytes.ts'

/** A record of a batch. Key, value and header values are views into the batch. */
export interface LogRecord {
  /** The record's offset is the batch's base offset plus this. */
  readonly offsetDelta: number
  /** Milliseconds after the batch's base timestamp; says nothing under LogAppendTime. */
  readonly timestampDelta: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
}

export interface RecordHeader {
  /** UTF-8, not checked. */
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

/** The payload of a batch is not what its header says, or not what a record is. */
export class RecordError extends Error {
  override readonly name = 'RecordError'
  /** Which record of the batch, from 0. */
  readonly index: number

  constructor(index: number, message: string) {
    super(message)
    this.index = index
  }
}

/**
 * The records of an uncompressed (or decompressed) payload, lazily. `count` is the header's.
 * @throws RecordError at the first record that does not fit, and at the end where bytes are left over.
 * @internal
 */
export function* readRecords(
  payload: Uint8Array,
  { count }: { readonly count: number },
): Generator<LogRecord, void, undefined> {
  const cursor = new RecordCursor(payload, count)
  while (cursor.next()) {
    yield {
      offsetDelta: cursor.offsetDelta,
      timestampDelta: cursor.timestampDelta,
      key: cursor.key,
      value: cursor.value,
      headers: cursor.headers(),
    }
  }
}

/**
 * Walks the records of a payload without making an object of each: for who asks millions of records for two
 * numbers. Lengths and counts are checked before they are believed; no varint is longer than its type.
 */
export class RecordCursor {
  /** Of the record that `next` came to. */
  offsetDelta = 0
  /** Rounded to the nearest outside the safe range; `exactTimestampDelta` is not. */
  timestampDelta = 0
  /** -1 for a null key. */
  keyBytes = -1
  /** -1 for a null value. */
  valueBytes = -1
  index = -1
  /** Where its bytes begin in the payload, its length first. */
  startAt = 0
  /** Behind its timestamp delta. */
  offsetDeltaAt = 0
  keyAt = 0
  valueAt = 0

  readonly #payload: Uint8Array
  readonly #count: number
  #at = 0
  /** Halves of the timestamp delta. */
  #high = 0
  #low = 0
  /** No read of the current record may go past this. */
  #end = 0
  #headersAt = 0
  #headerCount = 0

  constructor(payload: Uint8Array, count: number) {
    this.#payload = payload
    this.#count = count
  }

  /** Behind the bytes of the record. */
  get endAt(): number {
    return this.#end
  }

  /** The record that `next` came to is the last: no byte stands behind it. After a RecordError it says nothing. */
  get isAtEnd(): boolean {
    return this.#end >= this.#payload.length
  }

  /**
   * Goes to the next record; false after the last.
   * @throws RecordError
   */
  next(): boolean {
    this.#at = this.#end
    if (this.index + 1 >= this.#count) {
      if (this.#at < this.#payload.length) this.#fail('bytes are left over behind the last record')
      return false
    }
    this.index++
    this.startAt = this.#at
    this.#end = this.#payload.length
    const bytes = this.#varint()
    if (bytes < 0 || bytes > this.#payload.length - this.#at) {
      this.#fail(`it claims ${bytes} bytes of ${this.#payload.length - this.#at}`)
    }
    this.#end = this.#at + bytes
    this.#readFields()
    return true
  }

  get exactTimestampDelta(): Int64 {
    return int64Of(this.#high, this.#low)
  }

  get key(): Uint8Array | null {
    return view(this.#payload, this.keyAt, this.keyBytes)
  }

  get value(): Uint8Array | null {
    return view(this.#payload, this.valueAt, this.valueBytes)
  }

  headers(): readonly RecordHeader[] {
    if (this.#headerCount === 0) return noHeaders
    this.#at = this.#headersAt
    const headers: RecordHeader[] = []
    for (let left = this.#headerCount; left > 0; left--) {
      const keyBytes = this.#length()
      const key = view(this.#payload, this.#skip(keyBytes), keyBytes) ?? emptyBytes
      const valueBytes = this.#length()
      headers.push({ key, value: view(this.#payload, this.#skip(valueBytes), valueBytes) })
    }
    return headers
  }

  #readFields(): void {
    if (this.#at >= this.#end) this.#fail('it is empty')
    this.#at++ // Attributes of a record: a byte without meaning so far.
    this.#readVarlong()
    this.timestampDelta = this.#high * 2 ** 32 + this.#low
    this.offsetDeltaAt = this.#at
    this.offsetDelta = this.#varint()
    this.keyBytes = this.#length()
    this.keyAt = this.#skip(this.keyBytes)
    this.valueBytes = this.#length()
    this.valueAt = this.#skip(this.valueBytes)
    this.#headerCount = this.#varint()
    this.#headersAt = this.#at
    // Every header has at least two bytes.
    if (this.#headerCount < 0 || this.#headerCount * 2 > this.#end - this.#at) {
      this.#fail(`it claims ${this.#headerCount} headers in ${this.#end - this.#at} bytes`)
    }
    for (let left = this.#headerCount; left > 0; left--) {
      const keyBytes = this.#length()
      if (keyBytes < 0) this.#fail('a header has no key')
      this.#skip(keyBytes)
      this.#skip(this.#length())
    }
    if (this.#at !== this.#end) this.#fail(`its length is off by ${this.#end - this.#at} bytes`)
  }

  /** A length of bytes that follow; -1 is null. */
  #length(): number {
    const bytes = this.#varint()
    if (bytes < -1 || bytes > this.#end - this.#at) {
      this.#fail(`a field claims ${bytes} bytes of ${this.#end - this.#at}`)
    }
    return bytes
  }

  #skip(bytes: number): number {
    const at = this.#at
    if (bytes > 0) this.#at += bytes
    return at
  }

  /** A zigzag number of 32 bits: five bytes at most, and no bit above the 32nd. */
  #varint(): number {
    let raw = 0
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.#at >= this.#end) this.#fail('it ends inside a number')
      const byte = this.#payload[this.#at++]!
      if (shift === 28 && byte > 0x0f) break
      raw |= (byte & 0x7f) << shift
      if (byte < 0x80) return (raw >>> 1) ^ -(raw & 1)
    }
    return this.#fail('a number is longer than 32 bits')
  }

  /** A zigzag number of 64 bits, into `#high` and `#low`: ten bytes at most. */
  #readVarlong(): void {
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= this.#end) this.#fail('it ends inside a number')
      const byte = this.#payload[this.#at++]!
      if (shift === 63 && byte > 1) break
      const bits = byte & 0x7f
      if (shift <= 28) low |= bits << shift
      if (shift === 28) high = bits >>> 4
      if (shift > 28) high |= bits << (shift - 32)
      if (byte >= 0x80) continue
      const sign = -(low & 1)
      this.#high = (high >>> 1) ^ sign
      this.#low = (((low >>> 1) | (high << 31)) ^ sign) >>> 0
      return
    }
    this.#fail('a number is longer than 64 bits')
  }

  #fail(reason: string): never {
    const index = Math.max(this.index, 0)
    throw new RecordError(index, `Record ${index} of ${this.#count} does not parse: ${reason}.`)
  }
}

/** A record to be encoded. By default: delta = its place, no key, no value, no headers. */
export interface RecordInput {
  readonly offsetDelta?: number
  readonly timestampDelta?: number
  readonly key?: Uint8Array | string | null
  readonly value?: Uint8Array | string | null
  readonly headers?: readonly {
    readonly key: Uint8Array | string
    readonly value: Uint8Array | string | null
  }[]
}

/** The uncompressed payload of a batch. */
export function encodeRecords(records: readonly RecordInput[]): Uint8Array {
  return concat(records.map(encodeRecord))
}

function encodeRecord(record: RecordInput, index: number): Uint8Array {
  const headers = record.headers ?? []
  const body = concat([
    Uint8Array.of(0),
    varlong(record.timestampDelta ?? 0),
    varlong(record.offsetDelta ?? index),
    ...sized(record.key ?? null),
    ...sized(record.value ?? null),
    varlong(headers.length),
    ...headers.flatMap(({ key, value }) => [...sized(key), ...sized(value)]),
  ])
  return concat([varlong(body.length), body])
}

function sized(field: Uint8Array | string | null): Uint8Array[] {
  if (field === null) return [varlong(-1)]
  const bytes = typeof field === 'string' ? utf8(field) : field
  return [varlong(bytes.length), bytes]
}

/** A record as it lies, but for its timestamp: `timestampDelta` milliseconds after the batch's base. */
export function retimedRecord(
  payload: Uint8Array,
  { startAt, offsetDeltaAt, endAt }: RecordCursor,
  timestampDelta: Int64,
): Uint8Array {
  const delta = varlong(timestampDelta)
  const rest = payload.subarray(offsetDeltaAt, endAt)
  const length = varlong(1 + delta.length + rest.length)
  return concat([length, attributesOf(payload, startAt), delta, rest])
}

/** The byte behind a record's length. */
function attributesOf(payload: Uint8Array, startAt: number): Uint8Array {
  let at = startAt
  while (payload[at]! >= 0x80) at++
  return payload.subarray(at + 1, at + 2)
}

/** Zigzag. */
function varlong(value: Int64): Uint8Array {
  const isNear = typeof value === 'number' && Math.abs(value) < 2 ** 52
  return isNear ? nearVarlong(value) : farVarlong(BigInt(value))
}

function nearVarlong(value: number): Uint8Array {
  const bytes: number[] = []
  let raw = value < 0 ? -value * 2 - 1 : value * 2
  while (raw >= 0x80) {
    bytes.push((raw % 0x80) | 0x80)
    raw = Math.floor(raw / 0x80)
  }
  bytes.push(raw)
  return Uint8Array.from(bytes)
}

function farVarlong(value: bigint): Uint8Array {
  const bytes: number[] = []
  let raw = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  while (raw >= 0x80n) {
    bytes.push(Number(raw & 0x7fn) | 0x80)
    raw >>= 7n
  }
  bytes.push(Number(raw))
  return Uint8Array.from(bytes)
}

const emptyBytes = new Uint8Array(0)
const noHeaders: readonly RecordHeader[] = []

function view(payload: Uint8Array, at: number, bytes: number): Uint8Array | null {
  return bytes < 0 ? null : payload.subarray(at, at + bytes)
}
