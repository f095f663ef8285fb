import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { errorCode, type ErrorName } from '../../src/broker/wire/errors.ts'
import { deleteRecords } from '../../src/broker/wire/messages/index.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { Prng } from '../../src/lib/prng.ts'
import { InProcessBroker } from '../helpers/in-process.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'

let broker: InProcessBroker
let client: BrokerClient

beforeAll(async () => {
  broker = await InProcessBroker.start()
  client = await broker.connect()
})

afterAll(async () => {
  await broker[Symbol.asyncDispose]()
})

const code = (name: ErrorName): number => errorCode(name)

/** A topic of one partition with ten records in ten batches. */
async function filled(topic: string, configs: Readonly<Record<string, string>> = {}) {
  await client.createTopics([{ name: topic, configs }])
  const at = { topic, partition: 0 }
  const record = { key: utf8('k'), value: utf8('value') }
  for (let sent = 0; sent < 10; sent++) await client.produce(at, encodeBatch({ records: [record] }))
  return at
}

async function remove(
  topic: string,
  offset: number,
  { version = 2, partition = 0, by = client } = {},
): Promise<[errorCode: number, lowWatermark: number]> {
  const partitions = [{ partitionIndex: partition, offset }]
  const topics = [{ name: topic, partitions }]
  const answer = await by.request(deleteRecords, version, { topics, timeoutMs: 10_000 })
  const found = answer.topics[0]!.partitions[0]!
  expect([answer.topics[0]!.name, found.partitionIndex]).toEqual([topic, partition])
  return [found.errorCode, found.lowWatermark]
}

describe('DeleteRecords', () => {
  test.each([0, 1, 2])('v%i moves the start of a log up, never back', async version => {
    const at = await filled(`up-${version}`)
    expect(await remove(at.topic, 4, { version })).toEqual([0, 4])
    expect(await client.listOffset(at, -2)).toMatchObject({ offset: 4 })
    const below = await client.fetch(at, 3)
    expect(below).toMatchObject({ errorCode: code('OFFSET_OUT_OF_RANGE'), logStartOffset: -1 })
    expect(await client.fetch(at, 4)).toMatchObject({ errorCode: 0, highWatermark: 10 })
    expect(await remove(at.topic, 2, { version })).toEqual([0, 4])
    expect(await remove(at.topic, 10, { version })).toEqual([0, 10])
    expect(await client.listOffset(at, -2)).toMatchObject({ offset: 10 })
  })

  test('empties a partition with -1, and it goes on where it was', async () => {
    const at = await filled('all')
    expect(await remove('all', -1)).toEqual([0, 10])
    expect(await client.fetch(at, 10)).toMatchObject({ errorCode: 0, logStartOffset: 10 })
    const records = [{ key: null, value: utf8('next') }]
    const produced = await client.produce(at, encodeBatch({ records }))
    expect(produced).toMatchObject({ errorCode: 0, baseOffset: 10, logStartOffset: 10 })
    expect((await client.fetch(at, 10)).records.length).toBeGreaterThan(0)
  })

  test.each<[string, string, number, ErrorName]>([
    ['above the high watermark', 'bounds', 11, 'OFFSET_OUT_OF_RANGE'],
    ['at a negative offset', 'bounds', -2, 'OFFSET_OUT_OF_RANGE'],
    ['of an unknown topic', 'none', 0, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['of a compacted topic', 'compacted', 1, 'POLICY_VIOLATION'],
    ['of an internal topic', '__consumer_offsets', 0, 'INVALID_TOPIC_EXCEPTION'],
  ])('%s is refused', async (_, topic, offset, error) => {
    await filled('bounds')
    await filled('compacted', { 'cleanup.policy': 'compact' })
    await client.createTopics([{ name: '__consumer_offsets' }])
    expect(await remove(topic, offset)).toEqual([code(error), -1])
  })

  test('is allowed where a topic is both compacted and deleted from', async () => {
    await filled('both', { 'cleanup.policy': 'compact,delete' })
    expect(await remove('both', 3)).toEqual([0, 3])
    expect(await remove('both', 3, { partition: 1 })).toEqual([
      code('UNKNOWN_TOPIC_OR_PARTITION'),
      -1,
    ])
  })

  test('is durable when the answer comes: after a power failure the records stay gone', async () => {
    const first = await InProcessBroker.start({ flushPolicy: 'ack' })
    const before = await first.connect()
    await before.createTopics([{ name: 'durable' }])
    const at = { topic: 'durable', partition: 0 }
    const batch = encodeBatch({ records: [{ key: null, value: utf8('value') }] })
    for (let sent = 0; sent < 10; sent++) await before.produce(at, batch.slice())
    expect(await remove('durable', 7, { by: before })).toEqual([0, 7])
    const left = first.disk.clone()
    await first[Symbol.asyncDispose]()
    for (let seed = 0; seed < 8; seed++) {
      const disk = left.clone().crashMachine(new Prng(seed))
      const second = await InProcessBroker.start({}, disk)
      const after = await second.connect()
      expect(await after.listOffset(at, -2)).toMatchObject({ offset: 7 })
      expect(await after.listOffset(at, -1)).toMatchObject({ offset: 10 })
      await second[Symbol.asyncDispose]()
    }
  })
})
