import { concat, writeInt32 } from '../../src/lib/bytes.ts'
import { crc32c } from '../../src/lib/crc32c.ts'
import type { Prng } from '../../src/lib/prng.ts'
import { encodeBatch, type BatchInput } from '../../src/broker/log/batch/batch.ts'
import { encodeRecords } from '../../src/broker/log/batch/records.ts'
import type { Codecs } from '../../src/broker/log/compression/codecs.ts'

/** A batch with something wrong under a right CRC, but where the CRC is what is wrong. */
export type BadBatch = keyof typeof badBatches

const two = [{ value: 'one' }, { value: 'two' }]
const someTime = 1_700_000_000_000

function batch(changes: Partial<BatchInput> = {}): Uint8Array {
  return encodeBatch({ records: two, baseTimestamp: someTime, ...changes })
}

/** Puts a 32-bit number into a batch, and a new CRC over it. */
function with32(at: number, value: number, bytes = batch()): Uint8Array {
  writeInt32(bytes, at, value)
  return sealed(bytes)
}

function sealed(bytes: Uint8Array): Uint8Array {
  writeInt32(bytes, 17, crc32c(bytes, 21, bytes.length) | 0)
  return bytes
}

function flipped(): Uint8Array {
  const bytes = batch()
  bytes[bytes.length - 1]! ^= 1
  return bytes
}

function counted(count: number): Uint8Array {
  return batch({
    records: { codec: 0, bytes: encodeRecords(two), count },
    lastOffsetDelta: count - 1,
  })
}

/** The length of the first record says more than the batch has. */
function overrunning(): Uint8Array {
  const records = Uint8Array.from(encodeRecords(two))
  records[0] = 0x7e
  return batch({ records: { codec: 0, bytes: records, count: 2 } })
}

function at64(at: number, high: number, low: number): Uint8Array {
  const bytes = batch()
  writeInt32(bytes, at, high)
  writeInt32(bytes, at + 4, low)
  return sealed(bytes)
}

/** The base offset stands before what the CRC covers. */
function withOffset(high: number, low: number): Uint8Array {
  const bytes = batch()
  writeInt32(bytes, 0, high)
  writeInt32(bytes, 4, low)
  return bytes
}

const edges32 = [-1, 0, 1, 3, 0x7fffffff, -0x80000000]
const edges64: readonly (readonly [high: number, low: number])[] = [
  [-1, -1],
  [-1, -2],
  [0x7fffffff, -1],
  [-0x80000000, 0],
  [0x200000, 0],
]

/** Right for any topic: a compacted one takes records with keys only. */
export function rightBatch(): Uint8Array {
  return batch({ records: [{ key: 'one', value: 'two' }] })
}

/** Every way in which a batch can be wrong: hostile bytes of durability.md 5.6. */
export const badBatches = {
  right: () => batch(),
  'wrong CRC': flipped,
  'wrong count': (random: Prng) => counted(random.pick([0, 1, 3, 1000, 0x7fffffff])),
  'count in the header': (random: Prng) => with32(57, random.pick(edges32)),
  'last offset delta': (random: Prng) => with32(23, random.pick(edges32)),
  'length field': (random: Prng) => {
    return with32(8, random.pick([...edges32, 48, 49, 50, 1 << 20]))
  },
  'base timestamp': (random: Prng) => at64(27, ...random.pick(edges64)),
  'greatest timestamp': (random: Prng) => at64(35, ...random.pick(edges64)),
  'producer id': (random: Prng) => at64(43, ...random.pick(edges64)),
  'base offset': (random: Prng) => withOffset(...random.pick(edges64)),
  'negative sequence': (random: Prng) => {
    const baseSequence = random.pick([-1, -2, -0x80000000])
    return batch({ producerId: 1, producerEpoch: 0, baseSequence })
  },
  'sequence at its end': () => {
    return batch({ producerId: 2, producerEpoch: 0, baseSequence: 0x7fffffff })
  },
  'control flag': () => batch({ control: true, producerId: 1, producerEpoch: 0, baseSequence: 0 }),
  'transactional flag': () => batch({ transactional: true, producerId: 1, producerEpoch: 0 }),
  overlapping: () => concat([batch({ baseOffset: 5 }), batch({ baseOffset: 5 })]),
  'records overrunning': overrunning,
  'records cut': () => {
    const cut = encodeRecords(two).subarray(0, 5)
    return batch({ records: { codec: 0, bytes: cut, count: 2 } })
  },
  'noise for a codec': (random: Prng) => {
    const codec = random.below(8)
    return batch({ records: { codec, bytes: random.bytes(random.below(100)), count: 1 } })
  },
  'cut header': (random: Prng) => batch().subarray(0, random.below(62)),
  magic: (random: Prng) => {
    const bytes = batch()
    bytes[16] = random.pick([0, 1, 3, 0xff])
    return sealed(bytes)
  },
  'attribute bits': (random: Prng) => {
    const bytes = batch()
    bytes[21] = random.below(256)
    bytes[22] = random.below(256)
    return sealed(bytes)
  },
  noise: (random: Prng) => random.bytes(random.below(200)),
} as const

const badNames = Object.keys(badBatches) as BadBatch[]

/** Some batch, right in one of three. */
export function someBatch(random: Prng): Uint8Array {
  return random.chance(1, 3) ? batch() : badBatches[random.pick(badNames)](random)
}

/** Greatest batch of the topics that bombs are sent to: snappy's needs so much, it never becomes more than 22 times. */
export const bombBytesMax = 8 << 20

/** Opens to nearly the 64 MiB that a batch may become; zeros are no records, but only who looks at them knows. */
export async function nearlyBomb(codecs: Codecs): Promise<Uint8Array> {
  const bytes = await codecs.compress(2, new Uint8Array(60 << 20))
  return batch({ records: { codec: 2, bytes, count: 1 } })
}

/** One batch a codec, each a few KiB to a few MiB that open to 100 MiB; and sizes that are lies. */
export async function bombs(codecs: Codecs): Promise<ReadonlyMap<string, Uint8Array>> {
  const opened = new Uint8Array(100 << 20)
  const made = new Map<string, Uint8Array>()
  for (const [codec, name] of [
    [1, 'gzip'],
    [2, 'snappy'],
    [3, 'lz4'],
    [4, 'zstd'],
  ] as const) {
    const bytes = await codecs.compress(codec, opened)
    made.set(name, batch({ records: { codec, bytes, count: 1 } }))
  }
  // Headers that lie about the size: nothing of it may be allocated.
  const bareSnappy = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0)
  const framedSnappy = Buffer.from('82534e4150505900000000010000000100000006ffffffff0f00', 'hex')
  made.set('snappy that lies', batch({ records: { codec: 2, bytes: bareSnappy, count: 1 } }))
  made.set('xerial that lies', batch({ records: { codec: 2, bytes: framedSnappy, count: 1 } }))
  return made
}
