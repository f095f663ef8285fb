import { CompressionTypes, Kafka, logLevel } from 'kafkajs'
import { beforeAll, expect, test } from 'vitest'
import { describeWith, kcat } from '../helpers/clients.ts'
import { codecsOnDisk } from '../helpers/segments.ts'
import { suiteBroker } from '../helpers/suite-broker.ts'

// It consumes by groups only, so kcat reads what it wrote.
describeWith('kcat', 'kafkajs 2.2 (the oldest protocol in use)', () => {
  const broker = suiteBroker()
  let kafka: Kafka

  beforeAll(() => {
    kafka = new Kafka({
      clientId: 'suite',
      brokers: [broker().address],
      logLevel: logLevel.NOTHING,
    })
  })

  test('creates, lists and deletes topics', async () => {
    const admin = kafka.admin()
    await admin.connect()
    expect(await admin.createTopics({ topics: [{ topic: 'made', numPartitions: 3 }] })).toBe(true)
    expect(await admin.createTopics({ topics: [{ topic: 'made', numPartitions: 3 }] })).toBe(false)
    expect(await admin.listTopics()).toContain('made')
    const { topics } = await admin.fetchTopicMetadata({ topics: ['made'] })
    expect(topics[0]!.partitions).toHaveLength(3)
    const offsets = await admin.fetchTopicOffsets('made')
    expect(offsets.map(({ high }) => high)).toEqual(['0', '0', '0'])
    const cluster = await admin.describeCluster()
    expect(cluster.brokers).toHaveLength(1)
    await admin.deleteTopics({ topics: ['made'] })
    expect(await admin.listTopics()).not.toContain('made')
    await admin.disconnect()
  })

  test.each([
    ['none', CompressionTypes.None, false],
    ['gzip', CompressionTypes.GZIP, false],
    ['gzip', CompressionTypes.GZIP, true],
  ] as const)('produces with codec %s', async (codec, compression, idempotent) => {
    const topic = `codec-${codec}-${idempotent}`
    const producer = kafka.producer({ idempotent, ...(idempotent && { maxInFlightRequests: 1 }) })
    await producer.connect()
    const messages = Array.from({ length: 200 }, (_, at) => ({
      key: at % 3 === 0 ? null : `key ${at}`,
      value: at % 7 === 1 ? null : `value ${at}`,
      headers: { at: String(at) },
      partition: 0,
    }))
    const [sent] = await producer.send({ topic, messages, compression, acks: -1 })
    expect(sent).toMatchObject({ topicName: topic, partition: 0, errorCode: 0, baseOffset: '0' })
    await producer.disconnect()
    const read = ['-C', '-b', broker().address, '-t', topic, '-p', '0', '-o', '0', '-e', '-q', '-J']
    const lines = (await kcat(read)).stdout.trimEnd().split('\n')
    const back = lines.map(line => JSON.parse(line) as Record<string, unknown>)
    expect(back.map(({ key, payload, headers }) => ({ key, payload, headers }))).toEqual(
      messages.map(({ key, value, headers }) => ({
        key,
        payload: value,
        headers: ['at', headers.at],
      })),
    )
    expect(codecsOnDisk(broker().dataDir, topic, 0)).toEqual([codec])
  })
})
