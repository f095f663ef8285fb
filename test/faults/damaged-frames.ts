import { writeInt16, writeInt32 } from '../../src/lib/bytes.ts'
import type { Prng } from '../../src/lib/prng.ts'
import { uuidText } from '../../src/lib/uuid.ts'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import type { Api, Field, Fields } from '../../src/broker/wire/field.ts'
import { requestFrame } from '../../src/broker/wire/frame.ts'

/** Requests that a client could mean, made from our tables, and what becomes of them on a bad line. */
export class DamagedFrames {
  readonly #random: Prng
  readonly #names: readonly string[]

  /** `names`: what strings are made of, most of the time. */
  constructor(random: Prng, names: readonly string[]) {
    this.#random = random
    this.#names = names
  }

  /** A whole frame with a right length prefix; what is in it may be anything. */
  frame(api: Api, version: number): Uint8Array {
    const header = { correlationId: this.#random.uint32() & 0xffff, clientId: 'fuzz' }
    const value = this.#struct(api.request)
    const parts = requestFrame(api, version, header, value as never) as Uint8Array[]
    return this.damage(Buffer.concat(parts))
  }

  #struct(fields: Fields): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(fields).map(([name, field]) => [name, this.#value(field)]),
    )
  }

  #value(field: Field<any, any, boolean>): unknown {
    const { kind } = field
    switch (kind.type) {
      case 'array': {
        const count = this.#random.below(3)
        return Array.from({ length: count }, () => this.#value(kind.of))
      }
      case 'struct':
        return this.#struct(kind.fields)
      case 'string':
        return this.#random.pick(this.#names)
      case 'bytes':
        return this.#random.bytes(this.#random.below(20))
      case 'records':
        return this.#records()
      case 'bool':
        return this.#random.chance(1, 2)
      case 'uuid':
        return uuidText(this.#random.bytes(16))
      case 'float64':
        return this.#random.below(100)
      case 'int8':
      case 'int16':
      case 'uint16':
      case 'int32':
      case 'int64':
      case 'exactInt64':
        return this.#random.below(4) - (kind.type === 'uint16' ? 0 : 1)
    }
  }

  #records(): Uint8Array {
    const below = (limit: number): number => this.#random.below(limit)
    if (below(4) === 0) return this.#random.bytes(below(200))
    const records = Array.from({ length: 1 + below(4) }, (_, offsetDelta) => {
      return { offsetDelta, value: this.#random.bytes(below(60)) }
    })
    const producer =
      below(2) === 0 ? { producerId: 1, producerEpoch: 0, baseSequence: below(3) } : {}
    return encodeBatch({ records, baseTimestamp: 1_700_000_000_000, ...producer })
  }

  /** A frame after none to four mutations, with a right length prefix. */
  damage(frame: Uint8Array): Uint8Array {
    let bytes: Uint8Array = frame
    for (let count = this.#random.below(5); count > 0; count--) bytes = this.#mutateOnce(bytes)
    const whole = Uint8Array.from(bytes)
    writeInt32(whole, 0, whole.length - 4)
    return whole
  }

  /** Never the length prefix, nor the API's key: a mutation of one API stays one of it. */
  #mutateOnce(bytes: Uint8Array): Uint8Array {
    const random = this.#random
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
        return Buffer.concat([
          copy.subarray(0, at),
          random.bytes(random.below(9)),
          copy.subarray(at),
        ])
      default: {
        const end = at + random.below(40)
        return Buffer.concat([copy.subarray(0, end), copy.subarray(at)])
      }
    }
  }
}
