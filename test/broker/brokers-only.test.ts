import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { errorName } from '../../src/broker/wire/errors.ts'
import type { Api } from '../../src/broker/wire/field.ts'
import { Peers } from '../../src/broker/cluster/peers.ts'
import { WireClient } from '../../src/broker/wire/client/client.ts'
import { fetch, listOffsets, offsetForLeaderEpoch } from '../../src/broker/wire/messages/index.ts'
import {
  allocateProducerIds,
  alterPartition,
  askController,
  brokerHeartbeat,
  brokerRegistration,
  brokerStatus,
  describeBacklogs,
  describeLogEnds,
  fetchMetadata,
} from '../../src/broker/wire/private/index.ts'
import { realClock } from '../../src/env/real/clock.ts'
import { NodeNetwork } from '../../src/env/real/network.ts'
import { realRandom } from '../../src/env/real/random.ts'
import { zeroUuid } from '../../src/lib/uuid.ts'
import type { InProcessBroker } from '../helpers/in-process.ts'
import { friend, passwords, startPrivate } from '../helpers/private-broker.ts'

let broker: InProcessBroker
const open: WireClient[] = []

beforeEach(async () => {
  broker = await startPrivate()
})

afterEach(async () => {
  for (const client of open.splice(0)) client.close()
  await broker[Symbol.asyncDispose]()
})

async function atClientsListener(): Promise<WireClient> {
  const { host, port } = broker.broker.listeners[0]!
  return WireClient.connect({ clock: realClock, network: new NodeNetwork() }, { host, port })
}

const gossip = { controllerId: -1, controllerEpoch: -1 }
const who = { brokerId: 7, brokerEpoch: 1 }

/** What a broker that is none would do harm with. */
const requests: readonly (readonly [string, Api, object])[] = [
  ['AlterPartition', alterPartition, { ...who, topics: [], ...gossip }],
  [
    'BrokerRegistration',
    brokerRegistration,
    {
      brokerId: 7,
      clusterId: '',
      incarnationId: zeroUuid,
      listeners: [],
      features: [],
      rack: null,
    },
  ],
  [
    'BrokerHeartbeat',
    brokerHeartbeat,
    { ...who, currentMetadataOffset: 0, wantFence: false, wantShutDown: false },
  ],
  ['AllocateProducerIds', allocateProducerIds, who],
  ['FetchMetadata', fetchMetadata, { ...who, lastSequence: 0, lastHash: '', maxWaitMs: 0 }],
  [
    'AskController',
    askController,
    { brokerId: 7, timeoutMs: 10, command: new Uint8Array(0), ...gossip },
  ],
  ['DescribeBacklogs', describeBacklogs, { topics: [] }],
  ['DescribeLogEnds', describeLogEnds, { topics: [] }],
  [
    'Fetch',
    fetch,
    {
      replicaState: { replicaId: 7, replicaEpoch: 1 },
      maxWaitMs: 0,
      minBytes: 0,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [],
      forgottenTopicsData: [],
    },
  ],
  [
    'ListOffsets',
    listOffsets,
    {
      replicaId: 7,
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
    },
  ],
  [
    'OffsetForLeaderEpoch',
    offsetForLeaderEpoch,
    { replicaId: 7, topics: [{ topic: 't', partitions: [{ partition: 0, leaderEpoch: 0 }] }] },
  ],
]

/** The first error in an answer, or how the connection ended. */
async function fate(client: WireClient, api: Api, request: object): Promise<string> {
  open.push(client)
  try {
    const answer = (await client.request(api, request as never)) as {
      errorCode?: number
      topics?: { partitions: { errorCode: number }[] }[]
    }
    return errorName(answer.errorCode ?? answer.topics![0]!.partitions[0]!.errorCode)
  } catch (error) {
    return (error as { reason?: string }).reason ?? String(error)
  }
}

describe.each(requests)('%s as a broker', (_, api, request) => {
  test('is refused to clients', async () => {
    const found = await fate(await atClientsListener(), api, request)
    expect(['CLUSTER_AUTHORIZATION_FAILED', 'closed', 'unsupported']).toContain(found)
  })

  test('is refused to the operator', async () => {
    const client = await friend(broker, 'operator')
    expect(await fate(client, api, request)).toBe('CLUSTER_AUTHORIZATION_FAILED')
  })

  test('is answered to a broker', async () => {
    const client = await friend(broker, 'broker')
    expect(await fate(client, api, request)).not.toBe('CLUSTER_AUTHORIZATION_FAILED')
  })
})

test('a password that does not fit is told on both sides, once, and harms nobody', async () => {
  const told: string[] = []
  let password = 'guess'
  const peers = new Peers({
    env: { clock: realClock, network: new NodeNetwork(), random: realRandom },
    brokerId: 7,
    version: '1',
    password: () => password,
    warn: (message, { peer }) => told.push(`${message}: ${String(peer)}`),
  })
  const { host, port } = broker.broker.privateListener!
  for (let count = 0; count < 2; count++) {
    await expect(peers.connect({ host, port })).rejects.toMatchObject({
      error: 'SASL_AUTHENTICATION_FAILED',
    })
  }
  expect(told).toEqual([
    expect.stringMatching(
      /different passwords for `broker`.*Give both the same one: 127\.0\.0\.1:\d+/,
    ),
  ])
  const failures = (await broker.metrics.text()).match(/^logcluster_login_failures_total.* (\d+)$/m)
  expect(failures?.[1]).toBe('2')
  password = passwords.broker
  const client = await peers.connect({ host, port })
  expect(await client.request(brokerStatus, {})).toMatchObject({ isReady: true })
  peers.close()
})
