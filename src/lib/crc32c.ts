/**
 * CRC-32C (Castagnoli) of `bytes[from, to)`, continuing from `seed` (0 starts anew). RFC 3720 appendix B.4.
 * The addon's version has the same signature and is about twenty times faster.
 */
export type Crc32c = (bytes: Uint8Array, from?: number, to?: number, seed?: number) => number

const tables = buildTables()

export const crc32c: Crc32c = (bytes, from = 0, to = bytes.length, seed = 0) => {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables
  let crc = ~seed
  let at = from
  for (; at + 8 <= to; at += 8) {
    const low =
      crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
    crc =
      t7[low & 0xff]! ^
      t6[(low >>> 8) & 0xff]! ^
      t5[(low >>> 16) & 0xff]! ^
      t4[low >>> 24]! ^
      t3[bytes[at + 4]!]! ^
      t2[bytes[at + 5]!]! ^
      t1[bytes[at + 6]!]! ^
      t0[bytes[at + 7]!]!
  }
  for (; at < to; at++) crc = t0[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}

type Tables = readonly [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
]

function buildTables(): Tables {
  const made = Array.from({ length: 8 }, () => new Int32Array(256))
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    made[0]![byte] = crc
  }
  for (let slice = 1; slice < 8; slice++) {
    for (let byte = 0; byte < 256; byte++) {
      const before = made[slice - 1]![byte]!
      made[slice]![byte] = (before >>> 8) ^ made[0]![before & 0xff]!
    }
  }
  return made as unknown as Tables
}
