import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { Partition } from '../../src/broker/partition/partition.ts'
import { errorCode, type ErrorName } from '../../src/broker/wire/errors.ts'
import { deleteRecords, fetch, type FetchResponse } from '../../src/broker/wire/messages/index.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'
import { InProcessBroker } from '../helpers/in-process.ts'

/** What Kafka answers in every step is in test/differential; here is what only we can tell. */

let broker: InProcessBroker
let client: BrokerClient

beforeAll(async () => {
  broker = await InProcessBroker.start({ maxIncrementalFetchSessionCacheSlots: 3 })
  client = await broker.connect()
})
afterAll(() => broker[Symbol.asyncDispose]())
afterEach(() => vi.restoreAllMocks())

const forever = 3_600_000
const batch = encodeBatch({ records: [{ key: 'k', value: 'v' }] })

interface Topic {
  readonly name: string
  readonly topicId: string
}

async function topicOf(name: string, partitions = 1): Promise<Topic> {
  const { topics } = await client.createTopics([{ name, partitions }])
  return { name, topicId: topics[0]!.topicId! }
}

async function write({ name }: Topic, partition = 0): Promise<void> {
  const { errorCode: error } = await client.produce({ topic: name, partition }, batch)
  expect(error).toBe(0)
}

async function cut(by: BrokerClient, { name }: Topic, offset: number): Promise<void> {
  const topics = [{ name, partitions: [{ partitionIndex: 0, offset }] }]
  await by.request(deleteRecords, 2, { topics, timeoutMs: 10_000 })
}

interface Asked {
  readonly offsets?: readonly (readonly [partition: number, offset: number])[]
  readonly forgotten?: readonly number[]
  readonly waitMs?: number
}

/** A consumer of one topic that reads in a session, by ids of topics. */
class Consumer {
  readonly #topic: Topic
  sessionId = 0
  epoch = 0

  constructor(topic: Topic) {
    this.#topic = topic
  }

  async poll(asked: Asked = {}, by = client): Promise<FetchResponse> {
    const { offsets = [], forgotten = [], waitMs = 0 } = asked
    const { name: topic, topicId } = this.#topic
    const partitions = offsets.map(([partition, fetchOffset]) => {
      return { partition, fetchOffset, partitionMaxBytes: 1 << 20 }
    })
    const answer = by.request(fetch, 18, {
      maxWaitMs: waitMs,
      minBytes: 1,
      maxBytes: 1 << 20,
      isolationLevel: 0,
      sessionId: this.sessionId,
      sessionEpoch: this.epoch++,
      topics: partitions.length === 0 ? [] : [{ topic, topicId, partitions }],
      forgottenTopicsData:
        forgotten.length === 0 ? [] : [{ topic, topicId, partitions: [...forgotten] }],
      rackId: '',
    })
    const { sessionId } = await answer
    if (this.epoch === 1) this.sessionId = sessionId
    return await answer
  }

  async close(): Promise<void> {
    this.epoch = -1
    await this.poll()
  }
}

/** The partitions of an answer with their errors. */
function told({ responses }: FetchResponse): (readonly [number, ErrorName | number])[] {
  return responses.flatMap(({ partitions }) =>
    partitions.map(({ partitionIndex, errorCode: error }) => [partitionIndex, error] as const),
  )
}

async function metric(name: string): Promise<number> {
  const line = (await broker.metrics.text()).split('\n').find(each => each.startsWith(`${name} `))
  return Number(line?.split(' ')[1])
}

describe('a session', () => {
  test('reads no partition that told no news, and only those that did', async () => {
    const topic = await topicOf('idle', 1000)
    const consumer = new Consumer(topic)
    const offsets = Array.from({ length: 1000 }, (_, at) => [at, 0] as const)
    expect(told(await consumer.poll({ offsets }))).toHaveLength(1000)
    expect(await metric('logcluster_fetch_session_partitions')).toBe(1000)
    await consumer.poll()
    const reads = vi.spyOn(Partition.prototype, 'read')
    for (let poll = 0; poll < 3; poll++) expect(told(await consumer.poll())).toEqual([])
    expect(reads).toHaveBeenCalledTimes(0)
    await write(topic, 700)
    await write(topic, 20)
    expect(told(await consumer.poll())).toEqual([
      [20, 0],
      [700, 0],
    ])
    expect(reads).toHaveBeenCalledTimes(2)
    await consumer.close()
    expect(await metric('logcluster_fetch_session_partitions')).toBe(0)
  })

  test('wakes for any of its partitions', async () => {
    const topic = await topicOf('wakes', 3)
    const consumer = new Consumer(topic)
    await consumer.poll({ offsets: [0, 1, 2].map(at => [at, 0] as const) })
    const writer = await broker.connect()
    for (const at of [2, 0, 1]) {
      const parked = consumer.poll({ waitMs: forever })
      await writer.produce({ topic: topic.name, partition: at }, batch)
      expect(told(await parked)).toEqual([[at, 0]])
      await consumer.poll({ offsets: [[at, 1]] })
    }
    await consumer.close()
  })

  test('answers a request that waits as soon as the next one comes, so that it holds up no answer', async () => {
    const topic = await topicOf('overtaken', 2)
    await write(topic, 1)
    const consumer = new Consumer(topic)
    await consumer.poll({ offsets: [[0, 0]] })
    await consumer.poll()
    const waiting = consumer.poll({ waitMs: forever })
    const next = consumer.poll({ offsets: [[1, 0]], waitMs: forever })
    expect(await waiting).toMatchObject({
      errorCode: errorCode('INVALID_FETCH_SESSION_EPOCH'),
      responses: [],
    })
    expect((await next).responses).toMatchObject([{ partitions: [{ partitionIndex: 1 }] }])
    await consumer.close()
  })

  test('hears of a topic that is gone, and of another one that has its name', async () => {
    const topic = await topicOf('gone')
    const consumer = new Consumer(topic)
    await consumer.poll({ offsets: [[0, 0]] })
    const other = await broker.connect()
    const parked = consumer.poll({ waitMs: forever })
    await other.deleteTopics([topic.name])
    expect(told(await parked)).toEqual([[0, errorCode('UNKNOWN_TOPIC_OR_PARTITION')]])
    const anew = await topicOf('gone')
    const inconsistent = [[0, errorCode('INCONSISTENT_TOPIC_ID')]]
    expect(told(await consumer.poll({ waitMs: forever }))).toEqual(inconsistent)
    expect(told(await consumer.poll({ waitMs: forever, offsets: [[0, 0]] }))).toEqual(inconsistent)
    const alone = new Consumer(topic)
    alone.epoch = -1
    expect(told(await alone.poll({ offsets: [[0, 0]], waitMs: forever }))).toEqual([
      [0, errorCode('UNKNOWN_TOPIC_ID')],
    ])
    const next = new Consumer(anew)
    expect(told(await next.poll({ offsets: [[0, 0]] }))).toEqual([[0, 0]])
    await next.close()
    await consumer.close()
  })

  test('is told that a log begins later, but does not wake for it', async () => {
    const topic = await topicOf('cut')
    await write(topic)
    const consumer = new Consumer(topic)
    await consumer.poll({ offsets: [[0, 1]] })
    await consumer.poll()
    const parked = consumer.poll({ waitMs: forever })
    const other = await broker.connect()
    await cut(other, topic, 1)
    await other.produce({ topic: topic.name, partition: 0 }, batch)
    const { responses } = await parked
    expect(responses[0]!.partitions[0]).toMatchObject({ logStartOffset: 1, highWatermark: 2 })
    await consumer.poll({ offsets: [[0, 2]] })
    await cut(other, topic, 2)
    const later = await consumer.poll()
    expect(later.responses[0]!.partitions[0]).toMatchObject({ logStartOffset: 2 })
    expect(told(await consumer.poll())).toEqual([])
    await consumer.close()
  })

  test('hears of a log that went out of service', async () => {
    const topic = await topicOf('broken')
    await write(topic)
    const consumer = new Consumer(topic)
    await consumer.poll({ offsets: [[0, 1]] })
    await consumer.poll()
    const parked = consumer.poll({ waitMs: forever })
    broker.disk.failNext({ operation: 'read', pathPattern: /broken-0.*\.log$/, code: 'EIO' })
    const other = await broker.connect()
    await other.fetch({ topic: topic.name, partition: 0 }, 0)
    expect(told(await parked)).toEqual([[0, errorCode('KAFKA_STORAGE_ERROR')]])
    await consumer.close()
  })

  test('belongs to no connection, and shows who reads by which', async () => {
    const topic = await topicOf('moves')
    const consumer = new Consumer(topic)
    await consumer.poll({ offsets: [[0, 0]] })
    await consumer.poll()
    const other = await broker.connect()
    const reads = vi.spyOn(Partition.prototype, 'read')
    expect((await consumer.poll({}, other)).errorCode).toBe(0)
    expect(reads).toHaveBeenCalledTimes(1)
    await consumer.poll({}, other)
    expect(reads).toHaveBeenCalledTimes(1)
    await consumer.close()
  })

  test('finds no slot where others have them, and is answered in full', async () => {
    const topic = await topicOf('slots')
    const consumers = Array.from({ length: 4 }, () => new Consumer(topic))
    for (const each of consumers) await each.poll({ offsets: [[0, 0]] })
    expect(consumers.map(({ sessionId }) => sessionId !== 0)).toEqual([true, true, true, false])
    expect(await metric('logcluster_fetch_sessions')).toBe(3)
    expect(await metric('logcluster_fetch_session_evictions_total')).toBe(0)
    for (const each of consumers.slice(0, 3)) await each.close()
    expect(await metric('logcluster_fetch_sessions')).toBe(0)
  })
})
