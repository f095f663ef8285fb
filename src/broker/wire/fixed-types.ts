import {
  readInt16,
  readInt32,
  readInt64,
  readInt64Exact,
  writeInt16,
  writeInt32,
  writeInt64Exact,
} from '../../lib/bytes.ts'
import { type Uuid, uuidBytes, zeroUuid } from '../../lib/uuid.ts'
import { readBase64url } from './buffer-text.ts'

/** A type that always takes `size` bytes. `read` and `write` trust that these are there. */
export interface FixedType {
  readonly size: number
  readonly read: (bytes: Uint8Array, at: number) => unknown
  readonly write: (bytes: Uint8Array, at: number, value: never) => void
}

export type FixedTypeName = keyof typeof table

const table = {
  bool: { size: 1, read: readBool, write: writeBool },
  int8: { size: 1, read: readInt8, write: writeInt8 },
  int16: { size: 2, read: readInt16, write: writeInt16 },
  uint16: { size: 2, read: readUint16, write: writeInt16 },
  int32: { size: 4, read: readInt32, write: writeInt32 },
  int64: { size: 8, read: readInt64, write: writeInt64Exact },
  exactInt64: { size: 8, read: readInt64Exact, write: writeInt64Exact },
  float64: { size: 8, read: readFloat64, write: writeFloat64 },
  uuid: { size: 16, read: readUuid, write: writeUuid },
} as const satisfies Record<string, FixedType>

export const fixedTypes: Readonly<Record<FixedTypeName, FixedType>> = table

export function isFixedType(name: string): name is FixedTypeName {
  return Object.hasOwn(table, name)
}

function readBool(bytes: Uint8Array, at: number): boolean {
  return bytes[at] !== 0
}

function writeBool(bytes: Uint8Array, at: number, value: boolean): void {
  bytes[at] = value ? 1 : 0
}

function readInt8(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) >> 24
}

function writeInt8(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
}

function readUint16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

function readFloat64(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at, 8).getFloat64(0)
}

function writeFloat64(bytes: Uint8Array, at: number, value: number): void {
  new DataView(bytes.buffer, bytes.byteOffset + at, 8).setFloat64(0, value)
}

function readUuid(bytes: Uint8Array, at: number): Uuid {
  const isZero = (readInt32(bytes, at) | readInt32(bytes, at + 4)) === 0
  if (isZero && readInt64(bytes, at + 8) === 0) return zeroUuid
  return readBase64url(bytes, at, at + 16)
}

function writeUuid(bytes: Uint8Array, at: number, value: Uuid): void {
  if (value === zeroUuid) bytes.fill(0, at, at + 16)
  else bytes.set(uuidBytes(value), at)
}
