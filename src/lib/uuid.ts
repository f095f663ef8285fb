import { assert } from './assert.ts'

/** A 128-bit id in Kafka's text form: 22 characters of unpadded base64url (KIP-516). */
export type Uuid = string

/** All bits zero: "no id" on the wire. */
export const zeroUuid: Uuid = 'AAAAAAAAAAAAAAAAAAAAAA'

/** Makes a version 4 UUID of 16 random bytes, never one whose text starts with '-': tools take that for a flag. */
export function uuidFrom(bytes: Uint8Array): Uuid {
  assert(bytes.length === 16, 'a uuid has 16 bytes')
  const id = Uint8Array.from(bytes)
  id[6] = (id[6]! & 0x0f) | 0x40
  id[8] = (id[8]! & 0x3f) | 0x80
  if (id[0]! >> 2 === 62) id[0] = id[0]! & 0x7f
  return uuidText(id)
}

export function uuidText(bytes: Uint8Array): Uuid {
  assert(bytes.length === 16, 'a uuid has 16 bytes')
  return Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString('base64url')
}

/** The 16 bytes of `id`; throws where it is not a uuid in Kafka's text form. */
export function uuidBytes(id: Uuid): Uint8Array {
  const bytes = Buffer.from(id, 'base64url')
  assert(id.length === 22 && bytes.length === 16, `${id} is not a uuid of 22 base64url characters`)
  return bytes
}
