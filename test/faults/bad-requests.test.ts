import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeInt16, writeInt32 } from '../../src/lib/bytes.ts'
import { encodeBatch, type BatchInput } from '../../src/broker/log/batch/batch.ts'
import { errorName } from '../../src/broker/wire/errors.ts'
import {
  createTopics,
  fetch,
  findCoordinator,
  listOffsets,
  metadata,
  offsetForLeaderEpoch,
  produce,
} from '../../src/broker/wire/messages/index.ts'
import { startBroker, type TestBroker } from '../helpers/broker.ts'
import { produceRequest, BrokerClient, type PartitionId } from '../helpers/broker-client.ts'
import { Bystander } from './bystander.ts'
import { refusalFrom, refusalsFrom } from './log-lines.ts'

const place = { topic: 'target', partition: 0 }
const small = { topic: 'small', partition: 0 }
let broker: TestBroker
let bystander: Bystander
let caseCount = 0

beforeAll(async () => {
  broker = await startBroker()
  await fill()
  // Each start begins a new leader epoch: what a client knew before is fenced.
  await broker.stop()
  await broker.start()
  bystander = await Bystander.join(broker)
})

async function fill(): Promise<void> {
  using client = await BrokerClient.connect(broker.port)
  const topics = [
    { name: 'target', partitions: 2 },
    { name: 'small', configs: { 'max.message.bytes': '1000' } },
  ]
  for (const { errorCode } of (await client.createTopics(topics)).topics) expect(errorCode).toBe(0)
  expect((await client.produce(place, batch())).errorCode).toBe(0)
}

afterAll(async () => {
  bystander.leave()
  if (!broker.isRunning) console.error(`The broker said:\n${broker.output.slice(-8000)}`)
  await broker[Symbol.asyncDispose]()
})

async function stranger(): Promise<{ client: BrokerClient; address: string }> {
  const address = `127.0.2.${++caseCount}`
  const options = { localAddress: address, clientId: 'stranger' }
  return { client: await BrokerClient.connect(broker.port, options), address }
}

function batch(input: Partial<BatchInput> = {}): Uint8Array {
  return encodeBatch({ records: [{ value: 'one' }], baseTimestamp: Date.now(), ...input })
}

/** The code that the answer gives, one line of the log about it, no effect, and nobody else hurt. */
async function isRefused(
  act: (client: BrokerClient) => Promise<number | undefined>,
  expected: { code: number; api: string; version: number },
): Promise<void> {
  const { client, address } = await stranger()
  const endBefore = (await client.listOffset(place, -1)).offset
  const topicsBefore = (await client.metadata()).topics.length
  expect(await act(client)).toBe(expected.code)
  expect(await refusalFrom(broker, address)).toMatchObject({
    clientId: 'stranger',
    api: expected.api,
    version: expected.version,
    reason: errorName(expected.code),
  })
  expect(refusalsFrom(broker, address)).toHaveLength(1)
  expect((await client.listOffset(place, -1)).offset).toBe(endBefore)
  expect((await client.metadata()).topics).toHaveLength(topicsBefore)
  client.close()
  await bystander.isServed()
}

describe('Produce refuses', () => {
  const flipped = batch()
  flipped[flipped.length - 1]! ^= 1
  const oldFormat = batch()
  oldFormat[16] = 1
  const negativeLength = batch()
  writeInt32(negativeLength, 8, -1)
  const longer = batch()
  writeInt32(longer, 8, 1_000_000)
  const two = Buffer.concat([batch(), batch()])
  const many = Array.from({ length: 40 }, (_, offsetDelta) => {
    return { offsetDelta, value: 'x'.repeat(100) }
  })
  const unknownCodec = { records: { codec: 6, bytes: new Uint8Array(50), count: 1 } }
  const cases: [string, PartitionId, Uint8Array, number][] = [
    ['a wrong CRC', place, flipped, 2],
    ['a batch above max.message.bytes', small, batch({ records: many }), 10],
    ['two batches for one partition', place, two, 87],
    ['no batch at all', place, new Uint8Array(0), 87],
    ['records too short for a batch', place, new Uint8Array(60), 87],
    ['format 1', place, oldFormat, 87],
    ['a negative length in the batch', place, negativeLength, 2],
    ['a batch that claims more than came', place, longer, 87],
    ['a wrong last offset delta', place, batch({ lastOffsetDelta: 4 }), 87],
    ['a control batch', place, batch({ control: true, producerId: 1, producerEpoch: 0 }), 87],
    ['an unknown codec', place, batch(unknownCodec), 76],
    ['a partition that is not there', { topic: 'target', partition: 2 }, batch(), 3],
    ['a negative partition', { topic: 'target', partition: -1 }, batch(), 3],
    ['a topic that is not there', { topic: 'nowhere', partition: 0 }, batch(), 3],
  ]

  test.each(cases)('%s', async (_, to, bytes, code) => {
    const act = async (client: BrokerClient) => (await client.produce(to, bytes)).errorCode
    await isRefused(act, { code, api: 'Produce', version: 9 })
  })

  test('a sequence with a gap, and repeats the answer to a batch that it has', async () => {
    const { client } = await stranger()
    const { producerId } = await client.initProducerId()
    const from = (baseSequence: number) => batch({ producerId, producerEpoch: 0, baseSequence })
    const to = { topic: 'target', partition: 1 }
    const first = await client.produce(to, from(0))
    expect(first.errorCode).toBe(0)
    expect(await client.produce(to, from(0))).toMatchObject({ baseOffset: first.baseOffset })
    expect((await client.produce(to, from(5))).errorCode).toBe(45)
    expect((await client.produce(to, from(1))).baseOffset).toBe(first.baseOffset + 1)
    client.close()
  })

  test.each([5, -2, 32767])('acks=%d', async acks => {
    const act = async (client: BrokerClient) => {
      const answer = await client.request(produce, 9, produceRequest(place, batch(), acks))
      return answer.responses[0]?.partitionResponses[0]?.errorCode
    }
    await isRefused(act, { code: 21, api: 'Produce', version: 9 })
  })

  test('a transactional id', async () => {
    const act = async (client: BrokerClient) => {
      const request = { ...produceRequest(place, batch(), -1), transactionalId: 't' }
      const answer = await client.request(produce, 9, request)
      return answer.responses[0]?.partitionResponses[0]?.errorCode
    }
    await isRefused(act, { code: 53, api: 'Produce', version: 9 })
  })

  test('one partition of a request, and takes the others', async () => {
    const { client } = await stranger()
    const request = produceRequest(place, batch(), -1)
    request.topicData[0]!.partitionData.push({ index: 1, records: flipped })
    const answer = await client.request(produce, 9, request)
    const codes = answer.responses[0]!.partitionResponses.map(({ errorCode }) => errorCode)
    expect(codes).toEqual([0, 2])
    client.close()
  })

  test.each([
    ['a wrong CRC', place, flipped],
    ['a topic that is not there', { topic: 'nowhere', partition: 0 }, batch()],
  ])('by closing the connection where acks=0 came with %s', async (_, to, bytes) => {
    const { client, address } = await stranger()
    client.send(produce, 9, produceRequest(to, bytes, 0))
    await client.closed
    const line = { reason: 'acks-zero-refused', api: 'Produce', version: 9, clientId: 'stranger' }
    expect(await refusalFrom(broker, address)).toMatchObject(line)
    await bystander.isServed()
  })
})

describe('Fetch refuses', () => {
  interface Wish {
    readonly from: PartitionId
    readonly offset: number
    readonly epoch?: number
  }

  async function codeOf(
    client: BrokerClient,
    { from, offset, epoch: currentLeaderEpoch = -1 }: Wish,
  ): Promise<number | undefined> {
    const partitions = [
      {
        partition: from.partition,
        fetchOffset: offset,
        currentLeaderEpoch,
        partitionMaxBytes: 1000,
      },
    ]
    const answer = await client.request(fetch, 12, {
      maxWaitMs: 1000,
      minBytes: 1,
      isolationLevel: 0,
      sessionId: 0,
      topics: [{ topic: from.topic, partitions }],
      forgottenTopicsData: [],
      rackId: '',
    })
    return answer.responses[0]?.partitions[0]?.errorCode
  }

  const cases: [string, Wish, number][] = [
    ['an offset beyond the end', { from: place, offset: 1_000_000 }, 1],
    ['a negative offset', { from: place, offset: -1 }, 1],
    ['a partition that is not there', { from: { topic: 'target', partition: 9 }, offset: 0 }, 3],
    ['a leader epoch of the future', { from: place, offset: 0, epoch: 99 }, 75],
    ['a leader epoch of the past', { from: place, offset: 0, epoch: 0 }, 74],
  ]

  test.each(cases)('%s', async (_, wish, code) => {
    await isRefused(client => codeOf(client, wish), { code, api: 'Fetch', version: 12 })
  })

  test('a session that nobody made', async () => {
    const act = async (client: BrokerClient) => {
      const answer = await client.request(fetch, 12, {
        maxWaitMs: 0,
        minBytes: 1,
        isolationLevel: 0,
        sessionId: 77,
        sessionEpoch: 3,
        topics: [],
        forgottenTopicsData: [],
        rackId: '',
      })
      return answer.errorCode
    }
    await isRefused(act, { code: 70, api: 'Fetch', version: 12 })
  })
})

describe('epochs and offsets', () => {
  const epochs: [string, number, number][] = [
    ['future', 99, 75],
    ['past', 0, 74],
  ]

  test.each(epochs)('ListOffsets refuses a leader epoch of the %s', async (_, epoch, code) => {
    const act = async (client: BrokerClient) => {
      const partitions = [{ partitionIndex: 0, timestamp: -1, currentLeaderEpoch: epoch }]
      const topics = [{ name: place.topic, partitions }]
      const rest = { replicaId: -1, isolationLevel: 0, timeoutMs: 1000 }
      const answer = await client.request(listOffsets, 7, { topics, ...rest })
      return answer.topics[0]?.partitions[0]?.errorCode
    }
    await isRefused(act, { code, api: 'ListOffsets', version: 7 })
  })

  test('ListOffsets refuses a partition that is not there', async () => {
    const act = async (client: BrokerClient) => {
      return (await client.listOffset({ topic: 'target', partition: 7 }, -1)).errorCode
    }
    await isRefused(act, { code: 3, api: 'ListOffsets', version: 7 })
  })

  test.each(epochs)('OffsetForLeaderEpoch refuses one of the %s', async (_, epoch, code) => {
    const act = async (client: BrokerClient) => {
      const partitions = [{ partition: 0, currentLeaderEpoch: epoch, leaderEpoch: 0 }]
      const topics = [{ topic: place.topic, partitions }]
      const answer = await client.request(offsetForLeaderEpoch, 4, { topics })
      return answer.topics[0]?.partitions[0]?.errorCode
    }
    await isRefused(act, { code, api: 'OffsetForLeaderEpoch', version: 4 })
  })
})

describe('CreateTopics refuses', () => {
  type Wish = Parameters<typeof topicsOf>[0]

  function topicsOf(wish: {
    name: string
    partitions?: number
    replicas?: number
    config?: string
  }) {
    const { name, partitions = 1, replicas = 1, config } = wish
    return {
      name,
      numPartitions: partitions,
      replicationFactor: replicas,
      assignments: [],
      configs: config === undefined ? [] : [{ name: config, value: 'x' }],
    }
  }

  const cases: [string, Wish, number][] = [
    ['an empty name', { name: '' }, 17],
    ['the name .', { name: '.' }, 17],
    ['the name ..', { name: '..' }, 17],
    ['a slash', { name: 'a/b' }, 17],
    ['a blank', { name: 'a b' }, 17],
    ['a NUL', { name: 'a\0b' }, 17],
    ['what is not ASCII', { name: 'thé' }, 17],
    ['250 characters', { name: 'n'.repeat(250) }, 17],
    ['a topic that is there', { name: 'target' }, 36],
    ['no partitions', { name: 'new', partitions: 0 }, 37],
    ['too many replicas', { name: 'new', replicas: 3 }, 38],
    ['an unknown setting', { name: 'new', config: 'retention.mss' }, 40],
    ['an impossible setting', { name: 'new', config: 'retention.ms' }, 40],
  ]

  test.each(cases)('%s', async (_, wish, code) => {
    const act = async (client: BrokerClient) => {
      const request = { topics: [topicsOf(wish)], validateOnly: false }
      return (await client.request(createTopics, 7, request)).topics[0]?.errorCode
    }
    await isRefused(act, { code, api: 'CreateTopics', version: 7 })
  })

  test('a name that comes twice in one request', async () => {
    const act = async (client: BrokerClient) => {
      const request = { topics: [topicsOf({ name: 'twin' }), topicsOf({ name: 'twin' })] }
      const answer = await client.request(createTopics, 7, { ...request, validateOnly: false })
      expect(answer.topics.every(({ errorCode }) => errorCode === 42)).toBe(true)
      return answer.topics[0]?.errorCode
    }
    await isRefused(act, { code: 42, api: 'CreateTopics', version: 7 })
  })

  test('one bad topic among good ones, which are made', async () => {
    const { client } = await stranger()
    const { topics } = await client.createTopics([{ name: 'good' }, { name: 'b/ad' }])
    const codes = Object.fromEntries(topics.map(({ name, errorCode }) => [name, errorCode]))
    expect(codes).toEqual({ good: 0, 'b/ad': 17 })
    expect((await client.deleteTopics(['good'])).responses[0]!.errorCode).toBe(0)
    client.close()
  })
})

describe('other requests', () => {
  test('DeleteTopics of a topic that is not there', async () => {
    const act = async (client: BrokerClient) => {
      return (await client.deleteTopics(['nowhere'])).responses[0]?.errorCode
    }
    await isRefused(act, { code: 3, api: 'DeleteTopics', version: 6 })
  })

  test.each([
    ['no/name', 17],
    ['x'.repeat(300), 17],
  ])('Metadata that would create %s', async (name, code) => {
    const act = async (client: BrokerClient) => {
      const answer = await client.request(metadata, 1, {
        topics: [{ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }],
        includeClusterAuthorizedOperations: false,
        includeTopicAuthorizedOperations: false,
      })
      return answer.topics[0]?.errorCode
    }
    await isRefused(act, { code, api: 'Metadata', version: 1 })
  })

  test.each([10, 11])('Metadata v%d of a topic without a name', async version => {
    const act = async (client: BrokerClient) => {
      const answer = await client.request(metadata, version, {
        topics: [{ name: null, topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' }],
        includeClusterAuthorizedOperations: false,
        includeTopicAuthorizedOperations: false,
      })
      return answer.topics[0]?.errorCode
    }
    await isRefused(act, { code: 42, api: 'Metadata', version })
  })

  test('InitProducerId with a transactional id', async () => {
    const act = async (client: BrokerClient) => (await client.initProducerId('tx')).errorCode
    await isRefused(act, { code: 53, api: 'InitProducerId', version: 4 })
  })

  test('FindCoordinator of a transactional id, in old and new versions', async () => {
    await isRefused(
      async client => {
        const request = { key: 'tx', keyType: 1, coordinatorKeys: [] }
        return (await client.request(findCoordinator, 2, request)).errorCode
      },
      { code: 53, api: 'FindCoordinator', version: 2 },
    )
    await isRefused(
      async client => {
        const request = { key: '', keyType: 1, coordinatorKeys: ['tx'] }
        return (await client.request(findCoordinator, 4, request)).coordinators[0]?.errorCode
      },
      { code: 53, api: 'FindCoordinator', version: 4 },
    )
  })
})

test('a batch whose numbers are at their edges is refused or taken, and read back', async () => {
  const { client } = await stranger()
  for (const at of [0, 27, 35, 43]) {
    const bytes = batch()
    bytes.fill(0x7f, at, at + 8)
    expect([2, 32, 45, 87]).toContain((await client.produce(place, bytes)).errorCode)
  }
  const epoch = batch()
  writeInt16(epoch, 51, -5)
  expect((await client.produce(place, epoch)).errorCode).toBe(2)
  client.close()
  await bystander.isServed()
})
