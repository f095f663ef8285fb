import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeBatch, readBatchHeader } from '../../src/broker/log/batch/batch.ts'
import type { RecordInput } from '../../src/broker/log/batch/records.ts'
import { errorCode, type ErrorName } from '../../src/broker/wire/errors.ts'
import type { Draft } from '../../src/broker/wire/field.ts'
import { createTopics, fetch, produce } from '../../src/broker/wire/messages/index.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { InProcessBroker } from '../helpers/in-process.ts'
import { produceRequest, type BrokerClient } from '../helpers/broker-client.ts'

let broker: InProcessBroker
let client: BrokerClient
let topicCount = 0

beforeAll(async () => {
  broker = await InProcessBroker.start()
  client = await broker.connect()
})

afterAll(async () => {
  await broker[Symbol.asyncDispose]()
})

async function newTopic(): Promise<{ topic: string; partition: number }> {
  const topic = `t${topicCount++}`
  await client.createTopics([{ name: topic }])
  return { topic, partition: 0 }
}

function batch(...values: string[]): Uint8Array {
  const records: RecordInput[] = values.map(value => ({ key: null, value: utf8(value) }))
  return encodeBatch({ records })
}

const code = (name: ErrorName): number => errorCode(name)

function fetchRequest(
  at: { topic: string; partition: number },
  changes: {
    offset?: number
    epoch?: number
    lastEpoch?: number
    waitMs?: number
    maxBytes?: number
    minBytes?: number
    sessionId?: number
    sessionEpoch?: number
  } = {},
): Draft<typeof fetch.request> {
  const { offset = 0, epoch = -1, lastEpoch = -1, waitMs = 0, maxBytes = 1 << 20 } = changes
  return {
    maxWaitMs: waitMs,
    minBytes: changes.minBytes ?? 1,
    maxBytes,
    isolationLevel: 0,
    sessionId: changes.sessionId ?? 0,
    sessionEpoch: changes.sessionEpoch ?? -1,
    topics: [
      {
        topic: at.topic,
        partitions: [
          {
            partition: at.partition,
            fetchOffset: offset,
            currentLeaderEpoch: epoch,
            lastFetchedEpoch: lastEpoch,
            partitionMaxBytes: maxBytes,
          },
        ],
      },
    ],
    forgottenTopicsData: [],
    rackId: '',
  }
}

async function fetchOne(...args: Parameters<typeof fetchRequest>) {
  const answer = await client.request(fetch, 12, fetchRequest(...args))
  return answer.responses[0]!.partitions[0]!
}

/** One of the five that an idempotent producer has under way. */
const numbered = (producerId: number, baseSequence: number): Uint8Array =>
  encodeBatch({ records: [{ value: utf8('v') }], producerId, producerEpoch: 0, baseSequence })

test('KAFKA-15591: what an idempotent producer sent behind a refused first batch is not taken before it', async () => {
  const at = { topic: 'made-meanwhile', partition: 0 }
  const { producerId } = await client.initProducerId()
  const send = async (sequence: number): Promise<number> =>
    (await client.produce(at, numbered(producerId, sequence))).errorCode
  expect(await send(0)).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
  await client.createTopics([{ name: at.topic }])
  expect(await send(1)).toBe(code('OUT_OF_ORDER_SEQUENCE_NUMBER'))
  for (const sequence of [0, 1, 2]) expect(await send(sequence)).toBe(code('NONE'))
  // Of whom no batch was refused any sequence is taken, as in Kafka (G22).
  const another = await client.initProducerId()
  expect(await client.produce(at, numbered(another.producerId, 5))).toMatchObject({ errorCode: 0 })
})

describe('Produce', () => {
  test('gives offsets in order, for every acks that is answered', async () => {
    const at = await newTopic()
    expect(await client.produce(at, batch('a', 'b'), -1)).toMatchObject({
      errorCode: 0,
      baseOffset: 0,
    })
    expect(await client.produce(at, batch('c'), 1)).toMatchObject({ errorCode: 0, baseOffset: 2 })
  })

  test('acks=0 is not answered, and what follows is', async () => {
    const at = await newTopic()
    client.send(produce, 9, produceRequest(at, batch('quiet'), 0))
    expect(await client.produce(at, batch('loud'))).toMatchObject({ errorCode: 0, baseOffset: 1 })
  })

  test('a Fetch right behind a Produce sees what that wrote, whatever its acks', async () => {
    const at = await newTopic()
    for (const [offset, acks] of [0, 1, -1, 0, 1, -1].entries()) {
      const records = produceRequest(at, batch('x'), acks)
      if (acks === 0) client.send(produce, 9, records)
      const produced = acks === 0 ? null : client.request(produce, 9, records)
      const { highWatermark } = await fetchOne(at, { offset })
      expect(highWatermark).toBe(offset + 1)
      await produced
    }
  })

  test('acks=0 that is refused closes the connection (G15)', async () => {
    const other = await broker.connect()
    other.send(produce, 9, produceRequest({ topic: 'nowhere', partition: 0 }, batch('x'), 0))
    await other.closed
    expect(other.isOpen).toBe(false)
  })

  test.each([
    ['unknown topic', { topic: 'nowhere', partition: 0 }, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['unknown partition', { topic: 't0', partition: 99 }, 'UNKNOWN_TOPIC_OR_PARTITION'],
  ] as const)('refuses an %s', async (_, at, error) => {
    const answer = await client.produce(at, batch('x'))
    expect(answer.errorCode).toBe(code(error))
    expect(answer.errorMessage).not.toBe(null)
  })

  test('refuses other acks, transactions, empty and double batches, and zstd before version 7', async () => {
    const at = await newTopic()
    const errorOf = async (version: number, request: Draft<typeof produce.request>) =>
      (await client.request(produce, version, request)).responses[0]!.partitionResponses[0]!
        .errorCode
    const plain = produceRequest(at, batch('x'), -1)
    expect(await errorOf(9, { ...plain, acks: 5 })).toBe(code('INVALID_REQUIRED_ACKS'))
    expect(await errorOf(9, { ...plain, transactionalId: 'tx' })).toBe(
      code('TRANSACTIONAL_ID_AUTHORIZATION_FAILED'),
    )
    expect(await errorOf(9, produceRequest(at, new Uint8Array(0), -1))).toBe(code('INVALID_RECORD'))
    const twice = new Uint8Array([...batch('x'), ...batch('y')])
    expect(await errorOf(9, produceRequest(at, twice, -1))).toBe(code('INVALID_RECORD'))
    const zstd = encodeBatch({ records: { codec: 4, bytes: new Uint8Array(20), count: 1 } })
    expect(await errorOf(6, produceRequest(at, zstd, -1))).toBe(
      code('UNSUPPORTED_COMPRESSION_TYPE'),
    )
    expect(await fetchOne(at)).toMatchObject({ highWatermark: 0 })
  })

  test('answers a duplicate of an idempotent producer with its first offsets (G21)', async () => {
    const at = await newTopic()
    const { producerId } = await client.initProducerId()
    const make = (baseSequence: number): Uint8Array =>
      encodeBatch({
        producerId,
        producerEpoch: 0,
        baseSequence,
        records: [{ key: null, value: utf8('v') }],
      })
    expect(await client.produce(at, make(0))).toMatchObject({ errorCode: 0, baseOffset: 0 })
    expect(await client.produce(at, make(1))).toMatchObject({ errorCode: 0, baseOffset: 1 })
    expect(await client.produce(at, make(0))).toMatchObject({ errorCode: 0, baseOffset: 0 })
    expect(await client.produce(at, make(7))).toMatchObject({
      errorCode: code('OUT_OF_ORDER_SEQUENCE_NUMBER'),
    })
    expect(await fetchOne(at)).toMatchObject({ highWatermark: 2 })
  })

  test('pipelined requests of one connection are appended and answered in their order (G13, G14)', async () => {
    const at = await newTopic()
    const answers = Array.from({ length: 50 }, (_, n) => client.produce(at, batch(`n${n}`)))
    const offsets = (await Promise.all(answers)).map(answer => answer.baseOffset)
    expect(offsets).toEqual(Array.from({ length: 50 }, (_, n) => n))
  })
})

describe('Fetch', () => {
  test('returns the whole batch that holds the offset (G28)', async () => {
    const at = await newTopic()
    await client.produce(at, batch('a', 'b', 'c'))
    const { records } = await fetchOne(at, { offset: 2 })
    expect(readBatchHeader(records!, 0)).toMatchObject({ baseOffset: 0, count: 3 })
  })

  test('returns one whole batch, however small the limit (G29)', async () => {
    const at = await newTopic()
    await client.produce(at, batch('x'.repeat(5000)))
    await client.produce(at, batch('y'))
    const { records } = await fetchOne(at, { maxBytes: 10 })
    expect(records!.length).toBeGreaterThan(5000)
    expect(readBatchHeader(records!, 0).sizeBytes).toBe(records!.length)
  })

  test('is empty at the end, out of range behind it and before the start (G34)', async () => {
    const at = await newTopic()
    await client.produce(at, batch('a'))
    expect(await fetchOne(at, { offset: 1 })).toMatchObject({ errorCode: 0, highWatermark: 1 })
    expect(await fetchOne(at, { offset: 2 })).toMatchObject({
      errorCode: code('OFFSET_OUT_OF_RANGE'),
    })
    expect(await fetchOne(at, { offset: -1 })).toMatchObject({
      errorCode: code('OFFSET_OUT_OF_RANGE'),
    })
  })

  test('a long poll wakes when a record comes (G30)', async () => {
    const at = await newTopic()
    const parked = fetchOne(at, { waitMs: 30_000 })
    const producer = await broker.connect()
    await producer.produce(at, batch('wake'))
    expect((await parked).records!.length).toBeGreaterThan(0)
  })

  test('a long poll waits for min_bytes, and no longer than max_wait', async () => {
    const at = await newTopic()
    await client.produce(at, batch('little'))
    const { records } = await fetchOne(at, { waitMs: 50, minBytes: 1 << 20 })
    expect(records!.length).toBeGreaterThan(0)
    const parked = fetchOne(at, { waitMs: 30_000, minBytes: 2000 })
    const producer = await broker.connect()
    for (let n = 0; n < 4; n++) await producer.produce(at, batch('z'.repeat(600)))
    expect((await parked).records!.length).toBeGreaterThan(2000)
  })

  test('a long poll ends when its topic is deleted', async () => {
    const at = await newTopic()
    const parked = fetchOne(at, { waitMs: 30_000 })
    const other = await broker.connect()
    await other.deleteTopics([at.topic])
    expect(await parked).toMatchObject({ errorCode: code('UNKNOWN_TOPIC_OR_PARTITION') })
  })

  test('a long poll is answered when the broker stops, which does not wait for it', async () => {
    await using stopping = await InProcessBroker.start({ gracefulStopTimeoutMs: 1000 })
    const reader = await stopping.connect()
    await reader.createTopics([{ name: 'read' }])
    const parked = reader.fetch({ topic: 'read', partition: 0 }, 0, { waitMs: 30_000 })
    const { requests } = stopping.metrics.api('Fetch')
    while (requests.value === 0) await new Promise(resolve => setImmediate(resolve))
    await stopping.broker.stop()
    expect(await parked).toMatchObject({ errorCode: code('NONE'), highWatermark: 0 })
  })

  test('an error does not wait for max_wait', async () => {
    const answer = await fetchOne({ topic: 'nowhere', partition: 0 }, { waitMs: 30_000 })
    expect(answer.errorCode).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
  })

  test('fences leader epochs on both sides (G33)', async () => {
    const at = await newTopic()
    expect(await fetchOne(at, { epoch: 0 })).toMatchObject({ errorCode: 0 })
    expect(await fetchOne(at, { epoch: 9, waitMs: 30_000 })).toMatchObject({
      errorCode: code('UNKNOWN_LEADER_EPOCH'),
    })
  })

  test('gives a reader of less than nothing an error where there is something, and nothing at the end', async () => {
    const at = await newTopic()
    await client.produce(at, batch('a'))
    const failed = { errorCode: code('UNKNOWN_SERVER_ERROR'), highWatermark: -1 }
    expect(await fetchOne(at, { maxBytes: -1, waitMs: 30_000 })).toMatchObject(failed)
    expect(await fetchOne(at, { maxBytes: -1, offset: 1 })).toMatchObject({ errorCode: 0 })
  })

  test('tells where a reader of another epoch parts from this log (KIP-595)', async () => {
    const at = await newTopic()
    await client.produce(at, batch('a', 'b'))
    const { divergingEpoch } = await fetchOne(at, { offset: 9, lastEpoch: 0 })
    expect(divergingEpoch).toEqual({ epoch: 0, endOffset: 2 })
  })

  // As Apache Kafka 4.3.1 tells a full fetch: by the epoch. kafka-go sends ids with epoch -1.
  test.each([
    [0, 0, 'NONE'],
    [0, -1, 'NONE'],
    [77, 0, 'NONE'],
    [77, -1, 'NONE'],
    [-1, -1, 'NONE'],
    [0, 1, 'FETCH_SESSION_ID_NOT_FOUND'],
    [77, 3, 'FETCH_SESSION_ID_NOT_FOUND'],
    [77, -2, 'FETCH_SESSION_ID_NOT_FOUND'],
  ] as const)('session %d at epoch %d: %s (G31)', async (sessionId, sessionEpoch, error) => {
    const at = await newTopic()
    await client.produce(at, batch('value'))
    const request = fetchRequest(at, { sessionId, sessionEpoch, waitMs: 30_000 })
    const answer = await client.request(fetch, 12, request)
    expect([answer.errorCode, answer.sessionId !== 0]).toEqual([code(error), sessionEpoch === 0])
    expect(answer.responses).toHaveLength(error === 'NONE' ? 1 : 0)
  })

  describe('what waiting would not change is answered at once', () => {
    /** A topic of many small segments; fetched with a wait that the test would not outlive. */
    async function segmented() {
      const topic = `segmented-${++topicCount}`
      const configs = [{ name: 'segment.bytes', value: '1048576' }]
      const counts = { numPartitions: 1, replicationFactor: 1, assignments: [] }
      await client.request(createTopics, 7, {
        topics: [{ name: topic, ...counts, configs }],
        timeoutMs: 10_000,
        validateOnly: false,
      })
      const at = { topic, partition: 0 }
      for (let n = 0; n < 30; n++) await client.produce(at, batch('s'.repeat(100_000)))
      return at
    }
    const forever = { waitMs: 3_600_000 }

    test('the end of a segment, with more behind it than min_bytes asks for', async () => {
      const at = await segmented()
      let offset = 0
      let answers = 0
      for (; offset < 20; answers++) {
        const wish = { offset, ...forever, minBytes: 1_000_000, maxBytes: 1 << 20 }
        const { records } = await fetchOne(at, wish)
        offset += Math.round(records!.length / 100_000)
      }
      expect(answers).toBeGreaterThan(1)
    })

    test('a limit that cuts the answer short, and a min_bytes above what it allows', async () => {
      const at = await segmented()
      for (const maxBytes of [0, 1, 150_000]) {
        const { records } = await fetchOne(at, { ...forever, minBytes: 2 ** 31 - 1, maxBytes })
        expect(records!.length).toBeGreaterThan(0)
      }
    })

    test('a fetch of nothing', async () => {
      const at = await newTopic()
      const request = { ...fetchRequest(at, { ...forever, minBytes: 1000 }), topics: [] }
      expect((await client.request(fetch, 12, request)).responses).toEqual([])
    })
  })
})
