import { Admin, Consumer, Producer, stringSerializers } from '@platformatic/kafka'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { batchesOnDisk, codecNames, codecsOnDisk } from '../helpers/segments.ts'
import { suiteBroker } from '../helpers/suite-broker.ts'
import { type Sample, samples } from './samples.ts'

describe('@platformatic/kafka', () => {
  const broker = suiteBroker()
  let admin: Admin
  let producer: Producer<string, string, string, string>
  let consumer: Consumer

  beforeAll(() => {
    const client = { clientId: 'suite', bootstrapBrokers: [broker().address], retries: 2 }
    admin = new Admin(client)
    producer = new Producer({ ...client, serializers: stringSerializers })
    // It never joins: partitions are fetched by their offsets.
    consumer = new Consumer({ ...client, groupId: 'none', maxWaitTime: 200 })
  })
  afterAll(async () => {
    await Promise.all([admin?.close(), producer?.close(true), consumer?.close(true)])
  })

  async function create(topic: string, partitions: number): Promise<void> {
    await admin.createTopics({ topics: [topic], partitions, replicas: 1 })
  }

  /** All records of a partition from `offset` on, by fetches without a group. */
  async function consume(topic: string, offset = 0n, partition = 0): Promise<Sample[]> {
    consumer.topics.track(topic)
    const metadata = await consumer.metadata({ topics: [topic], forceUpdate: true })
    const { id, partitions } = metadata.topics.get(topic)!
    const records: Sample[] = []
    for (let next = offset; ;) {
      const at = { currentLeaderEpoch: -1, lastFetchedEpoch: -1, partitionMaxBytes: 1 << 20 }
      const response = await consumer.fetch({
        node: partitions[partition]!.leader,
        topics: [{ topicId: id, partitions: [{ partition, fetchOffset: next, ...at }] }],
      })
      const found = response.responses[0]!.partitions[0]!
      for (const batch of found.records ?? []) {
        for (const record of batch.records) {
          const recordOffset = batch.firstOffset + BigInt(record.offsetDelta)
          if (recordOffset < next) continue
          expect(recordOffset).toBe(next)
          next++
          records.push({
            key: record.key?.toString() ?? null,
            value: record.value?.toString() ?? null,
            headers: Object.fromEntries(record.headers.map(pair => pair.map(String))),
          })
        }
      }
      if (next === found.highWatermark) return records
    }
  }

  function message(topic: string, { key, value, headers }: Sample) {
    const present = { ...(key !== null && { key }), ...(value !== null && { value }) }
    return { topic, partition: 0, headers, ...present }
  }

  describe.each([false, true])('idempotent: %s', idempotent => {
    test.each(codecNames)('produces and consumes with codec %s', async codec => {
      const topic = `codec-${codec}-${idempotent}`
      await create(topic, 1)
      const sent = samples(codec)
      const messages = sent.map(sample => message(topic, sample))
      const acks = idempotent ? { idempotent, acks: -1 } : { acks: 1 }
      const { offsets } = await producer.send({ messages, compression: codec, ...acks })
      expect(offsets).toEqual([{ topic, partition: 0, offset: 0n }])
      expect(await consume(topic)).toEqual(sent)
      expect(await consume(topic, 50n)).toEqual(sent.slice(50))
      expect(codecsOnDisk(broker().dataDir, topic, 0)).toEqual([codec])
      const [batch] = batchesOnDisk(broker().dataDir, topic, 0)
      expect(batch!.producerId).toSatisfy((id: number) => (idempotent ? id >= 0 : id === -1))
    })
  })

  test('creates, describes and deletes topics', async () => {
    const created = await admin.createTopics({ topics: ['made'], partitions: 3, replicas: 1 })
    expect(created).toMatchObject([{ name: 'made', partitions: 3, replicas: 1 }])
    expect(await admin.listTopics()).toContain('made')
    const metadata = await admin.metadata({ topics: ['made'], forceUpdate: true })
    expect(metadata.topics.get('made')).toMatchObject({ id: created[0]!.id, partitionsCount: 3 })
    await expect(create('made', 3)).rejects.toThrow()
    await admin.deleteTopics({ topics: ['made'] })
    expect(await admin.listTopics()).not.toContain('made')
  })

  test('a topic made again under the same name is empty', async () => {
    await create('again', 1)
    await producer.send({ messages: [message('again', samples('x')[0]!)], acks: 1 })
    await admin.deleteTopics({ topics: ['again'] })
    await create('again', 1)
    expect(await consume('again')).toEqual([])
  })

  test('a topic comes into being by producing to it', async () => {
    const [sample] = samples('auto')
    const messages = [message('auto', sample!)]
    await producer.send({ messages, acks: 1, autocreateTopics: true })
    expect(await consume('auto')).toEqual([sample])
  })

  test('tells first and last offsets', async () => {
    await create('listed', 2)
    const messages = samples('listed').map(sample => message('listed', sample))
    await producer.send({ messages, acks: -1 })
    consumer.topics.track('listed')
    const last = await consumer.listOffsets({ topics: ['listed'], timestamp: -1n })
    expect(last.get('listed')).toEqual([BigInt(messages.length), 0n])
    const first = await consumer.listOffsets({ topics: ['listed'], timestamp: -2n })
    expect(first.get('listed')).toEqual([0n, 0n])
  })

  test('describes the configuration of a topic', async () => {
    const configs = [{ name: 'retention.ms', value: '12345' }]
    await admin.createTopics({ topics: ['configured'], partitions: 1, replicas: 1, configs })
    const [described] = await admin.describeConfigs({
      resources: [{ resourceType: 2, resourceName: 'configured', configurationKeys: null }],
    })
    const values = new Map(described!.configs.map(({ name, value }) => [name, value]))
    expect(values.get('retention.ms')).toBe('12345')
    expect(values.get('cleanup.policy')).toBe('delete')
  })

  test('100 batches in flight keep their order', async () => {
    await create('flight', 1)
    const sends = Array.from({ length: 100 }, (_, at) => {
      const sample = { key: 'k', value: `value ${at}`, headers: {} }
      return producer.send({ messages: [message('flight', sample)], idempotent: true, acks: -1 })
    })
    await Promise.all(sends)
    const values = (await consume('flight')).map(({ value }) => value)
    expect(values).toEqual(sends.map((_, at) => `value ${at}`))
  })
})
