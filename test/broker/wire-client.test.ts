import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { loadNative } from '../../src/broker/native/load.ts'
import { refuseErrors } from '../../src/broker/wire/client/client-error.ts'
import { WireClient } from '../../src/broker/wire/client/client.ts'
import { Connections } from '../../src/broker/wire/client/connections.ts'
import { retrying } from '../../src/broker/wire/client/retrying.ts'
import {
  createTopics,
  describeCluster,
  fetch,
  findCoordinator,
  metadata,
  offsetFetch,
  produce,
} from '../../src/broker/wire/messages/index.ts'
import type { Network } from '../../src/env/env.ts'
import { realClock } from '../../src/env/real/clock.ts'
import { NodeNetwork } from '../../src/env/real/network.ts'
import { realRandom } from '../../src/env/real/random.ts'
import { fetchRequest, produceRequest } from '../helpers/broker-client.ts'
import { InProcessBroker } from '../helpers/in-process.ts'

/** The product's client against a whole broker, in the versions that the two agree on. */

let broker: InProcessBroker

beforeAll(async () => {
  broker = await InProcessBroker.start()
})

afterAll(async () => {
  await broker[Symbol.asyncDispose]()
})

const networks: Record<string, Network> = { node: new NodeNetwork() }
const loaded = loadNative()
if (loaded.ok) networks['native'] = loaded.native.network
else test.skip(`over the native network: not run, ${loaded.reason}`, () => {})

const topicOf = (name: string) => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
})

test.each(Object.keys(networks))('what is produced is fetched, over the %s network', async name => {
  const env = { clock: realClock, network: networks[name]! }
  const [address] = broker.broker.listeners
  using client = await WireClient.connect(env, address!, { clientId: 'suite' })
  const { topics } = await client.request(createTopics, {
    topics: [topicOf(name)],
    validateOnly: false,
  })
  for (const { errorCode } of topics) refuseErrors(errorCode, `CreateTopics of ${name}`)
  const place = { topic: name, topicId: topics[0]!.topicId!, partition: 0 }
  const batch = encodeBatch({ records: [{ key: 'k', value: 'v'.repeat(100_000) }] })
  const produced = await Promise.all(
    [0, 1, 2, 3].map(() => client.request(produce, produceRequest(place, batch, -1))),
  )
  expect(produced.map(({ responses }) => responses[0]!.partitionResponses[0]!.baseOffset)).toEqual([
    0, 1, 2, 3,
  ])
  const fetched = await client.request(fetch, fetchRequest(place, 2, { maxBytes: 1 << 24 }))
  const { records } = fetched.responses[0]!.partitions[0]!
  expect(records).toHaveLength(2 * batch.length)
  const { brokers } = await client.request(describeCluster, {
    includeClusterAuthorizedOperations: false,
    includeFencedBrokers: false,
  })
  expect(brokers).toMatchObject([{ port: address!.port }])
})

test('connections and retries get over a restart and over a coordinator that loads', async () => {
  const { port } = broker.broker.listeners[0]!
  const place = { host: '127.0.0.1', port }
  const env = { clock: realClock, network: networks['node']!, random: realRandom }
  using connections = new Connections(env, { bootstrap: [{ host: '127.0.0.1', port: 1 }, place] })
  const patience = { clock: realClock, random: realRandom, timeoutMs: 60_000, delayMsMin: 20 }
  const groups = [{ groupId: 'g', topics: null }]
  const committed = () =>
    retrying(patience, async () => {
      const client = await connections.any()
      const coordinator = { key: '', keyType: 0, coordinatorKeys: ['g'] }
      const found = await client.request(findCoordinator, coordinator)
      refuseErrors(found.coordinators[0]!.errorCode, 'FindCoordinator of g')
      const asked = { groupId: '', topics: null, groups, requireStable: false }
      const answer = await client.request(offsetFetch, asked)
      refuseErrors(answer.groups[0]!.errorCode, 'OffsetFetch of g')
      return answer.groups[0]!.topics
    })
  expect(await committed()).toEqual([])
  const before = await connections.at(place)
  const { disk } = broker
  await broker.broker.stop()
  expect((await before.closed).reason).toBe('closed')
  await expect(connections.any()).rejects.toMatchObject({ reason: 'unreachable' })
  const asking = committed()
  broker = await InProcessBroker.start({ listeners: `PLAINTEXT://127.0.0.1:${port}` }, disk)
  expect(await asking).toEqual([])
  const after = await connections.at(place)
  expect(after).not.toBe(before)
  const request = {
    topics: [],
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  }
  expect((await after.request(metadata, request)).brokers).toHaveLength(1)
})
