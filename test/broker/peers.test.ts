import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  createTopics,
  deleteRecords,
  describeCluster,
  describeLogDirs,
  describeProducers,
  fetch,
  listOffsets,
  offsetForLeaderEpoch,
  produce,
} from '../../src/broker/wire/messages/index.ts'
import { errorName } from '../../src/broker/wire/errors.ts'
import { BrokerCluster } from '../helpers/broker-cluster.ts'
import { type BrokerClient, fetchRequest, produceRequest } from '../helpers/broker-client.ts'
import { eventually } from '../helpers/eventually.ts'
import { batchOf } from '../helpers/logs.ts'

let cluster: BrokerCluster
let clients: BrokerClient[]

beforeAll(async () => {
  cluster = await BrokerCluster.start(3)
  clients = await Promise.all([0, 1, 2].map(id => cluster.connect(id)))
  const isWhole = async (client: BrokerClient): Promise<boolean> =>
    (await client.metadata()).brokers.length === 3
  await Promise.all(clients.map(client => eventually('three brokers', () => isWhole(client))))
  const places = [{ partitionIndex: 0, brokerIds: [1] }]
  const { topics } = await clients[0]!.request(createTopics, 7, {
    topics: [
      { name: 'spread', numPartitions: 6, replicationFactor: 3, assignments: [], configs: [] },
      {
        name: 'elsewhere',
        numPartitions: -1,
        replicationFactor: -1,
        assignments: places,
        configs: [],
      },
    ],
    validateOnly: false,
  })
  expect(topics.map(({ errorCode }) => errorCode)).toEqual([0, 0])
  const knows = async (client: BrokerClient): Promise<boolean> =>
    (await client.metadata(['elsewhere'])).topics[0]!.errorCode === 0
  await Promise.all(clients.map(client => eventually('the topics', () => knows(client))))
})

afterAll(() => cluster[Symbol.asyncDispose]())

test('whoever is asked tells the same brokers, and the same leaders (G46, G47)', async () => {
  const told = await Promise.all(
    clients.map(async client => {
      const { brokers, topics, controllerId } = await client.metadata(['spread', 'elsewhere'])
      const leaders = topics.map(({ name, partitions }) => [
        name,
        partitions.map(one => [one.leaderId, one.leaderEpoch, one.replicaNodes]),
      ])
      return { brokers, leaders, controllerId }
    }),
  )
  expect(told[1]).toEqual(told[0])
  expect(told[2]).toEqual(told[0])
  expect(told[0]!.brokers.map(({ nodeId, port }) => [nodeId, port])).toEqual(
    [0, 1, 2].map(id => [id, cluster.broker(id).port]),
  )
  const request = { includeClusterAuthorizedOperations: false, includeFencedBrokers: false }
  const { brokers } = await clients[2]!.request(describeCluster, 1, request)
  expect(brokers.map(({ brokerId }) => brokerId)).toEqual([0, 1, 2])
})

/** Of the one partition that broker 1 has, and broker 0 is asked for. */
const elsewhere = { topic: 'elsewhere', partition: 0 }
const leader = { leaderId: 1, leaderEpoch: 0 }

test('Produce and Fetch say who leads, and where that is (KIP-951)', async () => {
  const [client] = clients
  const at = { nodeId: 1, host: '127.0.0.1', port: cluster.broker(1).port, rack: null }
  const produced = await client!.request(produce, 12, produceRequest(elsewhere, batchOf(1), -1))
  expect(produced.responses[0]!.partitionResponses[0]).toMatchObject({
    errorCode: 6,
    currentLeader: leader,
  })
  expect(produced.nodeEndpoints).toEqual([at])
  const { topics } = await client!.metadata(['elsewhere'])
  const wish = { ...elsewhere, topicId: topics[0]!.topicId }
  const fetched = await client!.request(fetch, 17, fetchRequest(wish, 0))
  expect(fetched.responses[0]!.partitions[0]).toMatchObject({
    errorCode: 6,
    currentLeader: leader,
  })
  expect(fetched.nodeEndpoints).toEqual([at])
})

test('whatever else is asked of a broker without a replica is not for it, and no unknown partition', async () => {
  const client = clients[0]!
  const partitionIndex = 0
  const listed = await client.request(listOffsets, 7, {
    replicaId: -1,
    isolationLevel: 0,
    timeoutMs: 1000,
    topics: [{ name: 'elsewhere', partitions: [{ partitionIndex, timestamp: -1 }] }],
  })
  const ends = await client.request(offsetForLeaderEpoch, 4, {
    replicaId: -1,
    topics: [{ topic: 'elsewhere', partitions: [{ partition: 0, leaderEpoch: 0 }] }],
  })
  const deleted = await client.request(deleteRecords, 2, {
    topics: [{ name: 'elsewhere', partitions: [{ partitionIndex, offset: 0 }] }],
    timeoutMs: 1000,
  })
  const producers = await client.request(describeProducers, 0, {
    topics: [{ name: 'elsewhere', partitionIndexes: [0, 1] }],
  })
  const names = [
    listed.topics[0]!.partitions[0]!,
    ends.topics[0]!.partitions[0]!,
    deleted.topics[0]!.partitions[0]!,
    ...producers.topics[0]!.partitions,
  ].map(({ errorCode }) => errorName(errorCode))
  const notHere = 'NOT_LEADER_OR_FOLLOWER'
  const expected = [notHere, notHere, notHere, notHere, 'UNKNOWN_TOPIC_OR_PARTITION']
  expect(names).toEqual(expected)
})

test('replicas are described by the brokers that have them, followers too', async () => {
  const dirs = await Promise.all(
    clients.map(client => client.request(describeLogDirs, 4, { topics: null })),
  )
  const topicsOf = dirs.map(({ results }) =>
    Object.fromEntries(results[0]!.topics.map(topic => [topic.name, topic.partitions.length])),
  )
  expect(topicsOf).toEqual([{ spread: 6 }, { spread: 6, elsewhere: 1 }, { spread: 6 }])
  const wish = { topics: [{ name: 'spread', partitionIndexes: [0] }] }
  for (const client of clients) {
    const isDescribed = async (): Promise<boolean> => {
      const { topics } = await client.request(describeProducers, 0, wish)
      return topics[0]!.partitions[0]!.errorCode === 0
    }
    await eventually('the replica is described', isDescribed)
  }
})
