import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { errorCode, type ErrorName } from '../../src/broker/wire/errors.ts'
import {
  alterPartitionReassignments,
  alterReplicaLogDirs,
  describeClientQuotas,
  describeLogDirs,
  describeProducers,
  describeQuorum,
  describeTopicPartitions,
  describeTransactions,
  electLeaders,
  incrementalAlterConfigs,
  listConfigResources,
  listPartitionReassignments,
  listTransactions,
  unregisterBroker,
  updateFeatures,
} from '../../src/broker/wire/messages/index.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { InProcessBroker } from '../helpers/in-process.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'

// Every expectation here is what Apache Kafka 4.3.1 answered as a single node with security off.

let broker: InProcessBroker
let client: BrokerClient
const code = (error: ErrorName): number => errorCode(error)
const absent = code('UNKNOWN_TOPIC_OR_PARTITION')

beforeAll(async () => {
  broker = await InProcessBroker.start()
  client = await broker.connect()
  await client.createTopics([{ name: 'one', partitions: 2 }, { name: 'two' }])
  const record = { key: null, value: utf8('value') }
  const batch = { records: [record, record], producerId: 7, producerEpoch: 3, baseSequence: 0 }
  await client.produce({ topic: 'one', partition: 0 }, encodeBatch(batch))
})
afterAll(() => broker[Symbol.asyncDispose]())

const wish = [
  { topic: 'one', name: 'one', partitions: [0, 9] },
  { topic: 'none', name: 'none', partitions: [0] },
]

describe('directories', () => {
  test('tell sizes, and the size of the volume since version 4', async () => {
    const [all] = (await client.request(describeLogDirs, 5, { topics: null })).results
    expect(all).toMatchObject({ errorCode: 0, logDir: '/data' })
    expect(all!.topics.map(({ name }) => name).toSorted()).toEqual(['one', 'two'])
    const sizes = all!.topics.find(({ name }) => name === 'one')!.partitions
    expect(sizes.map(({ partitionSize }) => partitionSize > 0)).toEqual([true, false])
    expect(all!.totalBytes).toBeGreaterThan(all!.usableBytes - 1)
    const [old] = (await client.request(describeLogDirs, 3, { topics: [] })).results
    expect(old).toMatchObject({ topics: [], totalBytes: -1, usableBytes: -1 })
  })

  test('tell that the broker is cordoned, and it holds what it holds (KIP-1066)', async () => {
    const cordon = async (value: string): Promise<boolean | undefined> => {
      const configs = [{ name: 'cordoned.log.dirs', configOperation: 0, value }]
      const resources = [{ resourceType: 4, resourceName: '1', configs }]
      await client.request(incrementalAlterConfigs, 1, { resources, validateOnly: false })
      return (await client.request(describeLogDirs, 5, { topics: [] })).results[0]?.isCordoned
    }
    expect([await cordon('*'), await cordon('')]).toEqual([true, false])
  })

  test('leave out what is not there', async () => {
    const [found] = (await client.request(describeLogDirs, 4, { topics: wish })).results
    expect(found!.topics).toMatchObject([{ name: 'one', partitions: [{ partitionIndex: 0 }] }])
    expect(found!.topics[0]!.partitions).toHaveLength(1)
  })

  test('a replica that is to move where it is has moved; others have nowhere to go', async () => {
    const move = async (...paths: readonly string[]) => {
      const dirs = paths.map(path => ({ path, topics: wish }))
      const { results } = await client.request(alterReplicaLogDirs, 2, { dirs })
      return results.map(({ topicName, partitions }) => [
        topicName,
        ...partitions.map(({ errorCode: error }) => error),
      ])
    }
    const nowhere = code('LOG_DIR_NOT_FOUND')
    expect(await move('/data')).toEqual([
      ['one', 0, absent],
      ['none', absent],
    ])
    const last = [
      ['one', nowhere, nowhere],
      ['none', nowhere],
    ]
    expect(await move('/elsewhere')).toEqual(last)
    expect(await move('/data', '/elsewhere')).toEqual(last)
  })
})

describe('elections', () => {
  test.each([0, 1])('of type %d are not needed', async electionType => {
    const request = { electionType, timeoutMs: 1000 }
    const named = await client.request(electLeaders, 2, { ...request, topicPartitions: wish })
    expect(named.errorCode).toBe(0)
    expect(named.replicaElectionResults).toMatchObject([
      {
        topic: 'one',
        partitionResult: [
          { partitionId: 0, errorCode: code('ELECTION_NOT_NEEDED') },
          { partitionId: 9, errorCode: absent },
        ],
      },
      { topic: 'none', partitionResult: [{ errorCode: absent }] },
    ])
    const all = await client.request(electLeaders, 2, { ...request, topicPartitions: null })
    expect(all.replicaElectionResults.map(row => row.partitionResult)).toEqual([[], []])
  })

  test.each([-1, 2])('of type %d are no elections', async electionType => {
    const request = { electionType, timeoutMs: 1000, topicPartitions: wish }
    const { errorCode: error, replicaElectionResults } = await client.request(
      electLeaders,
      2,
      request,
    )
    const errors = replicaElectionResults.flatMap(row =>
      row.partitionResult.map(it => it.errorCode),
    )
    expect([error, ...errors]).toEqual(Array(4).fill(code('INVALID_REQUEST')))
  })
})

test.each<[string, number[] | null, ErrorName]>([
  ['where it is', [1], 'NONE'],
  ['with a broker that is not there', [2], 'INVALID_REPLICA_ASSIGNMENT'],
  ['with one more', [1, 2], 'INVALID_REPLICA_ASSIGNMENT'],
  ['nowhere', [], 'INVALID_REPLICA_ASSIGNMENT'],
  ['twice in one place', [1, 1], 'INVALID_REPLICA_ASSIGNMENT'],
  ['back, though it is not moving', null, 'NO_REASSIGNMENT_IN_PROGRESS'],
])('a partition that is to be %s', async (_, replicas, error) => {
  const partitions = [{ partitionIndex: 0, replicas }]
  const topics = [
    { name: 'one', partitions },
    { name: 'none', partitions },
  ]
  const { responses } = await client.request(alterPartitionReassignments, 1, {
    timeoutMs: 1000,
    allowReplicationFactorChange: true,
    topics,
  })
  expect(responses.map(row => row.partitions[0]!.errorCode)).toEqual([code(error), absent])
  const moving = await client.request(listPartitionReassignments, 0, { timeoutMs: 1, topics: null })
  expect(moving).toMatchObject({ errorCode: 0, topics: [] })
})

test('the quorum is one leader and one voter', async () => {
  const ask = (topicName: string, partitionIndex: number) =>
    client.request(describeQuorum, 2, { topics: [{ topicName, partitions: [{ partitionIndex }] }] })
  const { topics, nodes } = await ask('__cluster_metadata', 0)
  const [partition] = topics[0]!.partitions
  expect(partition).toMatchObject({ errorCode: 0, leaderId: 1, observers: [] })
  expect(partition!.highWatermark).toBeGreaterThan(0)
  expect(partition!.currentVoters).toMatchObject([
    { replicaId: 1, logEndOffset: partition!.highWatermark },
  ])
  expect(nodes).toMatchObject([{ nodeId: 1, listeners: [{ host: '127.0.0.1' }] }])
  for (const [topic, index] of [
    ['one', 0],
    ['__cluster_metadata', 1],
  ] as const) {
    const other = await ask(topic, index)
    expect(other.topics[0]!.partitions).toMatchObject([{ errorCode: absent, currentVoters: [] }])
    expect(other.nodes).toEqual([])
  }
})

test.each<[string, number, number, ErrorName]>([
  ['metadata.version', 30, 1, 'NONE'],
  ['metadata.version', 30, 3, 'NONE'],
  ['metadata.version', 29, 2, 'INVALID_UPDATE_VERSION'],
  ['metadata.version', 31, 1, 'INVALID_UPDATE_VERSION'],
  ['metadata.version', 30, 0, 'INVALID_UPDATE_VERSION'],
  ['nothing', 1, 1, 'INVALID_UPDATE_VERSION'],
])('feature %s to level %d by %d', async (feature, maxVersionLevel, upgradeType, error) => {
  for (const version of [1, 2]) {
    const update = { feature, maxVersionLevel, allowDowngrade: false, upgradeType }
    const request = { timeoutMs: 1000, featureUpdates: [update], validateOnly: false }
    const answer = await client.request(updateFeatures, version, request)
    expect(answer.errorCode).toBe(code(error))
    expect(answer.results).toHaveLength(version === 1 && error === 'NONE' ? 1 : 0)
  }
})

describe('producers and transactions', () => {
  test('a partition tells the producers that it remembers', async () => {
    const topics = wish.map(({ name, partitions }) => ({ name, partitionIndexes: partitions }))
    const answer = await client.request(describeProducers, 0, { topics })
    expect(answer.topics.map(row => row.partitions.map(it => it.errorCode))).toEqual([
      [0, absent],
      [absent],
    ])
    expect(answer.topics[0]!.partitions[0]!.activeProducers).toMatchObject([
      { producerId: 7, producerEpoch: 3, lastSequence: 1, currentTxnStartOffset: -1 },
    ])
  })

  test('there are no transactions', async () => {
    const filters = { producerIdFilters: [], durationFilter: -1 }
    const ask = (stateFilters: string[], transactionalIdPattern: string | null) =>
      client.request(listTransactions, 2, { ...filters, stateFilters, transactionalIdPattern })
    const none = { errorCode: 0, transactionStates: [] }
    expect(await ask([], null)).toMatchObject({ ...none, unknownStateFilters: [] })
    expect(await ask(['Ongoing', 'ongoing'], 'a.*')).toMatchObject({
      ...none,
      unknownStateFilters: ['ongoing'],
    })
    expect((await ask([], '(')).errorCode).toBe(code('INVALID_REGULAR_EXPRESSION'))
    const { transactionStates } = await client.request(describeTransactions, 0, {
      transactionalIds: ['a', ''],
    })
    const errors = transactionStates.map(row => row.errorCode)
    expect(errors).toEqual([code('TRANSACTIONAL_ID_NOT_FOUND'), code('INVALID_REQUEST')])
  })
})

test.each<[string, number, string | null, ErrorName]>([
  ['user', 2, null, 'NONE'],
  ['client-id', 0, 'a', 'NONE'],
  ['ip', 1, null, 'NONE'],
  ['nothing', 2, null, 'UNSUPPORTED_VERSION'],
  ['', 1, null, 'INVALID_REQUEST'],
  ['user', 7, null, 'INVALID_REQUEST'],
  ['user', 0, null, 'INVALID_REQUEST'],
  ['user', 1, 'a', 'INVALID_REQUEST'],
])('quotas of %s by %d (%s)', async (entityType, matchType, match, error) => {
  const ask = (...entityTypes: string[]) =>
    client.request(describeClientQuotas, 1, {
      components: entityTypes.map(type => ({ entityType: type, matchType, match })),
      strict: true,
    })
  const entries = error === 'NONE' ? [] : null
  expect(await ask(entityType)).toMatchObject({ errorCode: code(error), entries })
  if (error === 'NONE') {
    expect((await ask(entityType, entityType)).errorCode).toBe(code('INVALID_REQUEST'))
    const isWithIp = (await ask('ip', entityType === 'ip' ? 'user' : entityType)).errorCode
    expect(isWithIp).toBe(code('INVALID_REQUEST'))
  }
})

test('a broker that is not there cannot be unregistered, nor the only one that is', async () => {
  const errors = []
  for (const brokerId of [7, -1, 1]) {
    errors.push((await client.request(unregisterBroker, 0, { brokerId })).errorCode)
  }
  const unknown = code('BROKER_ID_NOT_REGISTERED')
  expect(errors).toEqual([unknown, unknown, code('POLICY_VIOLATION')])
})

test.each<[number[], string[], ErrorName]>([
  [[], ['4 1', '2 one', '2 two'], 'NONE'],
  [[2], ['2 one', '2 two'], 'NONE'],
  [[4], ['4 1'], 'NONE'],
  [[16], [], 'NONE'],
  [[32], [], 'NONE'],
  [[1], [], 'UNSUPPORTED_VERSION'],
])('resources of types %s', async (resourceTypes, expected, error) => {
  const answer = await client.request(listConfigResources, 1, { resourceTypes })
  const found = answer.configResources.map(row => `${row.resourceType} ${row.resourceName}`)
  expect(found.toSorted()).toEqual(expected.toSorted())
  expect(answer.errorCode).toBe(code(error))
  expect(
    (await client.request(listConfigResources, 0, { resourceTypes: [] })).configResources,
  ).toEqual([])
})

describe('DescribeTopicPartitions', () => {
  const ask = async (names: string[], limit: number, cursor: [string, number] | null = null) => {
    const { topics, nextCursor } = await client.request(describeTopicPartitions, 0, {
      topics: names.map(name => ({ name })),
      responsePartitionLimit: limit,
      cursor: cursor === null ? null : { topicName: cursor[0], partitionIndex: cursor[1] },
    })
    return {
      topics: topics.map(row => [
        row.name,
        row.errorCode,
        ...row.partitions.map(it => it.partitionIndex),
      ]),
      next: nextCursor === null ? null : [nextCursor.topicName, nextCursor.partitionIndex],
    }
  }

  test('goes through topics by name, page by page', async () => {
    const pages = []
    let cursor: [string, number] | null = null
    do {
      const { topics, next } = await ask([], 1, cursor)
      pages.push(topics)
      cursor = next as [string, number] | null
    } while (cursor !== null)
    expect(pages).toEqual([[['one', 0, 0]], [['one', 0, 1]], [['two', 0, 0]]])
  })

  test('answers once for each name, and says what is not there', async () => {
    const { topics, next } = await ask(['two', 'one', 'none', 'one', 'b@d'], 2000)
    expect(topics).toEqual([
      ['b@d', code('INVALID_TOPIC_EXCEPTION')],
      ['none', absent],
      ['one', 0, 0, 1],
      ['two', 0, 0],
    ])
    expect(next).toBeNull()
  })

  test('gives at least one partition, and goes on where the cursor says though that is gone', async () => {
    expect((await ask([], 0)).next).toEqual(['one', 1])
    expect((await ask([], -1)).next).toEqual(['one', 1])
    expect(await ask([], 9, ['onf', 1])).toEqual({ topics: [['two', 0, 0]], next: null })
    expect((await ask(['one'], 9, ['one', 99])).topics).toEqual([['one', 0]])
    expect((await ask(['one'], 9, ['one', -1])).topics).toEqual([['one', code('INVALID_REQUEST')]])
  })
})
