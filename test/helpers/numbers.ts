import { writeInt16, writeInt32 } from '../../src/lib/bytes.ts'

/** A number as it goes over the wire. */
export function int16(value: number): Uint8Array {
  const bytes = new Uint8Array(2)
  writeInt16(bytes, 0, value)
  return bytes
}

export function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  writeInt32(bytes, 0, value)
  return bytes
}
