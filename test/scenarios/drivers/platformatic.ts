import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  Admin,
  Consumer,
  type ConsumeOptions,
  Producer,
  stringSerializers,
} from '@platformatic/kafka'
import {
  Lacks,
  type MemberWish,
  minBytesWaitMs,
  numbers,
  type PlacedRecord,
  say,
  serve,
  sessionMs,
  sleep,
  type Verbs,
} from './serve.ts'

type From = Pick<
  ConsumeOptions<Buffer, Buffer, Buffer, Buffer>,
  'mode' | 'fallbackMode' | 'offsets'
>

function clientOf(address: string, clientId = 'scenarios') {
  return { clientId, bootstrapBrokers: address.split(','), retries: 3, metadataMaxAge: 500 }
}

/** For half a minute. By default a stream ends with the error of its fourth try, three seconds after the first. */
const patient = { retries: 120, retryDelay: 250 }

function consumerOf(address: string, groupId: string, minBytes?: number): Consumer {
  const quick = { maxWaitTime: 100, sessionTimeout: 6000, heartbeatInterval: 1000 }
  const patientFetch = minBytes !== undefined && { minBytes, maxWaitTime: minBytesWaitMs }
  return new Consumer({ ...clientOf(address), groupId, ...quick, ...patientFetch })
}

function verbsOf(address: string): Verbs {
  return {
    version: () => Promise.resolve(installedVersion()),

    async produce({ topic, partition, records, codec, acks }) {
      const producer = new Producer({ ...clientOf(address), serializers: stringSerializers })
      const messages = records.map(({ key, value, headers, timestamp }) => ({
        topic,
        partition,
        headers: Object.fromEntries(headers),
        ...(key !== null && { key }),
        ...(value !== null && { value }),
        ...(timestamp !== undefined && { timestamp: BigInt(timestamp) }),
      }))
      const compression = codec as 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
      try {
        await producer.send({ messages, compression, acks: acks === 'all' ? -1 : Number(acks) })
      } finally {
        await producer.close()
      }
    },

    async flow(wish) {
      const options = { ...clientOf(address), ...patient, serializers: stringSerializers }
      const producer = new Producer(options)
      const failed: string[] = []
      let count = 0
      for await (const at of numbers(wish)) {
        const messages = [{ topic: wish.topic, value: String(at) }]
        const sent = producer.send({ messages, acks: -1 })
        await sent.catch((error: unknown) => failed.push(said(error)))
        count++
      }
      await producer.close()
      return { acked: count - failed.length, failed }
    },

    async consume({ topic, partition, offset, count, minBytes }) {
      const consumer = consumerOf(address, 'alone', minBytes)
      const offsets = [{ topic, partition, offset: BigInt(offset) }]
      const found = await take(consumer, topic, { mode: 'manual', offsets, count })
      await consumer.close(true)
      return found.filter(one => one.partition === partition)
    },

    async offsetForTime({ topic, partition, timestamp }) {
      const consumer = consumerOf(address, 'alone')
      const found = await consumer.listOffsets({ topics: [topic], timestamp: BigInt(timestamp) })
      await consumer.close(true)
      return Number(found.get(topic)![partition])
    },

    async pauseResume({ topic, partition, before, total, quietMs }) {
      const consumer = consumerOf(address, 'alone')
      const offsets = [{ topic, partition, offset: 0n }]
      const stream = await consumer.consume({ topics: [topic], mode: 'manual', offsets })
      const all: number[] = []
      let pausedAt = Infinity
      stream.on('data', message => {
        all.push(Number(message.offset))
        if (all.length === before) {
          stream.pause()
          pausedAt = Date.now()
        }
      })
      await until(() => Date.now() - pausedAt >= quietMs)
      const split = all.length
      stream.resume()
      await until(() => all.length >= total)
      await stream.close()
      await consumer.close(true)
      return {
        before: all.slice(0, before),
        during: all.slice(before, split),
        after: all.slice(split),
      }
    },

    async consumeGroup({ topic, group, count }) {
      const consumer = consumerOf(address, group)
      const from = { mode: 'committed', fallbackMode: 'earliest' } as const
      const found = await take(consumer, topic, { ...from, count, commits: true })
      await consumer.close(true)
      return found.map(({ partition, offset }) => ({ partition, offset }))
    },

    createTopic: ({ topic, partitions, configs }) =>
      withAdmin(async admin => {
        const entries = Object.entries(configs).map(([name, value]) => ({ name, value }))
        await admin.createTopics({ topics: [topic], partitions, replicas: -1, configs: entries })
      }),
    growTopic: ({ topic, partitions }) =>
      withAdmin(admin => admin.createPartitions({ topics: [{ name: topic, count: partitions }] })),
    configureTopic: ({ topic, configs }) =>
      withAdmin(admin => {
        const entries = Object.entries(configs).map(([name, value]) => ({
          name,
          value,
          configOperation: 0 as const,
        }))
        const resource = { resourceType: 2 as const, resourceName: topic, configs: entries }
        return admin.incrementalAlterConfigs({ resources: [resource], validateOnly: false })
      }),
    describeTopic: ({ topic }) =>
      withAdmin(async admin => {
        const resources = [{ resourceType: 2 as const, resourceName: topic }]
        const [described] = await admin.describeConfigs({ resources })
        return Object.fromEntries(described!.configs.map(({ name, value }) => [name, value ?? '']))
      }),
    partitions: () =>
      Promise.reject(new Lacks('the library leaves internal topics out of what metadata tells')),
    deleteTopic: ({ topic }) => withAdmin(admin => admin.deleteTopics({ topics: [topic] })),
  }

  async function withAdmin<Result>(act: (admin: Admin) => Promise<Result>): Promise<Result> {
    const admin = new Admin(clientOf(address))
    try {
      return await act(admin)
    } catch (error) {
      throw new Error(said(error), { cause: error })
    } finally {
      await admin.close()
    }
  }
}

/** The first `count` records of a stream that begins as told, committed as they come if wished. */
async function take(
  consumer: Consumer,
  topic: string,
  wish: From & { readonly count: number; readonly commits?: boolean },
): Promise<(PlacedRecord & { partition: number })[]> {
  const { count, commits = false, ...from } = wish
  const stream = await consumer.consume({ topics: [topic], autocommit: false, ...from })
  const found: (PlacedRecord & { partition: number })[] = []
  const timer = setTimeout(
    () => stream.destroy(new Error(`only ${found.length} of ${count}`)),
    20_000,
  )
  for await (const message of stream) {
    found.push({
      partition: message.partition,
      offset: Number(message.offset),
      key: textOf(message.key),
      value: textOf(message.value),
      headers: [...message.headers].map(([name, value]) => [String(name), String(value)] as const),
      timestamp: Number(message.timestamp),
    })
    if (commits) await message.commit()
    if (found.length === count) break
  }
  clearTimeout(timer)
  await stream.close()
  return found
}

async function member(wish: MemberWish): Promise<() => Promise<void>> {
  const consumer = new Consumer({
    ...clientOf(wish.address, wish.name),
    ...patient,
    groupId: wish.group,
    ...(wish.instance !== null && { groupInstanceId: wish.instance }),
    sessionTimeout: sessionMs(wish),
    rebalanceTimeout: Math.max(10_000, sessionMs(wish)),
    heartbeatInterval: 300,
    maxWaitTime: 100,
  })
  consumer.on('consumer:group:join', ({ assignments }) => {
    const mine = assignments?.filter(one => one.topic === wish.topic) ?? []
    say({ assigned: mine.flatMap(one => one.partitions) })
  })
  const from = { mode: 'committed', fallbackMode: 'earliest', autocommit: 200 } as const
  const stream = await consumer.consume({ topics: [wish.topic], ...from })
  stream.on('data', ({ partition, offset }) => say({ partition, offset: Number(offset) }))
  return async () => {
    await stream.close()
    await consumer.close(true)
  }
}

function textOf(bytes: Buffer | null | undefined): string | null {
  return bytes?.toString() ?? null
}

/** Its errors are bundles; the reason is inside. */
function said(error: unknown): string {
  const parts = error instanceof AggregateError ? error.errors.map(said) : []
  return [String(error), ...parts].join('; ').slice(0, 1000)
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('not within 20 s')
    await sleep(10)
  }
}

function installedVersion(): string {
  const root = join(import.meta.dirname, '../../../node_modules/@platformatic/kafka')
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string })
    .version
}

serve(verbsOf, member)
