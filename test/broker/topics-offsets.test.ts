import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { errorCode, type ErrorName } from '../../src/broker/wire/errors.ts'
import {
  createTopics,
  deleteTopics,
  describeCluster,
  describeConfigs,
  findCoordinator,
  listOffsets,
  metadata,
  offsetForLeaderEpoch,
} from '../../src/broker/wire/messages/index.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { zeroUuid } from '../../src/lib/uuid.ts'
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

function askMetadata(
  topics: { name: string | null; topicId: string }[] | null,
  mayCreate: boolean,
) {
  return client.request(metadata, 12, {
    topics,
    allowAutoTopicCreation: mayCreate,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: true,
  })
}

const named = (name: string) => ({ name, topicId: zeroUuid })

describe('Metadata', () => {
  test('tells the address that the client dialled, and the same cluster id as DescribeCluster', async () => {
    const { port } = broker.broker.listeners[0]!
    const told = await askMetadata([], false)
    expect(told.brokers).toEqual([{ nodeId: 1, host: '127.0.0.1', port, rack: null }])
    const described = await client.request(describeCluster, 1, {
      includeClusterAuthorizedOperations: false,
      endpointType: 1,
      includeFencedBrokers: false,
    })
    expect(described).toMatchObject({ errorCode: 0, clusterId: told.clusterId, controllerId: 1 })
    expect(described.brokers).toMatchObject([{ brokerId: 1, host: '127.0.0.1', port }])
  })

  test('creates an unknown topic only where the request allows it, and has it at the next one', async () => {
    const unknown = [
      { errorCode: code('UNKNOWN_TOPIC_OR_PARTITION'), name: 'auto', partitions: [] },
    ]
    for (const allowed of [false, false, true]) {
      expect((await askMetadata([named('auto')], allowed)).topics).toMatchObject(unknown)
    }
    const { topics } = await askMetadata([named('auto')], false)
    expect(topics).toMatchObject([{ errorCode: 0, name: 'auto', isInternal: false }])
    expect(topics[0]!.partitions.map(partition => partition.leaderId)).toEqual([1, 1, 1, 1])
    const produced = await client.produce({ topic: 'auto', partition: 3 }, batchAt(0))
    expect(produced.errorCode).toBe(0)
  })

  test('many clients that ask for one new topic at once all get the same one', async () => {
    const ask = () =>
      Promise.all(Array.from({ length: 20 }, () => askMetadata([named('race')], true)))
    await ask()
    const ids = (await ask()).map(answer => answer.topics[0]!.topicId)
    expect(new Set(ids).size).toBe(1)
    expect(ids[0]).not.toBe(zeroUuid)
  })

  test('answers once for a topic that is named twice, by name or by id', async () => {
    await client.createTopics([{ name: 'twin' }])
    const { topics } = await askMetadata([named('twin'), named('none'), named('twin')], false)
    expect(topics.map(({ name }) => name)).toEqual(['twin', 'none'])
    const { topicId } = topics[0]!
    const byId = await askMetadata(
      [
        { name: null, topicId },
        { name: null, topicId },
      ],
      false,
    )
    expect(byId.topics).toMatchObject([{ errorCode: 0, name: 'twin' }])
  })

  test('refuses names that no topic can have', async () => {
    const { topics } = await askMetadata(
      [named('no/slash'), named('..'), named('x'.repeat(250))],
      true,
    )
    expect(topics.map(topic => topic.errorCode)).toEqual(
      Array(3).fill(code('INVALID_TOPIC_EXCEPTION')),
    )
  })

  test('null is every topic, an empty list none, and in version 0 it is every topic (G10)', async () => {
    await client.createTopics([{ name: 'known' }])
    const all = (await askMetadata(null, false)).topics.map(topic => topic.name)
    expect(all).toContain('known')
    expect((await askMetadata([], false)).topics).toEqual([])
    const old = await client.request(metadata, 0, {
      topics: [],
      allowAutoTopicCreation: true,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
    expect(old.topics.map(topic => topic.name)).toEqual(all)
  })

  test('finds a topic by its id, and no topic by another', async () => {
    await client.createTopics([{ name: 'by-id' }])
    const { topicId } = (await askMetadata([named('by-id')], false)).topics[0]!
    const { topics } = await askMetadata([{ name: null, topicId }], false)
    expect(topics).toMatchObject([{ errorCode: 0, name: 'by-id' }])
    const other = await askMetadata([{ name: null, topicId: 'BBBBBBBBBBBBBBBBBBBBBA' }], false)
    expect(other.topics).toMatchObject([{ errorCode: code('UNKNOWN_TOPIC_ID') }])
  })

  test('asks by ids alone where there is one, whatever names stand beside them', async () => {
    await client.createTopics([{ name: 'first' }, { name: 'second' }])
    const { topics } = await askMetadata([named('first')], false)
    const asked = [named('second'), { name: 'third', topicId: topics[0]!.topicId }]
    expect((await askMetadata(asked, true)).topics).toMatchObject([{ errorCode: 0, name: 'first' }])
    const none = await askMetadata([named('third')], false)
    expect(none.topics).toMatchObject([{ errorCode: code('UNKNOWN_TOPIC_OR_PARTITION') }])
  })
})

describe('CreateTopics and DeleteTopics', () => {
  const create = (name: string, changes: object = {}, validateOnly = false) =>
    client.request(createTopics, 7, {
      topics: [
        {
          name,
          numPartitions: -1,
          replicationFactor: -1,
          assignments: [],
          configs: [],
          ...changes,
        },
      ],
      timeoutMs: 5000,
      validateOnly,
    })

  test('answer with what was made', async () => {
    const { topics } = await create('made', { configs: [{ name: 'retention.ms', value: '5000' }] })
    expect(topics).toMatchObject([{ errorCode: 0, numPartitions: 4, replicationFactor: 1 }])
    const row = topics[0]!.configs!.find(config => config.name === 'retention.ms')
    expect(row).toMatchObject({ value: '5000', configSource: 1 })
  })

  test('validateOnly changes nothing', async () => {
    expect((await create('never', {}, true)).topics).toMatchObject([{ errorCode: 0 }])
    const { topics } = await askMetadata([named('never')], false)
    expect(topics).toMatchObject([{ errorCode: code('UNKNOWN_TOPIC_OR_PARTITION') }])
  })

  test.each([
    ['exists', 'twice', {}, 'TOPIC_ALREADY_EXISTS'],
    ['bad name', 'a b', {}, 'INVALID_TOPIC_EXCEPTION'],
    ['no partitions', 'p0', { numPartitions: 0 }, 'INVALID_PARTITIONS'],
    ['too many copies', 'rf3', { replicationFactor: 3 }, 'INVALID_REPLICATION_FACTOR'],
    [
      'unknown config',
      'cfg',
      { configs: [{ name: 'retention.mss', value: '1' }] },
      'INVALID_CONFIG',
    ],
    ['bad config', 'cfg', { configs: [{ name: 'retention.ms', value: 'soon' }] }, 'INVALID_CONFIG'],
  ] as const)('refuses: %s', async (_, name, changes, error) => {
    await create('twice')
    const { topics } = await create(name, changes)
    expect(topics[0]!.errorCode).toBe(code(error))
    expect(topics[0]!.errorMessage).toBeTruthy()
  })

  test('a topic that was deleted is gone, and its namesake is another topic', async () => {
    const first = (await create('again')).topics[0]!.topicId
    await client.produce({ topic: 'again', partition: 0 }, batchAt(0))
    const deleted = await client.request(deleteTopics, 5, {
      topicNames: ['again'],
      timeoutMs: 5000,
      topics: [],
    })
    expect(deleted.responses).toMatchObject([{ name: 'again', errorCode: 0 }])
    const second = (await create('again')).topics[0]!.topicId
    expect(second).not.toBe(first)
    expect(await client.listOffset({ topic: 'again', partition: 0 }, -1)).toMatchObject({
      offset: 0,
    })
    const byOldId = await client.request(deleteTopics, 6, {
      topics: [{ name: null, topicId: first }],
      topicNames: [],
      timeoutMs: 5000,
    })
    expect(byOldId.responses).toMatchObject([{ errorCode: code('UNKNOWN_TOPIC_ID') }])
  })

  test.each<[number, ErrorName]>([
    [2, 'INVALID_REQUEST'],
    [3, 'TOPIC_DELETION_DISABLED'],
    [6, 'TOPIC_DELETION_DISABLED'],
  ])('DeleteTopics v%i with delete.topic.enable=false is %s', async (version, error) => {
    await using keeper = await InProcessBroker.start({ deleteTopicEnable: false })
    const asking = await keeper.connect()
    await asking.createTopics([{ name: 'kept' }])
    const { responses } = await asking.request(deleteTopics, version, {
      topics: [{ name: 'kept', topicId: zeroUuid }],
      topicNames: ['kept'],
      timeoutMs: 5000,
    })
    expect(responses).toMatchObject([{ name: 'kept', errorCode: code(error) }])
    expect((await asking.metadata(['kept'])).topics).toMatchObject([{ errorCode: 0 }])
  })
})

describe('ListOffsets', () => {
  const at = { topic: 'times', partition: 0 }

  beforeAll(async () => {
    await client.createTopics([{ name: at.topic }])
    await client.produce(at, batchAt(1000, 2000, 3000))
    await client.produce(at, batchAt(4000, 3500))
  })

  test('finds the record of a time, not its batch (G36)', async () => {
    expect(await client.listOffset(at, 1500)).toMatchObject({
      errorCode: 0,
      offset: 1,
      timestamp: 2000,
    })
    expect(await client.listOffset(at, 3001)).toMatchObject({ offset: 3, timestamp: 4000 })
    expect(await client.listOffset(at, 5000)).toMatchObject({
      errorCode: 0,
      offset: -1,
      timestamp: -1,
    })
  })

  test('knows the special places', async () => {
    expect(await client.listOffset(at, -1)).toMatchObject({ offset: 5, timestamp: -1 })
    expect(await client.listOffset(at, -2)).toMatchObject({ offset: 0, timestamp: -1 })
    expect(await client.listOffset(at, -3)).toMatchObject({ offset: 3, timestamp: 4000 })
  })

  test('nothing is tiered', async () => {
    const ask = async (...timestamps: readonly number[]) => {
      const partitions = timestamps.map(timestamp => ({ partitionIndex: 0, timestamp }))
      const answer = await client.request(listOffsets, 11, {
        replicaId: -1,
        isolationLevel: 0,
        topics: [{ name: at.topic, partitions }],
        timeoutMs: 1000,
      })
      return answer.topics[0]!.partitions
    }
    for (const [timestamp, offset] of [
      [-4, 0],
      [-5, -1],
      [-6, -1],
    ] as const) {
      expect(await ask(timestamp)).toMatchObject([{ errorCode: 0, offset }])
    }
    // Which of the times is meant nobody can say.
    expect(await ask(-4, -5)).toMatchObject([{ errorCode: code('INVALID_REQUEST'), offset: -1 }])
  })
})

describe('the rest', () => {
  test('OffsetForLeaderEpoch tells where an epoch ends, or that it is not known (G38)', async () => {
    await client.createTopics([{ name: 'epochs' }])
    await client.produce({ topic: 'epochs', partition: 0 }, batchAt(0, 0))
    const ask = async (leaderEpoch: number) => {
      const topics = [{ topic: 'epochs', partitions: [{ partition: 0, leaderEpoch }] }]
      return (await client.request(offsetForLeaderEpoch, 4, { topics })).topics[0]!.partitions[0]!
    }
    expect(await ask(0)).toMatchObject({ errorCode: 0, leaderEpoch: 0, endOffset: 2 })
    expect(await ask(5)).toMatchObject({ errorCode: 0, leaderEpoch: -1, endOffset: -1 })
  })

  test('DescribeConfigs lists every config of a topic with its source (G48)', async () => {
    await client.createTopics([{ name: 'configured', configs: { 'segment.bytes': '2097152' } }])
    const ask = (resourceType: number, resourceName: string) =>
      client.request(describeConfigs, 4, {
        resources: [{ resourceType, resourceName, configurationKeys: null }],
        includeSynonyms: true,
        includeDocumentation: true,
      })
    const topic = (await ask(2, 'configured')).results[0]!
    const row = topic.configs.find(config => config.name === 'segment.bytes')!
    expect(row).toMatchObject({ value: '2097152', configSource: 1, readOnly: false })
    expect(row.synonyms.map(synonym => synonym.name)).toEqual([
      'segment.bytes',
      'log.segment.bytes',
    ])
    expect((await ask(4, '1')).results[0]!.configs.length).toBeGreaterThan(20)
    expect((await ask(2, 'nowhere')).results[0]!.errorCode).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
    expect((await ask(4, '9')).results[0]!.errorCode).toBe(code('INVALID_REQUEST'))
  })

  test('producer ids are handed out once', async () => {
    const ids = await Promise.all(Array.from({ length: 2500 }, () => client.initProducerId()))
    expect(new Set(ids.map(answer => answer.producerId)).size).toBe(2500)
  })

  test('transactions are refused for good (53)', async () => {
    expect((await client.initProducerId('tx')).errorCode).toBe(
      code('TRANSACTIONAL_ID_AUTHORIZATION_FAILED'),
    )
    const { coordinators } = await client.request(findCoordinator, 4, {
      keyType: 1,
      coordinatorKeys: ['tx'],
      key: '',
    })
    expect(coordinators).toMatchObject([
      { key: 'tx', errorCode: code('TRANSACTIONAL_ID_AUTHORIZATION_FAILED') },
    ])
  })
})

function batchAt(...timestampsMs: number[]): Uint8Array {
  const [first = 0] = timestampsMs
  return encodeBatch({
    baseTimestamp: first,
    maxTimestamp: Math.max(...timestampsMs),
    records: timestampsMs.map(time => ({
      key: null,
      value: utf8('v'),
      timestampDelta: time - first,
    })),
  })
}
