import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import kafkajs, { type Admin, type Consumer } from 'kafkajs'
import { kitFolder } from '../../../tools/clients.ts'
import {
  type ConsumeWish,
  Lacks,
  type MemberWish,
  minBytesWaitMs,
  numbers,
  type PlacedRecord,
  say,
  serve,
  sleep,
  type Verbs,
} from './serve.ts'

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs

const codecs: Readonly<Record<string, number>> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
}

/** kafkajs leaves all but gzip to its application, which registers a function that makes the two of a codec. */
function registerCodecs(): void {
  const plugins = createRequire(join(kitFolder('kafkajs-codecs'), 'node_modules/'))
  const { compressFrame, decompressFrame } = plugins('lz4-napi') as Record<string, OneWay>
  CompressionCodecs[CompressionTypes.Snappy] = plugins('kafkajs-snappy') as () => unknown
  CompressionCodecs[CompressionTypes.LZ4] = codecOf(compressFrame!, decompressFrame!)
  CompressionCodecs[CompressionTypes.ZSTD] = codecOf(
    promisify(zstdCompress),
    promisify(zstdDecompress),
  )
}

type OneWay = (bytes: Buffer) => Promise<Buffer>

function codecOf(compress: OneWay, decompress: OneWay): () => unknown {
  return () => ({ compress: (encoder: { buffer: Buffer }) => compress(encoder.buffer), decompress })
}

/** For half a minute. Its default of five tries to connect is used up in nine seconds, and what then fails is tried by nobody. */
const patient = { initialRetryTime: 100, maxRetryTime: 1000, retries: 40 }

function kafkaOf(address: string, clientId = 'scenarios'): kafkajs.Kafka {
  return new Kafka({
    clientId,
    brokers: address.split(','),
    logLevel: logLevel.NOTHING,
    retry: patient,
  })
}

function verbsOf(address: string): Verbs {
  const kafka = kafkaOf(address)
  return {
    version: () => Promise.resolve(versionOf('kafkajs')),

    async produce({ topic, partition, records, codec, acks }) {
      const compression = codecs[codec]!
      const messages = records.map(({ key, value, headers, timestamp }) => ({
        key,
        value,
        partition,
        headers: Object.fromEntries(headers),
        ...(timestamp !== undefined && { timestamp: String(timestamp) }),
      }))
      const producer = kafka.producer({ retry: patient })
      await producer.connect()
      try {
        await producer.send({ topic, messages, compression, acks: acks === 'all' ? -1 : +acks })
      } finally {
        await producer.disconnect()
      }
    },

    async flow(wish) {
      const producer = kafka.producer({ metadataMaxAge: 500, retry: patient })
      await producer.connect()
      const failed: string[] = []
      let count = 0
      for await (const at of numbers(wish)) {
        const sent = producer.send({ topic: wish.topic, messages: [{ value: String(at) }] })
        await sent.catch((error: unknown) => failed.push(String(error)))
        count++
      }
      await producer.disconnect()
      return { acked: count - failed.length, failed }
    },

    async consume(wish) {
      const { found } = await readAlone(wish, async () => {})
      return found
    },

    async offsetForTime({ topic, partition, timestamp }) {
      const offsets = await askedAgain(() =>
        withAdmin(admin => admin.fetchTopicOffsetsByTimestamp(topic, timestamp)),
      )
      const { offset } = offsets.find(one => one.partition === partition)!
      // For a time after the last record it gives the end, which others tell as -1.
      const ends = await askedAgain(() => withAdmin(admin => admin.fetchTopicOffsets(topic)))
      return offset === ends.find(one => one.partition === partition)!.high ? -1 : Number(offset)
    },

    async pauseResume({ topic, partition, before, total, quietMs }) {
      const all: number[] = []
      let split = 0
      const { found } = await readAlone(
        { topic, partition, offset: 0, count: total },
        async (consumer, record) => {
          all.push(record.offset)
          if (all.length !== before) return
          const paused = [{ topic, partitions: [partition] }]
          consumer.pause(paused)
          setTimeout(() => {
            split = all.length
            consumer.resume(paused)
          }, quietMs)
        },
      )
      const offsets = found.map(one => one.offset)
      return {
        before: offsets.slice(0, before),
        during: offsets.slice(before, split),
        after: offsets.slice(split),
      }
    },

    async consumeGroup({ topic, group, count }) {
      const consumer = kafka.consumer({ groupId: group, sessionTimeout: 6000 })
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: true })
      const found: { partition: number; offset: number }[] = []
      const done = Promise.withResolvers<void>()
      await consumer.run({
        autoCommit: false,
        eachMessage: async ({ partition, message }) => {
          if (found.length === count) return
          found.push({ partition, offset: Number(message.offset) })
          const next = String(Number(message.offset) + 1)
          await consumer.commitOffsets([{ topic, partition, offset: next }])
          if (found.length === count) done.resolve()
        },
      })
      await inTime(done.promise, () => `${found.length} of ${count} records`)
      await consumer.disconnect()
      return found
    },

    createTopic: ({ topic, partitions, configs }) =>
      withAdmin(async admin => {
        const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
        await admin.createTopics({ topics: [{ topic, numPartitions: partitions, configEntries }] })
      }),
    growTopic: ({ topic, partitions }) =>
      withAdmin(async admin => {
        await admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] })
      }),
    configureTopic: ({ topic, configs }) =>
      withAdmin(async admin => {
        const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
        const resources = [{ type: 2, name: topic, configEntries }]
        await admin.alterConfigs({ validateOnly: false, resources })
      }),
    describeTopic: ({ topic }) =>
      withAdmin(async admin => {
        const asked = { includeSynonyms: false, resources: [{ type: 2, name: topic }] }
        const { resources } = await admin.describeConfigs(asked)
        const entries = resources[0]!.configEntries
        return Object.fromEntries(entries.map(one => [one.configName, one.configValue]))
      }),
    async partitions({ topic }) {
      // An administrator's metadata makes no topic; a consumer's does.
      const consumer = kafka.consumer({ groupId: 'asks-for-metadata' })
      await consumer.connect()
      try {
        await consumer.subscribe({ topic })
        return await withAdmin(async admin => {
          const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
          return topics[0]!.partitions.length
        })
      } finally {
        await consumer.disconnect()
      }
    },
    deleteTopic: ({ topic }) => withAdmin(admin => admin.deleteTopics({ topics: [topic] })),
  }

  async function withAdmin<Result>(act: (admin: Admin) => Promise<Result>): Promise<Result> {
    const admin = kafka.admin()
    await admin.connect()
    try {
      return await act(admin)
    } finally {
      await admin.disconnect()
    }
  }

  /** It consumes by groups only: a group of its own, moved to where reading shall begin. */
  async function readAlone(
    from: ConsumeWish,
    each: (consumer: Consumer, record: PlacedRecord) => Promise<void>,
  ): Promise<{ found: PlacedRecord[] }> {
    const { topic, partition, offset, count, minBytes } = from
    const groupId = `alone-${process.pid}-${Date.now()}`
    const waits =
      minBytes === undefined
        ? { maxWaitTimeInMs: 100 }
        : { minBytes, maxWaitTimeInMs: minBytesWaitMs }
    const consumer = kafka.consumer({ groupId, ...waits })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    const found: PlacedRecord[] = []
    const done = Promise.withResolvers<void>()
    const joined = new Promise<void>(resolve => {
      consumer.on(consumer.events.GROUP_JOIN, () => resolve())
    })
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition: of, message }) => {
        if (of !== partition || found.length >= count || Number(message.offset) < offset) return
        const record = {
          offset: Number(message.offset),
          key: message.key?.toString() ?? null,
          value: message.value?.toString() ?? null,
          headers: Object.entries(message.headers ?? {}).map(
            ([name, value]) => [name, String(value)] as const,
          ),
          timestamp: Number(message.timestamp),
        }
        found.push(record)
        await each(consumer, record)
        if (found.length === count) done.resolve()
      },
    })
    // `run` resolves too where the group's coordinator could not be found yet, and then there is nothing to seek in.
    await inTime(joined, () => 'no group')
    consumer.seek({ topic, partition, offset: String(offset) })
    await inTime(done.promise, () => `${found.length} of ${count} records`)
    await consumer.disconnect()
    return { found }
  }
}

async function member(wish: MemberWish): Promise<() => Promise<void>> {
  if (wish.instance !== null) throw new Lacks('no static membership')
  const consumer = kafkaOf(wish.address, wish.name).consumer({
    groupId: wish.group,
    sessionTimeout: 3000,
    rebalanceTimeout: 10_000,
    heartbeatInterval: 300,
    maxWaitTimeInMs: 100,
  })
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    say({ assigned: payload.memberAssignment[wish.topic] ?? [] })
  })
  await consumer.connect()
  await consumer.subscribe({ topic: wish.topic, fromBeginning: true })
  await consumer.run({
    autoCommitInterval: 200,
    eachMessage: ({ partition, message }) => {
      say({ partition, offset: Number(message.offset) })
      return Promise.resolve()
    },
  })
  return () => consumer.disconnect()
}

/** Its administrator asks once who leads, and what is then told in the middle of an election is left to the application. */
async function askedAgain<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (let left = patient.retries; ; left--) {
    try {
      return await ask()
    } catch (error) {
      if (left === 0 || (error as { retriable?: boolean }).retriable !== true) throw error
      await sleep(patient.initialRetryTime)
    }
  }
}

/** Rejects with what is there after 20 s. */
export async function inTime(done: Promise<void>, what: () => string): Promise<void> {
  const late = sleep(20_000).then(() => {
    throw new Error(`only ${what()} within 20 s`)
  })
  await Promise.race([done, late])
}

function versionOf(name: string): string {
  const path = createRequire(import.meta.url).resolve(`${name}/package.json`)
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}

registerCodecs()
serve(verbsOf, member)
