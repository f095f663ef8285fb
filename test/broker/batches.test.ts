import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeBatch, readTimestamps, type BatchInput } from '../../src/broker/log/batch/batch.ts'
import { encodeRecords } from '../../src/broker/log/batch/records.ts'
import { errorCode, type ErrorName } from '../../src/broker/wire/errors.ts'
import { createTopics, produce } from '../../src/broker/wire/messages/index.ts'
import type { Int64 } from '../../src/lib/bytes.ts'
import { crc32c } from '../../src/lib/crc32c.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'
import { InProcessBroker } from '../helpers/in-process.ts'

// What Apache Kafka 4.3.1 answered to these batches, and how it stored them.

let broker: InProcessBroker
let client: BrokerClient
let topics = 0

beforeAll(async () => {
  broker = await InProcessBroker.start()
  client = await broker.connect()
})
afterAll(() => broker[Symbol.asyncDispose]())

type Configs = Readonly<Record<string, string>>

/** Produces to a new topic: the error, and which records are to blame. */
async function send(records: Uint8Array, configs: Configs = {}) {
  const topic = `batches-${++topics}`
  const counts = { numPartitions: 1, replicationFactor: 1, assignments: [] }
  const list = Object.entries(configs).map(([name, value]) => ({ name, value }))
  await client.request(createTopics, 7, {
    topics: [{ name: topic, ...counts, configs: list }],
    timeoutMs: 10_000,
    validateOnly: false,
  })
  const { responses } = await client.request(produce, 9, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 5000,
    topicData: [{ name: topic, partitionData: [{ index: 0, records }] }],
  })
  const answer = responses[0]!.partitionResponses[0]!
  const blamed = answer.recordErrors.map(({ batchIndex }) => batchIndex)
  return { at: { topic, partition: 0 }, errorCode: answer.errorCode, blamed }
}

const now = Date.now()
const hour = 3_600_000
const anyTime = { 'message.timestamp.after.max.ms': String(2n ** 63n - 1n) }

/** Records at these milliseconds after `now`. */
function batch(deltas: readonly number[], header: Partial<BatchInput> = {}): Uint8Array {
  const records = deltas.map(timestampDelta => ({ value: 'v', timestampDelta }))
  return encodeBatch({ records, baseTimestamp: now, ...header })
}

function gzipped(deltas: readonly number[], header: Partial<BatchInput> = {}): Uint8Array {
  const records = encodeRecords(deltas.map(timestampDelta => ({ value: 'v', timestampDelta })))
  const payload = { codec: 1, bytes: new Uint8Array(gzipSync(records)), count: deltas.length }
  return encodeBatch({ records: payload, baseTimestamp: now, ...header })
}

describe('the greatest timestamp is that of the records, whatever the header says', () => {
  const nanos = BigInt(now) * 1_000_000n
  test.each<[string, Uint8Array, Int64, Configs?]>([
    ['said right', batch([0, 5, 3]), now + 5],
    ['-1', batch([0, 5, 3], { maxTimestamp: -1 }), now + 5],
    ['below the truth', batch([0, 5, 3], { maxTimestamp: now + 1 }), now + 5],
    ['above the truth', batch([0, 5, 3], { maxTimestamp: now + 1000 }), now + 5],
    ['far above it', batch([0, 5, 3], { maxTimestamp: nanos }), now + 5],
    ['before the first', batch([0, -5]), now],
    ['base in the future, record now', batch([-2 * hour], { baseTimestamp: now + 2 * hour }), now],
    ['before 1970', batch([0, 5], { baseTimestamp: -1000 }), -1],
    ['before and after 1970', batch([0, 2000], { baseTimestamp: -1000 }), 1000],
    ['none', batch([0, 0], { baseTimestamp: -1 }), -1],
    ['nanoseconds', batch([0, 5], { baseTimestamp: nanos }), nanos + 5n, anyTime],
    [
      'nanoseconds, said wrong',
      batch([0, 5], { baseTimestamp: nanos, maxTimestamp: nanos + 4n }),
      nanos + 5n,
      anyTime,
    ],
    ['the last of 64 bits', batch([0], { baseTimestamp: 2n ** 63n - 1n }), 2n ** 63n - 1n, anyTime],
    ['compressed, -1', gzipped([0, 5], { maxTimestamp: -1 }), now + 5],
    ['compressed, below the base', gzipped([0, 5], { maxTimestamp: now - 5 }), now + 5],
    ['compressed, out of bounds', gzipped([0, 5], { maxTimestamp: now + 2 * hour }), now + 5],
    ['compressed, before 1970', gzipped([0, 5], { baseTimestamp: -1000 }), -1],
    [
      'compressed here',
      batch([0, 5, 3], { maxTimestamp: -1 }),
      now + 5,
      { 'compression.type': 'gzip' },
    ],
  ])('%s', async (_, records, greatest, configs) => {
    const { at, errorCode: error } = await send(records, configs)
    expect(error).toBe(0)
    const stored = (await client.fetch(at, 0)).records
    expect(readTimestamps(stored, 0).maxTimestamp).toBe(greatest)
    const crc = new DataView(stored.buffer, stored.byteOffset).getUint32(17)
    expect(crc32c(stored, 21)).toBe(crc)
    // A look-up by time finds the record, exactly.
    if (greatest < 0) return
    const found = await client.listOffset(at, greatest)
    expect([found.errorCode, found.timestamp]).toEqual([0, greatest])
    expect((await client.listOffset(at, -3)).timestamp).toBe(greatest)
    const beyond = BigInt(greatest) + 1n
    if (beyond < 2n ** 63n) expect((await client.listOffset(at, beyond)).offset).toBe(-1)
  })
})

describe('refused', () => {
  const of = (deltas: readonly number[]) => encodeRecords(deltas.map(() => ({ value: 'v' })))
  const uncompressed = (bytes: Uint8Array, count: number) =>
    encodeBatch({ records: { codec: 0, bytes, count }, baseTimestamp: now })
  const old = { 'message.timestamp.before.max.ms': String(hour) }
  test.each<[string, Uint8Array, ErrorName, number[], Configs?]>([
    ['noise', uncompressed(new Uint8Array(40).fill(0xa5), 3), 'INVALID_RECORD', []],
    ['fewer records counted than sent', uncompressed(of([0, 0, 0]), 2), 'INVALID_RECORD', []],
    ['more records counted than sent', uncompressed(of([0, 0, 0]), 4), 'INVALID_RECORD', []],
    ['a record out of bounds', batch([0, 2 * hour]), 'INVALID_TIMESTAMP', [1]],
    [
      'a record out of bounds behind a header within',
      batch([0, 2 * hour], { maxTimestamp: now }),
      'INVALID_TIMESTAMP',
      [1],
    ],
    ['a record too old', batch([0, -2 * hour]), 'INVALID_TIMESTAMP', [1], old],
    ['a record before 1970', batch([0], { baseTimestamp: -1000 }), 'INVALID_TIMESTAMP', [0], old],
    ['nanoseconds', batch([0, 5], { baseTimestamp: now * 1e6 }), 'INVALID_TIMESTAMP', [0, 1]],
    ['no key', batch([0]), 'INVALID_RECORD', [0], { 'cleanup.policy': 'compact' }],
  ])('%s', async (...row) => {
    const [, records, error, blamed, configs] = row
    const answer = await send(records, configs)
    expect([answer.errorCode, answer.blamed]).toEqual([errorCode(error), blamed])
    expect((await client.listOffset(answer.at, -1)).offset).toBe(0)
  })
})
