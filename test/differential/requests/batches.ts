import { gzipSync } from 'node:zlib'
import { crc32c } from '../../../src/lib/crc32c.ts'
import { encodeBatch, type BatchInput } from '../../../src/broker/log/batch/batch.ts'
import { encodeRecords } from '../../../src/broker/log/batch/records.ts'
import { fetch, listOffsets, produce } from '../../../src/broker/wire/messages/index.ts'
import type { Scenario, Session } from '../session.ts'
import { fetchBody, produceBody, someTime } from './data.ts'

/** Where the fields of a batch lie. */
const at = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
} as const

const three = [
  { key: 'a', value: 'one' },
  { key: 'b', value: 'two', timestampDelta: 1000 },
  { key: 'c', value: 'three', timestampDelta: 500 },
]

/** Three records, the second the youngest; `changes` over that. */
function batch(changes: Partial<BatchInput> = {}): Buffer {
  return Buffer.from(encodeBatch({ records: three, baseTimestamp: someTime, ...changes }))
}

/** The same records under gzip. */
function zipped(changes: Partial<BatchInput> = {}): Buffer {
  const bytes = gzipSync(encodeRecords(three))
  const records = { codec: 1, bytes, count: three.length }
  return batch({ records, maxTimestamp: someTime + 1000, ...changes })
}

/** A batch with a right CRC after `change`. */
function resealed(bytes: Buffer, change: (bytes: Buffer) => void): Buffer {
  change(bytes)
  bytes.writeUInt32BE(crc32c(bytes, at.attributes, bytes.length), at.crc)
  return bytes
}

const with16 = (place: keyof typeof at, value: number, of = batch()): Buffer =>
  resealed(of, bytes => bytes.writeInt16BE(value, at[place]))
const with32 = (place: keyof typeof at, value: number, of = batch()): Buffer =>
  resealed(of, bytes => bytes.writeInt32BE(value, at[place]))
const with64 = (place: keyof typeof at, value: bigint, of = batch()): Buffer =>
  resealed(of, bytes => bytes.writeBigInt64BE(value, at[place]))
const magic = (value: number): Buffer =>
  resealed(batch(), bytes => bytes.writeInt8(value, at.magic))

/** A batch whose records are these bytes, said to be `count`. */
function payload(bytes: Uint8Array, count: number, codec = 0): Buffer {
  return batch({ records: { codec, bytes, count } })
}

/** Bytes that are no records. */
const garbage = Uint8Array.from({ length: 40 }, (_, place) => (place * 37 + 11) % 256)

const now = BigInt(someTime)

/** What a broker may be sent as a record set, by what is wrong with it. */
const recordSets: Readonly<Record<string, () => Uint8Array>> = {
  right: batch,
  'right, under gzip': zipped,
  'no bytes': () => new Uint8Array(0),
  'half a header': () => batch().subarray(0, 30),
  'a header alone': () => batch().subarray(0, 61),
  'cut by a byte': () => batch().subarray(0, -1),
  'a byte behind': () => Buffer.concat([batch(), Buffer.of(0)]),
  'two batches': () => Buffer.concat([batch(), batch()]),
  'a wrong CRC': () => {
    const bytes = batch()
    bytes[bytes.length - 1]! ^= 1
    return bytes
  },
  'magic 0': () => magic(0),
  'magic 1': () => magic(1),
  'magic 3': () => magic(3),
  'magic -1': () => magic(-1),
  'base offset 5': () => batch({ baseOffset: 5 }),
  'base offset -1': () => batch({ baseOffset: -1 }),
  'leader epoch 7': () => batch({ leaderEpoch: 7 }),
  'length one less': () => with32('length', batch().length - 13),
  'length one more': () => with32('length', batch().length - 11),
  'length 0': () => with32('length', 0),
  'length -1': () => with32('length', -1),
  'length 2^31-1': () => with32('length', 0x7fffffff),
  'no records': () => payload(new Uint8Array(0), 0),
  'no records, under gzip': () => payload(gzipSync(''), 0, 1),
  'count one less': () => with32('count', 2),
  'count one less, under gzip': () => with32('count', 2, zipped()),
  'count one more': () => with32('count', 4),
  'count 0': () => with32('count', 0),
  'count -1': () => with32('count', -1),
  'count and last offset delta one less': () => with32('lastOffsetDelta', 1, with32('count', 2)),
  'count and last offset delta one less, under gzip': () =>
    with32('lastOffsetDelta', 1, with32('count', 2, zipped())),
  'count and last offset delta one more': () => with32('lastOffsetDelta', 3, with32('count', 4)),
  'last offset delta one more': () => with32('lastOffsetDelta', 3),
  'last offset delta -1': () => with32('lastOffsetDelta', -1),
  'offset deltas with a gap': () =>
    batch({ records: [{ value: 'a' }, { value: 'b', offsetDelta: 2 }], lastOffsetDelta: 2 }),
  'offset deltas that fall': () =>
    batch({
      records: [
        { value: 'a', offsetDelta: 1 },
        { value: 'b', offsetDelta: 0 },
      ],
      lastOffsetDelta: 1,
    }),
  'offset deltas from 1 on': () =>
    batch({
      records: [
        { value: 'a', offsetDelta: 1 },
        { value: 'b', offsetDelta: 2 },
      ],
      lastOffsetDelta: 1,
    }),
  'garbage in place of records': () => payload(garbage, 3),
  'garbage in place of records, under gzip': () => payload(gzipSync(garbage), 3, 1),
  'garbage in place of gzip': () => payload(garbage, 3, 1),
  'garbage in place of snappy': () => payload(garbage, 3, 2),
  'garbage in place of lz4': () => payload(garbage, 3, 3),
  'garbage in place of zstd': () => payload(garbage, 3, 4),
  'codec 5': () => payload(garbage, 3, 5),
  'codec 7': () => payload(garbage, 3, 7),
  'bytes behind the records': () => payload(Buffer.concat([encodeRecords(three), garbage]), 3),
  'a record cut': () => payload(encodeRecords(three).subarray(0, -3), 3),
  'a record without key and value': () => batch({ records: [{}] }),
  'a record with headers': () =>
    batch({
      records: [
        {
          value: 'a',
          headers: [
            { key: 'h', value: 'v' },
            { key: '', value: null },
          ],
        },
      ],
    }),
  'attribute bit 7': () => with16('attributes', 1 << 7),
  'attribute bit 15': () => with16('attributes', -(1 << 15)),
  'append time told by the client': () => batch({ logAppendTime: true }),
  'delete horizon': () => with16('attributes', 1 << 6),
  control: () => batch({ control: true }),
  'control, of a producer': () =>
    batch({ control: true, producerId: 7, producerEpoch: 0, baseSequence: 0 }),
  transactional: () => batch({ transactional: true }),
  'transactional, of a producer': () =>
    batch({ transactional: true, producerId: 7, producerEpoch: 0, baseSequence: 0 }),
  'a producer without sequence': () => batch({ producerId: 7, producerEpoch: 0 }),
  'a producer without epoch': () => batch({ producerId: 7, baseSequence: 0 }),
  'a sequence without producer': () => batch({ producerEpoch: 0, baseSequence: 0 }),
  'producer id -2': () => batch({ producerId: -2, producerEpoch: 0, baseSequence: 0 }),
  'producer id 2^53+1': () =>
    with64(
      'producerId',
      2n ** 53n + 1n,
      batch({ producerId: 7, producerEpoch: 0, baseSequence: 0 }),
    ),
}

/** The times of a batch and its records, by what is odd about them. */
const times: Readonly<Record<string, () => Uint8Array>> = {
  'maximum -1': () => with64('maxTimestamp', -1n),
  'maximum -1, under gzip': () => with64('maxTimestamp', -1n, zipped()),
  'maximum below the base': () => with64('maxTimestamp', now - 5n),
  'maximum below the base, under gzip': () => with64('maxTimestamp', now - 5n, zipped()),
  'maximum below the truth': () => with64('maxTimestamp', now + 1n),
  'maximum below the truth, under gzip': () => with64('maxTimestamp', now + 1n, zipped()),
  'maximum above the truth': () => with64('maxTimestamp', now + 2000n),
  'maximum above the truth, under gzip': () => with64('maxTimestamp', now + 2000n, zipped()),
  'maximum beyond the bounds': () => with64('maxTimestamp', 2n ** 62n),
  'maximum beyond the bounds, under gzip': () => with64('maxTimestamp', 2n ** 62n, zipped()),
  'no times': () => batch({ baseTimestamp: -1, maxTimestamp: -1 }),
  'one record without time': () =>
    batch({ records: [{ value: 'a' }], baseTimestamp: -1, maxTimestamp: -1 }),
  'base 0': () => batch({ baseTimestamp: 0 }),
  'before 1970': () => batch({ baseTimestamp: -1000 }),
  'before 1970, all of it': () => batch({ baseTimestamp: -10_000, maxTimestamp: -9000 }),
  'before 1970, under gzip': () => zipped({ baseTimestamp: -10_000, maxTimestamp: -9000 }),
  'one record an hour and more ahead': () =>
    batch({ records: [{ value: 'a' }, { value: 'b', timestampDelta: 1e12 }] }),
  'one record far back': () =>
    batch({ records: [{ value: 'a' }, { value: 'b', timestampDelta: -1e12 }] }),
  nanoseconds: () =>
    with64('maxTimestamp', now * 1_000_000n + 1000n, with64('baseTimestamp', now * 1_000_000n)),
  'beyond 2^53': () =>
    with64('maxTimestamp', 2n ** 53n + 1001n, with64('baseTimestamp', 2n ** 53n + 1n)),
  '2^63-1': () =>
    with64(
      'maxTimestamp',
      2n ** 63n - 1n,
      with64('baseTimestamp', 2n ** 63n - 1n, batch({ records: [{ value: 'a' }] })),
    ),
  '-2^63': () =>
    with64(
      'maxTimestamp',
      -(2n ** 63n),
      with64('baseTimestamp', -(2n ** 63n), batch({ records: [{ value: 'a' }] })),
    ),
}

/** Each set goes to a partition of its own; then what is there, and for some where it is by time. */
function eachInto(
  name: string,
  sets: Readonly<Record<string, () => Uint8Array>>,
  configs: Readonly<Record<string, string>> = {},
): Scenario {
  return {
    name,
    run: async session => {
      const made = Object.entries(sets)
      const topic = await session.topic('topic', { partitions: made.length, configs })
      for (const [partition, [label, records]] of made.entries()) {
        await session.ask(label, produce, 11, produceBody(topic, records(), { partition }))
        await session.ask(`${label}: fetched`, fetch, 12, fetchBody(topic, { partition }))
        if (sets === times) await byTime(session, label, { topic, partition })
      }
    },
  }
}

async function byTime(
  session: Session,
  label: string,
  { topic, partition }: { readonly topic: string; readonly partition: number },
): Promise<void> {
  for (const [when, timestamp] of [
    ['earliest time', 0],
    ['half a second on', someTime + 500],
    ['a second on', someTime + 1000],
    ['greatest', -3],
  ] as const) {
    const topics = [{ name: topic, partitions: [{ partitionIndex: partition, timestamp }] }]
    await session.ask(`${label}: ${when}`, listOffsets, 7, { replicaId: -1, topics })
  }
}

/** Milliseconds, as the broker's own bound allows for nanoseconds too. */
const anyTime = { 'message.timestamp.after.max.ms': '9223372036854775807' }

export const batchScenarios: readonly Scenario[] = [
  eachInto('Record sets', recordSets),
  eachInto('Times of records', times),
  eachInto('Times of records, with no bound ahead', times, anyTime),
  eachInto('Times of records, within a minute', times, {
    'message.timestamp.before.max.ms': '60000',
    'message.timestamp.after.max.ms': '60000',
  }),
  eachInto('Record sets for a compacted topic', recordSets, { 'cleanup.policy': 'compact' }),
  eachInto('Record sets where the broker stamps', recordSets, {
    'message.timestamp.type': 'LogAppendTime',
  }),
  eachInto('Record sets for a small topic', recordSets, { 'max.message.bytes': '80' }),
]
