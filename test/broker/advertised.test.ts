import { expect, test } from 'vitest'
import {
  describeCluster,
  describeQuorum,
  findCoordinator,
  metadata,
} from '../../src/broker/wire/messages/index.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { InProcessBroker } from '../helpers/in-process.ts'

/** Every address that a client is told, by whatever API tells any. */
async function told(client: BrokerClient): Promise<Set<string>> {
  const { wire } = client
  const all = { topics: null, allowAutoTopicCreation: false }
  const none = {
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
    includeFencedBrokers: false,
  }
  const key = { key: 'group', keyType: 0, coordinatorKeys: ['group'] }
  const quorum = {
    topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }],
  }
  const answers = [
    (await wire.request(metadata, { ...all, ...none })).brokers,
    (await wire.request(describeCluster, none)).brokers,
    (await wire.request(findCoordinator, key)).coordinators,
    (await wire.request(describeQuorum, quorum)).nodes.flatMap(({ listeners }) => listeners),
  ]
  expect(answers.map(each => each.length)).toEqual([1, 1, 1, 1])
  return new Set(answers.flat().map(({ host, port }) => `${host}:${port}`))
}

test("with a pod's settings, who comes through a tunnel is told the tunnel, by every API, at each listener", async () => {
  await using broker = await InProcessBroker.start({
    listeners: 'INTERNAL://0.0.0.0:0,OUTSIDE://0.0.0.0:0',
    advertisedListeners: 'INTERNAL://orders-main-0-0.example:9092,OUTSIDE://10.1.2.3:31094',
    advertisedListenersLoopbackEnable: true,
  })
  for (const { port } of broker.broker.listeners) {
    const client = await BrokerClient.connect(port)
    expect(await told(client)).toEqual(new Set([`localhost:${port}`]))
    client.close()
  }
})

test('without the setting everybody is told what is advertised', async () => {
  await using broker = await InProcessBroker.start({
    listeners: 'INTERNAL://0.0.0.0:0,OUTSIDE://0.0.0.0:0',
    advertisedListeners: 'INTERNAL://orders-main-0-0.example:9092,OUTSIDE://10.1.2.3:31094',
  })
  const advertised = ['orders-main-0-0.example:9092', '10.1.2.3:31094']
  for (const [at, { port }] of broker.broker.listeners.entries()) {
    const client = await BrokerClient.connect(port)
    expect(await told(client)).toEqual(new Set([advertised[at]]))
    client.close()
  }
})
