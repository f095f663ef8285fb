import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Admin } from '@platformatic/kafka'
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import type { TestBroker } from '../helpers/broker.ts'
import { describeWith, java, python } from '../helpers/clients.ts'
import { codecsOnDisk } from '../helpers/segments.ts'
import { suiteBroker } from '../helpers/suite-broker.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { samples } from './samples.ts'

/** A topic of one partition with ten records. */
async function filled(broker: TestBroker, topic: string): Promise<void> {
  const client = await BrokerClient.connect(broker.port)
  await client.createTopics([{ name: topic }])
  const records = [{ key: null, value: utf8('value') }]
  for (let sent = 0; sent < 10; sent++) {
    await client.produce({ topic, partition: 0 }, encodeBatch({ records }))
  }
  client.close()
}

async function firstOffset(broker: TestBroker, topic: string): Promise<number> {
  const client = await BrokerClient.connect(broker.port)
  const { offset } = await client.listOffset({ topic, partition: 0 }, -2)
  client.close()
  return offset
}

describeWith('java', 'Apache Kafka 4.3 admin tools', () => {
  const broker = suiteBroker()
  const tools = 'org.apache.kafka.tools'

  async function run(mainClass: string, args: readonly string[]): Promise<string> {
    const server = ['--bootstrap-server', broker().address]
    return (await java(mainClass, [...server, ...args])).stdout
  }

  const configs = (...args: string[]): Promise<string> => run('kafka.admin.ConfigCommand', args)

  async function create(topic: string): Promise<void> {
    const client = await BrokerClient.connect(broker().port)
    await client.createTopics([{ name: topic }])
    client.close()
  }

  test('kafka-topics grows a topic, and is told why it cannot shrink', async () => {
    await create('grows')
    const alter = (partitions: string): Promise<string> =>
      run(`${tools}.TopicCommand`, ['--alter', '--topic', 'grows', '--partitions', partitions])
    await alter('3')
    await expect(alter('2')).rejects.toThrow(/has 3 partitions, and 2 would be fewer/)
  })

  test('kafka-configs alters and describes a topic', async () => {
    await create('configured')
    const topic = ['--entity-type', 'topics', '--entity-name', 'configured']
    await configs(...topic, '--alter', '--add-config', 'retention.ms=60000,flush.ms=5')
    const edits = ['--add-config', 'cleanup.policy=[compact,delete]', '--delete-config', 'flush.ms']
    await configs(...topic, '--alter', ...edits)
    const described = await configs(...topic, '--describe')
    expect(described).toMatch(/cleanup\.policy=compact,delete .*DYNAMIC_TOPIC_CONFIG/)
    expect(described).toContain(
      'retention.ms=60000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=60000}',
    )
    expect(described).not.toMatch(/flush\.ms/)
    const typo = configs(...topic, '--alter', '--add-config', 'retention.mss=1')
    await expect(typo).rejects.toThrow(/did you mean retention\.ms\?/)
  })

  test('kafka-configs alters and describes one broker and all', async () => {
    const one = ['--entity-type', 'brokers', '--entity-name', '1']
    const all = ['--entity-type', 'brokers', '--entity-default']
    await configs(...one, '--alter', '--add-config', 'log.retention.ms=70000')
    await configs(...all, '--alter', '--add-config', 'log.retention.ms=80000')
    expect(await configs(...one, '--describe', '--all')).toContain(
      'log.retention.ms=70000 sensitive=false synonyms={DYNAMIC_BROKER_CONFIG:log.retention.ms=70000, ' +
        'DYNAMIC_DEFAULT_BROKER_CONFIG:log.retention.ms=80000, DEFAULT_CONFIG:log.retention.hours=168}',
    )
    const stays = configs(...one, '--alter', '--add-config', 'node.id=2')
    await expect(stays).rejects.toThrow(/cannot be changed while the broker runs/)
  })

  test('kafka-delete-records moves the start of a log', async () => {
    await filled(broker(), 'shrinks')
    const path = join(broker().dataDir, 'delete-records.json')
    const partitions = [{ topic: 'shrinks', partition: 0, offset: 4 }]
    writeFileSync(path, JSON.stringify({ version: 1, partitions }))
    const said = await run(`${tools}.DeleteRecordsCommand`, ['--offset-json-file', path])
    expect(said).toMatch(/shrinks-0\s+low_watermark: 4/)
    expect(await firstOffset(broker(), 'shrinks')).toBe(4)
  })
})

describe('kafkajs admin', () => {
  const broker = suiteBroker()
  const kafka = () => new Kafka({ brokers: [broker().address], logLevel: logLevel.NOTHING })

  test('grows, configures, describes and empties', async () => {
    const admin = kafka().admin()
    await admin.connect()
    await filled(broker(), 'topic')
    await admin.createPartitions({ topicPartitions: [{ topic: 'topic', count: 3 }] })
    const { topics } = await admin.fetchTopicMetadata({ topics: ['topic'] })
    expect(topics[0]!.partitions).toHaveLength(3)
    const resource = { type: ConfigResourceTypes.TOPIC, name: 'topic' }
    const configEntries = [{ name: 'retention.ms', value: '60000' }]
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ ...resource, configEntries }],
    })
    const { resources } = await admin.describeConfigs({
      resources: [{ ...resource, configNames: ['retention.ms'] }],
      includeSynonyms: true,
    })
    expect(resources[0]!.configEntries).toMatchObject([
      { configName: 'retention.ms', configValue: '60000', readOnly: false },
    ])
    const bad = [{ name: 'retention.mss', value: '1' }]
    const refused = admin.alterConfigs({
      validateOnly: false,
      resources: [{ ...resource, configEntries: bad }],
    })
    await expect(refused).rejects.toThrow(/[Cc]onfiguration is invalid/)
    await admin.deleteTopicRecords({ topic: 'topic', partitions: [{ partition: 0, offset: '-1' }] })
    expect(await firstOffset(broker(), 'topic')).toBe(10)
    await admin.disconnect()
  })
})

describe('@platformatic/kafka admin', () => {
  const broker = suiteBroker()
  let admin: Admin

  beforeAll(() => {
    admin = new Admin({ clientId: 'suite', bootstrapBrokers: [broker().address], retries: 0 })
  })
  afterAll(() => admin.close())

  async function valueOf(resourceType: 2 | 4, resourceName: string, name: string) {
    const resources = [{ resourceType, resourceName, configurationKeys: [name] }]
    const [described] = await admin.describeConfigs({ resources, includeSynonyms: true })
    return described!.configs[0]!.value
  }

  test('grows, configures, describes and empties', async () => {
    await filled(broker(), 'topic')
    await admin.createPartitions({
      topics: [{ name: 'topic', count: 2 }],
    })
    const metadata = await admin.metadata({ topics: ['topic'], forceUpdate: true })
    expect(metadata.topics.get('topic')).toMatchObject({ partitionsCount: 2 })
    const topic = { resourceType: 2, resourceName: 'topic' } as const
    const configs = [{ name: 'retention.ms', value: '5000' }]
    await admin.alterConfigs({ resources: [{ ...topic, configs }] })
    expect(await valueOf(2, 'topic', 'retention.ms')).toBe('5000')
    const edits = [
      { name: 'retention.ms', configOperation: 1 },
      { name: 'cleanup.policy', configOperation: 2, value: 'compact' },
    ] as const
    await admin.incrementalAlterConfigs({ resources: [{ ...topic, configs: [...edits] }] })
    expect(await valueOf(2, 'topic', 'retention.ms')).toBe('604800000')
    expect(await valueOf(2, 'topic', 'cleanup.policy')).toBe('delete,compact')
    const partitions = [{ partition: 0, offset: 6n }]
    expect(await admin.deleteRecords({ topics: [{ name: 'topic', partitions }] })).toEqual([
      { name: 'topic', partitions: [{ partition: 0, lowWatermark: 6n }] },
    ])
  })

  test('configures a broker', async () => {
    const resource = { resourceType: 4, resourceName: '1' } as const
    const set = [{ name: 'log.retention.ms', configOperation: 0, value: '9000' }] as const
    await admin.incrementalAlterConfigs({ resources: [{ ...resource, configs: [...set] }] })
    expect(await valueOf(4, '1', 'log.retention.ms')).toBe('9000')
  })
})

describeWith('confluent-kafka', 'confluent-kafka 2.16 admin', () => {
  const broker = suiteBroker()

  async function step<Result = null>(name: string, wish: object): Promise<Result> {
    const input = JSON.stringify(wish)
    const { stdout } = await python('confluent_admin.py', [name, broker().address], { input })
    return JSON.parse(stdout) as Result
  }

  test('grows a topic', async () => {
    await step('create', { topic: 'grows', partitions: 1 })
    expect(await step('grow', { topic: 'grows', partitions: 4 })).toBe(4)
    await expect(step('grow', { topic: 'grows', partitions: 4 })).rejects.toThrow(/already has 4/)
  })

  test('configures topics and brokers', async () => {
    await step('create', { topic: 'configured', partitions: 1 })
    const topic = { type: 'TOPIC', name: 'configured' }
    const edits = [
      ['SET', 'flush.ms', '12345678'],
      ['APPEND', 'cleanup.policy', 'compact'],
    ]
    await step('alter', { ...topic, edits })
    expect(await step('describe', topic)).toMatchObject({
      'flush.ms': { value: '12345678', source: 1, readOnly: false },
      'cleanup.policy': { value: 'delete,compact', source: 1 },
    })
    await step('replace', { ...topic, configs: { 'retention.ms': '1000' } })
    expect(await step('describe', topic)).toMatchObject({
      'retention.ms': { value: '1000', source: 1 },
      'flush.ms': { source: 5 },
    })
    // As librdkafka's own suite does it.
    const one = { type: 'BROKER', name: '1' }
    const kerberos = 'sasl.kerberos.min.time.before.relogin'
    const forBroker = [
      ['SET', 'background.threads', '9'],
      ['APPEND', 'log.cleanup.policy', 'compact'],
    ]
    await step('alter', { ...one, edits: forBroker })
    await step('alter', { ...one, edits: [['SUBTRACT', 'log.cleanup.policy', 'compact']] })
    await step('replace', { ...one, configs: { [kerberos]: '58000' } })
    expect(await step('describe', one)).toMatchObject({
      [kerberos]: { value: '58000', source: 2 },
      'background.threads': { value: '10', source: 5 },
      'node.id': { readOnly: true },
    })
  })

  test('chooses the codec that batches are stored in', async () => {
    const topic = 'packed'
    const sent = samples('packed')
    const produce = async (codec: string): Promise<void> => {
      const wish = { topic, settings: { 'compression.type': codec }, samples: sent }
      const input = JSON.stringify(wish)
      await python('confluent.py', ['produce', broker().address], { input })
    }
    await step('create', { topic, partitions: 1 })
    await produce('gzip')
    const edits = [['SET', 'compression.type', 'zstd']]
    await step('alter', { type: 'TOPIC', name: topic, edits })
    await produce('lz4')
    expect(codecsOnDisk(broker().dataDir, topic, 0)).toEqual(['gzip', 'zstd'])
    const input = JSON.stringify({ topic, offset: 0 })
    const { stdout } = await python('confluent.py', ['consume', broker().address], { input })
    const read = JSON.parse(stdout) as { records: object[] }
    expect(read.records).toEqual(
      [...sent, ...sent].map((sample, offset) => ({ offset, ...sample })),
    )
  })

  test('deletes records', async () => {
    await filled(broker(), 'shrinks')
    expect(await step('delete_records', { topic: 'shrinks', offset: 3 })).toBe(3)
    const above = step('delete_records', { topic: 'shrinks', offset: 11 })
    await expect(above).rejects.toThrow(/OFFSET_OUT_OF_RANGE/)
    expect(await firstOffset(broker(), 'shrinks')).toBe(3)
  })
})
