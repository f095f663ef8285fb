import { assert } from './assert.ts'

const twoTo32 = 0x1_0000_0000

/**
 * Reads a big-endian signed 64-bit integer as a number; values outside the safe range come back rounded.
 * A `bigint` costs three times as much (measured), and offsets never leave the safe range.
 */
export function readInt64(bytes: Uint8Array, at: number): number {
  return readInt32(bytes, at) * twoTo32 + readUint32(bytes, at + 4)
}

/** A 64-bit integer without loss: a number where that is exact, else a bigint. The two compare with each other. */
export type Int64 = number | bigint

/** Reads a big-endian signed 64-bit integer without loss. */
export function readInt64Exact(bytes: Uint8Array, at: number): Int64 {
  return int64Of(readInt32(bytes, at), readUint32(bytes, at + 4))
}

/** From its upper half, signed, and its lower, unsigned. */
export function int64Of(high: number, low: number): Int64 {
  const near = high * twoTo32 + low
  return Number.isSafeInteger(near) ? near : (BigInt(high) << 32n) | BigInt(low)
}

/** Any integer; what lies outside of 64 bits is written as near as they go. */
export function writeInt64Exact(bytes: Uint8Array, at: number, value: Int64): void {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return writeInt64(bytes, at, value)
  const least = -(1n << 63n)
  const wide = BigInt(value)
  const most = -least - 1n
  const held = wide > most ? most : wide < least ? least : wide
  writeInt32(bytes, at, Number(BigInt.asIntN(32, held >> 32n)))
  writeInt32(bytes, at + 4, Number(BigInt.asUintN(32, held)))
}

/** `a + b`, wrapped to 64 bits as Java wraps it. */
export function addInt64(a: Int64, b: Int64): Int64 {
  const near = Number(a) + Number(b)
  if (typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(near)) return near
  const sum = BigInt.asIntN(64, BigInt(a) + BigInt(b))
  return Number.isSafeInteger(Number(sum)) ? Number(sum) : sum
}

/** Writes `value`, a safe integer, as big-endian signed 64-bit. */
export function writeInt64(bytes: Uint8Array, at: number, value: number): void {
  assert(Number.isSafeInteger(value), 'a 64-bit field holds a safe integer')
  writeInt32(bytes, at, Math.floor(value / twoTo32))
  writeInt32(bytes, at + 4, value >>> 0)
}

export function readInt32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return readInt32(bytes, at) >>> 0
}

/** Writes the low 32 bits of `value`, big-endian. */
export function writeInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

export function readInt16(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) >> 16) | bytes[at + 1]!
}

export function writeInt16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}

const decoder = new TextDecoder('utf-8', { fatal: true })
const encoder = new TextEncoder()

/** UTF-8 bytes of `text`. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Text of UTF-8 `bytes`; throws a TypeError where they are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}

export function hex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

export function fromHex(text: string): Uint8Array {
  assert(/^([0-9a-f]{2})*$/i.test(text), 'a hex string has two digits a byte')
  return Uint8Array.from({ length: text.length / 2 }, (_, at) =>
    Number.parseInt(text.slice(at * 2, at * 2 + 2), 16),
  )
}
