import { writeInt16, writeInt32 } from '../../src/lib/bytes.ts'
import type { Prng } from '../../src/lib/prng.ts'

/** The frame as a bad line leaves it: after none to four mutations, with a right length prefix. */
export function damaged(frame: Uint8Array, random: Prng): Uint8Array {
  let bytes = frame
  for (let count = random.below(5); count > 0; count--) bytes = mutated(bytes, random)
  const whole = Uint8Array.from(bytes)
  writeInt32(whole, 0, whole.length - 4)
  return whole
}

/** Never the length prefix, nor the API's key: a mutation of one API stays one of it. */
function mutated(bytes: Uint8Array, random: Prng): Uint8Array {
  const from = 6
  const at = from + random.below(Math.max(1, bytes.length - from))
  const edges = [-1, 0, 1, 0x7f, 0x7fff, -0x8000, 0x7fffffff, -0x80000000, 0x10000]
  const copy = Uint8Array.from(bytes)
  switch (random.below(8)) {
    case 0:
      copy[at]! ^= 1 << random.below(8)
      return copy
    case 1:
      copy[at] = random.uint32()
      return copy
    case 2:
      if (at + 2 <= copy.length) writeInt16(copy, at, (random.pick(edges) << 16) >> 16)
      return copy
    case 3:
      if (at + 4 <= copy.length) writeInt32(copy, at, random.pick(edges))
      return copy
    case 4:
      if (at + 8 > copy.length) return copy
      writeInt32(copy, at, random.pick(edges))
      writeInt32(copy, at + 4, random.pick(edges))
      return copy
    case 5:
      return copy.subarray(0, Math.max(12, at))
    case 6:
      return Buffer.concat([copy.subarray(0, at), random.bytes(random.below(9)), copy.subarray(at)])
    default: {
      const end = at + random.below(40)
      return Buffer.concat([copy.subarray(0, end), copy.subarray(at)])
    }
  }
}
