import { describe, expect, test } from 'vitest'
import { Cluster } from '../../src/broker/cluster/cluster.ts'
import { FilesStore } from '../../src/broker/metadata/files/files-store.ts'
import { createLogger } from '../../src/broker/telemetry/logger.ts'
import {
  alterConfigs,
  createTopics,
  describeConfigs,
  metadata,
} from '../../src/broker/wire/messages/index.ts'
import { errorCode } from '../../src/broker/wire/errors.ts'
import { realClock } from '../../src/env/real/clock.ts'
import { realRandom } from '../../src/env/real/random.ts'
import { zeroUuid } from '../../src/lib/uuid.ts'
import { SimDisk } from '../../sim/disk.ts'
import { InProcessBroker } from '../helpers/in-process.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'
import { WireGroup } from '../helpers/wire-groups.ts'

const settings = { groupInitialRebalanceDelayMs: 0, offsetsTopicNumPartitions: 3 }
const offsets = '__consumer_offsets'

async function lookFor(client: BrokerClient, name: string) {
  const { topics } = await client.request(metadata, 12, {
    topics: [{ name, topicId: zeroUuid }],
    allowAutoTopicCreation: true,
    includeTopicAuthorizedOperations: false,
    includeClusterAuthorizedOperations: false,
  })
  return topics[0]!
}

async function configsOf(client: BrokerClient, name: string): Promise<Record<string, unknown>> {
  const { results } = await client.request(describeConfigs, 4, {
    resources: [{ resourceType: 2, resourceName: name, configurationKeys: null }],
    includeSynonyms: false,
    includeDocumentation: false,
  })
  return Object.fromEntries(results[0]!.configs.map(row => [row.name, row.value]))
}

/** Ways in which the topic of the offsets comes to be. */
const askers: Record<string, (client: BrokerClient) => Promise<unknown>> = {
  'Metadata of a consumer that reads everything': client => lookFor(client, offsets),
  'CreateTopics with wishes of its own': client =>
    client.request(createTopics, 7, {
      topics: [
        {
          name: offsets,
          numPartitions: 1,
          replicationFactor: 1,
          assignments: [],
          configs: [{ name: 'cleanup.policy', value: 'delete' }],
        },
      ],
      timeoutMs: 10_000,
      validateOnly: false,
    }),
  'FindCoordinator of the first group': client => new WireGroup(client, 'group').find(),
}

describe('whoever asks first, internal topics are made with partitions and policy of their own', () => {
  test.each(Object.entries(askers))('%s', async (_, ask) => {
    await using broker = await InProcessBroker.start(settings)
    const client = await broker.connect()
    await ask(client)
    const topic = await lookFor(client, offsets)
    expect(topic).toMatchObject({ errorCode: 0, isInternal: true })
    expect(topic.partitions).toHaveLength(3)
    expect(await configsOf(client, offsets)).toMatchObject({
      'cleanup.policy': 'compact',
      'compression.type': 'producer',
      'segment.bytes': String(2 ** 20),
    })
    const group = new WireGroup(client, 'group')
    expect(await group.find()).toBe('NONE')
    await client.createTopics([{ name: 'topic' }])
    expect(await group.commit([{ topic: 'topic', partition: 0, offset: 1 }])).toEqual(['NONE'])
    expect(broker.fatal).toEqual([])
  })

  test('the one of transactions, too', async () => {
    await using broker = await InProcessBroker.start(settings)
    const client = await broker.connect()
    await lookFor(client, '__transaction_state')
    const topic = await lookFor(client, '__transaction_state')
    expect([topic.isInternal, topic.partitions.length]).toEqual([true, 50])
    expect(await configsOf(client, '__transaction_state')).toMatchObject({
      'cleanup.policy': 'compact',
      'compression.type': 'uncompressed',
    })
  })
})

test.each([
  ['set to delete', [{ name: 'cleanup.policy', value: 'delete' }]],
  ['taken back', []],
])('a cleanup policy under which offsets would be lost cannot be %s', async (_, configs) => {
  await using broker = await InProcessBroker.start(settings)
  const client = await broker.connect()
  await new WireGroup(client, 'group').find()
  const alter = async (wishes: typeof configs) => {
    const resources = [{ resourceType: 2, resourceName: offsets, configs: wishes }]
    const { responses } = await client.request(alterConfigs, 2, { resources, validateOnly: false })
    return responses
  }
  expect(await alter(configs)).toMatchObject([
    {
      errorCode: errorCode('INVALID_CONFIG'),
      errorMessage: expect.stringContaining('cleanup.policy'),
    },
  ])
  const both = { name: 'cleanup.policy', value: 'compact,delete' }
  expect(await alter([both, { name: 'segment.bytes', value: '1048576' }])).toMatchObject([
    { errorCode: 0 },
  ])
})

test('an existing directory that has them as ordinary topics is mended at start, and keeps its partitions', async () => {
  const disk = new SimDisk()
  disk.mkdir('/data')
  // As the version before made it for a client that asked for its metadata.
  const before = await Cluster.start({
    env: { clock: realClock, random: realRandom },
    store: await FilesStore.open({ disk, path: '/data/metadata' }),
    brokerId: 1,
    listeners: [],
    defaults: { partitionCount: 4, replicationFactor: 1 },
    internalTopics: new Map([[offsets, { partitionCount: 4, configs: [] }]]),
  })
  const wish = { partitionCount: 4, replicationFactor: 1, assignments: [], configs: [] }
  await before.createTopics([{ name: offsets, ...wish }], false)
  await before.stop()

  const lines: Record<string, unknown>[] = []
  const stream = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const logger = createLogger({ level: 'warn', clock: realClock, stream })
  await using broker = await InProcessBroker.start(settings, disk, logger)
  const client = await broker.connect()
  const topic = await lookFor(client, offsets)
  expect(topic.partitions).toHaveLength(4)
  expect(await configsOf(client, offsets)).toMatchObject({ 'cleanup.policy': 'compact' })
  const said = lines.filter(line => line['topic'] === offsets)
  expect(said).toMatchObject([{ policy: 'not set', partitions: 4, error: 'NONE' }])
})
