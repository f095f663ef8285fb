import { describe, expect, test } from 'vitest'
import { directoryOf, registered, soleBroker } from '../../../test/metadata/brokers.ts'
import { zeroUuid } from '../../lib/uuid.ts'
import type { Coordinator } from '../coordinator/coordinator.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { resolveListeners } from '../config/listeners.ts'
import { defaultSettings } from '../config/settings.ts'
import { MetadataImage } from '../metadata/image.ts'
import type { MetadataRecord } from '../metadata/records.ts'
import { errorCode } from '../wire/errors.ts'
import { metadataHandler } from './03-metadata.ts'
import { findCoordinatorHandler } from './10-find-coordinator.ts'
import { describeQuorumHandler } from './55-describe-quorum.ts'
import { describeClusterHandler } from './60-describe-cluster.ts'
import { describeTopicPartitionsHandler } from './75-describe-topic-partitions.ts'
import { Endpoints } from './endpoints.ts'
import type { RequestContext } from './handler.ts'

const topicId = directoryOf(77)

/** Brokers 1 to 3, of which the second is fenced and has no listener named OUTSIDE. */
const brokers: readonly MetadataRecord[] = [1, 2, 3].map(id =>
  registered(id, {
    isFenced: id === 2,
    rack: `rack-${id}`,
    listeners: ['INTERNAL', 'OUTSIDE'].flatMap(name =>
      id === 2 && name === 'OUTSIDE'
        ? []
        : { name, host: `${name.toLowerCase()}-${id}`, port: 9092 },
    ),
  }),
)

const partitions = [
  { leader: 1, leaderEpoch: 4, isr: [1, 3] },
  { leader: -1, leaderEpoch: 9, isr: [2] },
  { leader: 2, leaderEpoch: 5, isr: [2] },
].map(({ isr, ...state }, index) => ({
  ...soleBroker,
  ...state,
  index,
  replicas: [1, 2, 3],
  isr: isr.map(id => directoryOf(id)),
  elr: index === 1 ? [directoryOf(3)] : [],
  // The second one's broker has another directory by now.
  lastKnownElr: index === 1 ? [directoryOf(1), directoryOf(2, 5)] : [],
}))

const image = MetadataImage.empty.applyBatch(1, [
  { type: 'clusterCreated', clusterId: directoryOf(99) },
  ...brokers,
  { type: 'topicCreated', topicId, name: 'topic', isInternal: false, configs: [], partitions },
])

const settings = defaultSettings({
  listeners: 'INTERNAL://internal-1:9092,OUTSIDE://outside-1:9092',
})
const endpoints = new Endpoints({
  brokerId: 1,
  listeners: resolveListeners(settings, 'machine'),
  tellsLoopback: true,
  image: () => image,
})
const cluster = { image } as unknown as Cluster
const local = { host: '127.0.0.1', port: 9092 }

function by(listenerName: string, apiVersion: number): RequestContext {
  return { listenerName, apiVersion, local } as RequestContext
}

async function metadataOf(listenerName: string, apiVersion: number) {
  const settled = (): Promise<void> => Promise.resolve()
  const deps = { cluster, endpoints, autoCreate: false, autoCreatePartitions: 1, settled }
  const request = {
    topics: null,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  }
  const answer = await metadataHandler(deps).handle(request, by(listenerName, apiVersion))
  return { brokers: answer!.brokers, partitions: answer!.topics[0]!.partitions }
}

const unled = { errorCode: errorCode('LEADER_NOT_AVAILABLE') }

describe('Metadata', () => {
  test('has the brokers that are heard of, at the addresses of the listener (G46)', async () => {
    const told = await metadataOf('INTERNAL', 13)
    expect(told.brokers).toEqual([
      { nodeId: 1, host: 'internal-1', port: 9092, rack: 'rack-1' },
      { nodeId: 3, host: 'internal-3', port: 9092, rack: 'rack-3' },
    ])
    const outside = await metadataOf('OUTSIDE', 13)
    expect(outside.brokers.map(({ host }) => host)).toEqual(['outside-1', 'outside-3'])
  })

  test('has leaders, in-sync sets as broker ids, offline replicas and leader epochs (G47)', async () => {
    const told = await metadataOf('INTERNAL', 13)
    const ids = { replicaNodes: [1, 2, 3], offlineReplicas: [2] }
    expect(told.partitions).toEqual([
      { ...ids, errorCode: 0, partitionIndex: 0, leaderId: 1, leaderEpoch: 4, isrNodes: [1, 3] },
      { ...ids, ...unled, partitionIndex: 1, leaderId: -1, leaderEpoch: 9, isrNodes: [2] },
      // Fenced and not deposed yet: as in Kafka it leads still.
      { ...ids, errorCode: 0, partitionIndex: 2, leaderId: 2, leaderEpoch: 5, isrNodes: [2] },
    ])
  })

  test.each([
    [5, 'LEADER_NOT_AVAILABLE'],
    [6, 'LISTENER_NOT_FOUND'],
  ] as const)('v%i says of a leader without the listener: %s', async (apiVersion, error) => {
    const { partitions: told } = await metadataOf('OUTSIDE', apiVersion)
    expect(told[2]).toMatchObject({ leaderId: -1, leaderEpoch: 5, errorCode: errorCode(error) })
  })

  test('v0 tells replicas that are there only, and that some are not', async () => {
    const { partitions: told } = await metadataOf('INTERNAL', 0)
    expect(told[0]).toMatchObject({
      errorCode: errorCode('REPLICA_NOT_AVAILABLE'),
      replicaNodes: [1, 3],
      isrNodes: [1, 3],
    })
  })
})

test('DescribeTopicPartitions has eligible and last known leaders as broker ids, and no error (KIP-966)', async () => {
  const handler = describeTopicPartitionsHandler({ image: () => image, endpoints })
  const request = { topics: [{ name: 'topic' }], cursor: null, responsePartitionLimit: 100 }
  const answer = await handler.handle(request, by('INTERNAL', 0))
  expect(answer!.topics[0]!.partitions[1]).toEqual({
    errorCode: 0,
    partitionIndex: 1,
    leaderId: -1,
    leaderEpoch: 9,
    replicaNodes: [1, 2, 3],
    isrNodes: [2],
    eligibleLeaderReplicas: [3],
    lastKnownElr: [1],
    offlineReplicas: [2],
  })
})

test.each([
  [false, [1, 3]],
  [true, [1, 2, 3]],
])('DescribeCluster with fenced brokers (%s): %j', async (includeFencedBrokers, expected) => {
  const request = {
    endpointType: 1,
    includeFencedBrokers,
    includeClusterAuthorizedOperations: false,
  }
  const handler = describeClusterHandler({ cluster, endpoints })
  const answer = await handler.handle(request, by('INTERNAL', 2))
  expect(answer!.brokers.map(({ brokerId }) => brokerId)).toEqual(expected)
  expect(answer!.brokers.filter(({ isFenced }) => isFenced)).toHaveLength(expected.length - 2)
})

test('FindCoordinator tells the leader of each group that is heard of', async () => {
  const leaders: Record<string, number> = { one: 1, two: 2, three: 3, nobody: -1 }
  const coordinator = {
    ensureTopic: () => Promise.resolve(null),
    leaderOf: (group: string) => leaders[group],
  } as unknown as Coordinator
  const handler = findCoordinatorHandler({ coordinator, endpoints })
  const request = { key: '', keyType: 0, coordinatorKeys: Object.keys(leaders) }
  const answer = await handler.handle(request, by('OUTSIDE', 6))
  const none = { nodeId: -1, host: '', port: -1, errorCode: errorCode('COORDINATOR_NOT_AVAILABLE') }
  expect(answer!.coordinators).toMatchObject([
    { key: 'one', nodeId: 1, host: 'outside-1', port: 9092, errorCode: 0 },
    { key: 'two', ...none },
    { key: 'three', nodeId: 3, host: 'outside-3', port: 9092, errorCode: 0 },
    { key: 'nobody', ...none },
  ])
})

test('DescribeQuorum tells the controller as the voter, and the others as observers', async () => {
  const followers = [
    { brokerId: 1, appliedSequence: 1, heardMsAgo: 30 },
    { brokerId: 2, appliedSequence: -1, heardMsAgo: null },
    { brokerId: 3, appliedSequence: 0, heardMsAgo: 199.6 },
  ]
  const told = { type: 'quorumDescribed', followers } as const
  const claim = { type: 'epochClaimed', epoch: 7, brokerId: 1, claimId: topicId } as const
  const asked: Pick<Cluster, 'image' | 'ask'> = {
    image: image.apply(claim),
    ask: () => Promise.resolve(told),
  }
  const clock = { now: () => 1_000_000 }
  const handler = describeQuorumHandler({ cluster: asked, endpoints, clock })
  const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
  const answer = await handler.handle({ topics }, by('INTERNAL', 2))
  const [voter, second, third] = [
    [1, 1, 1_000_000, 1_000_000],
    [2, -1, -1, -1],
    [3, 0, 999_800, -1],
  ].map(([replicaId, logEndOffset, lastFetchTimestamp, lastCaughtUpTimestamp]) => ({
    replicaId,
    replicaDirectoryId: zeroUuid,
    logEndOffset,
    lastFetchTimestamp,
    lastCaughtUpTimestamp,
  }))
  expect(answer!.topics[0]!.partitions[0]).toMatchObject({
    leaderId: 1,
    leaderEpoch: 7,
    highWatermark: 1,
    currentVoters: [voter],
    observers: [second, third],
  })
  expect(answer!.nodes!.map(({ nodeId }) => nodeId)).toEqual([1, 2, 3])
})
