import { createRequire } from 'node:module'
import { join } from 'node:path'
import { kitFolder } from '../../../tools/clients.ts'
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

/** The part of node-rdkafka that is used here. It is fetched beside the repository, so its types are not there. */
interface Library {
  readonly librdkafkaVersion: string
  readonly Producer: new (settings: object, ofTopics?: object) => Producer
  readonly KafkaConsumer: new (settings: object, ofTopics: object) => Consumer
  readonly AdminClient: { create(settings: object): Admin }
  readonly CODES: { readonly ERRORS: Readonly<Record<string, number>> }
}

type Done<Result = unknown> = (error: Error | null, result: Result) => void

interface Client {
  connect(options: object, done: Done): void
  disconnect(done: Done): void
  on(event: string, listener: (...args: never[]) => void): void
  getMetadata(of: object, done: Done<Metadata>): void
  offsetsForTimes(of: object[], timeoutMs: number, done: Done<{ offset: number }[]>): void
}

interface Metadata {
  readonly topics: readonly { readonly name: string; readonly partitions: readonly object[] }[]
}

interface Producer extends Client {
  produce(topic: string, partition: number | null, value: Buffer | null, ...more: unknown[]): void
  setPollInterval(ms: number): void
  flush(timeoutMs: number, done: Done): void
}

interface Consumer extends Client {
  assign(to: object[]): void
  unassign(): void
  subscribe(topics: readonly string[]): void
  consume(count: number, done: Done<Message[]>): void
  setDefaultConsumeTimeout(ms: number): void
  pause(what: object[]): void
  resume(what: object[]): void
  commitMessageSync(message: Message): void
}

interface Admin {
  createTopic(topic: object, timeoutMs: number, done: Done): void
  deleteTopic(topic: string, timeoutMs: number, done: Done): void
  createPartitions(topic: string, count: number, timeoutMs: number, done: Done): void
  disconnect(): void
}

interface Message {
  readonly partition: number
  readonly offset: number
  readonly key: Buffer | string | null
  readonly value: Buffer | null
  readonly timestamp: number
  readonly headers?: readonly Readonly<Record<string, Buffer>>[]
}

const require = createRequire(import.meta.url)
const place = join(kitFolder('node-rdkafka'), 'node_modules/node-rdkafka')
const rdkafka = require(place) as Library

function promised<Result>(act: (done: Done<Result>) => void): Promise<Result> {
  return new Promise((resolve, reject) => {
    act((error, result) => (error ? reject(error) : resolve(result)))
  })
}

/** Its delivery reports come as events. */
async function producerOf(address: string, settings: object): Promise<[Producer, string[]]> {
  const producer = new rdkafka.Producer({
    'bootstrap.servers': address,
    'message.max.bytes': 4 << 20,
    'topic.metadata.refresh.interval.ms': 500,
    'delivery.timeout.ms': 20_000,
    dr_cb: true,
    ...settings,
  })
  const failed: string[] = []
  producer.on('delivery-report', (error: Error | null) => {
    if (error) failed.push(error.message)
  })
  producer.on('event.error', () => {})
  await promised(done => producer.connect({}, done))
  producer.setPollInterval(20)
  return [producer, failed]
}

async function consumerOf(address: string, group: string, settings: object): Promise<Consumer> {
  const consumer = new rdkafka.KafkaConsumer(
    {
      'bootstrap.servers': address,
      'group.id': group,
      'enable.auto.commit': false,
      'topic.metadata.refresh.interval.ms': 500,
      ...settings,
    },
    { 'auto.offset.reset': 'earliest' },
  )
  consumer.on('event.error', () => {})
  await promised(done => consumer.connect({}, done))
  consumer.setDefaultConsumeTimeout(100)
  return consumer
}

async function take(consumer: Consumer, count: number, waitMs = 20_000): Promise<Message[]> {
  const found: Message[] = []
  const deadline = Date.now() + waitMs
  while (found.length < count && Date.now() < deadline) {
    found.push(...(await promised<Message[]>(done => consumer.consume(count - found.length, done))))
  }
  return found
}

/** The library gives up what waits for a broker that is away once the metadata no longer list it, and where nobody leads yet or who leads knows no watermark. */
async function askedAgain<Result>(ask: () => Promise<Result>): Promise<Result> {
  const { ERRORS } = rdkafka.CODES
  const passing = ['ERR__DESTROY_BROKER', 'ERR__UNKNOWN_PARTITION', 'ERR_OFFSET_NOT_AVAILABLE'].map(
    name => ERRORS[name],
  )
  for (let times = 0; ; times++) {
    try {
      return await ask()
    } catch (error) {
      if (times === 100 || !passing.includes((error as { code?: number }).code)) throw error
      await sleep(100)
    }
  }
}

async function assigned<Result>(
  address: string,
  { minBytes, ...at }: { topic: string; partition: number; offset: number; minBytes?: number },
  act: (consumer: Consumer) => Promise<Result>,
): Promise<Result> {
  const waits = { 'fetch.min.bytes': minBytes, 'fetch.wait.max.ms': minBytesWaitMs }
  const consumer = await consumerOf(address, 'none', minBytes === undefined ? {} : waits)
  consumer.assign([at])
  const result = await act(consumer)
  consumer.unassign()
  await promised(done => consumer.disconnect(done))
  return result
}

function placed({ offset, key, value, headers = [], timestamp }: Message): PlacedRecord {
  const pairs = headers.flatMap(one => Object.entries(one))
  return {
    offset,
    key: key?.toString() ?? null,
    value: value?.toString() ?? null,
    headers: pairs.map(([name, bytes]) => [name, bytes.toString()] as const),
    timestamp,
  }
}

function verbsOf(address: string): Verbs {
  return {
    version() {
      const { version } = require(join(place, 'package.json')) as { version: string }
      return Promise.resolve(`${version} (librdkafka ${rdkafka.librdkafkaVersion})`)
    },

    async produce({ topic, partition, records, codec, acks }) {
      const settings = {
        'linger.ms': 100,
        'compression.type': codec,
        'request.required.acks': acks,
      }
      const given = { ...settings, ...(acks === 'all' && { 'request.required.acks': -1 }) }
      const [producer, failed] = await producerOf(address, given)
      for (const { key, value, headers, timestamp = 0 } of records) {
        const bytes = value === null ? null : Buffer.from(value)
        const pairs = headers.map(([name, text]) => ({ [name]: text }))
        producer.produce(topic, partition, bytes, key, timestamp, null, pairs)
      }
      await promised(done => producer.flush(25_000, done))
      await sleep(100)
      await promised(done => producer.disconnect(done))
      if (failed.length > 0) throw new Error(failed[0])
    },

    async flow(wish) {
      const [producer, failed] = await producerOf(address, {})
      let count = 0
      for await (const at of numbers(wish)) {
        producer.produce(wish.topic, null, Buffer.from(String(at)))
        count++
      }
      await promised(done => producer.flush(25_000, done))
      await sleep(100)
      await promised(done => producer.disconnect(done))
      return { acked: count - failed.length, failed }
    },

    async consume({ count, ...at }) {
      return (await assigned(address, at, consumer => take(consumer, count))).map(placed)
    },

    async offsetForTime({ topic, partition, timestamp }) {
      const consumer = await consumerOf(address, 'none', {})
      const asked = [{ topic, partition, offset: timestamp }]
      const found = await askedAgain(() =>
        promised<{ offset: number }[]>(done => consumer.offsetsForTimes(asked, 20_000, done)),
      )
      await promised(done => consumer.disconnect(done))
      return found[0]!.offset
    },

    pauseResume({ topic, partition, before, total, quietMs }) {
      return assigned(address, { topic, partition, offset: 0 }, async consumer => {
        const what = [{ topic, partition }]
        const first = await take(consumer, before)
        consumer.pause(what)
        const paused = await take(consumer, 1, quietMs)
        consumer.resume(what)
        const rest = await take(consumer, total - before)
        const offsets = (messages: Message[]): number[] => messages.map(({ offset }) => offset)
        return { before: offsets(first), during: offsets(paused), after: offsets(rest) }
      })
    },

    async consumeGroup({ topic, group, count }) {
      const consumer = await consumerOf(address, group, { 'session.timeout.ms': 6000 })
      consumer.subscribe([topic])
      const found = await take(consumer, count)
      for (const message of found) consumer.commitMessageSync(message)
      await promised(done => consumer.disconnect(done))
      return found.map(({ partition, offset }) => ({ partition, offset }))
    },

    createTopic({ topic, partitions, configs }) {
      const wish = { topic, num_partitions: partitions, replication_factor: -1, config: configs }
      return administer((admin, done) => admin.createTopic(wish, 20_000, done))
    },
    growTopic: ({ topic, partitions }) =>
      administer((admin, done) => admin.createPartitions(topic, partitions, 20_000, done)),
    async partitions({ topic }) {
      const [producer] = await producerOf(address, {})
      const { topics } = await promised<Metadata>(done =>
        producer.getMetadata({ topic, timeout: 10_000 }, done),
      )
      await promised(done => producer.disconnect(done))
      return topics.find(({ name }) => name === topic)?.partitions.length ?? 0
    },
    describeTopic: () => Promise.reject(new Lacks('node-rdkafka cannot describe configs')),
    configureTopic: () => Promise.reject(new Lacks('cannot configure topics')),
    deleteTopic: ({ topic }) => administer((admin, done) => admin.deleteTopic(topic, 20_000, done)),
  }

  async function administer(act: (admin: Admin, done: Done) => void): Promise<void> {
    const admin = rdkafka.AdminClient.create({ 'bootstrap.servers': address })
    try {
      await promised(done => act(admin, done))
    } finally {
      admin.disconnect()
    }
  }
}

async function member(wish: MemberWish): Promise<() => Promise<void>> {
  const consumer = await consumerOf(wish.address, wish.group, {
    'client.id': wish.name,
    ...(wish.instance !== null && { 'group.instance.id': wish.instance }),
    'session.timeout.ms': sessionMs(wish),
    'heartbeat.interval.ms': 300,
    'max.poll.interval.ms': Math.max(10_000, sessionMs(wish)),
    'enable.auto.commit': true,
    'auto.commit.interval.ms': 200,
    rebalance_cb: true,
  })
  consumer.on('rebalance', (event: { code: number }, partitions: { partition: number }[]) => {
    if (event.code !== rdkafka.CODES.ERRORS['ERR__ASSIGN_PARTITIONS']) return
    say({ assigned: partitions.map(({ partition }) => partition) })
  })
  consumer.subscribe([wish.topic])
  let isLeaving = false
  const reading = (async () => {
    while (!isLeaving) {
      for (const { partition, offset } of await take(consumer, 10, 100)) say({ partition, offset })
    }
  })()
  return async () => {
    isLeaving = true
    await reading
    await promised(done => consumer.disconnect(done))
  }
}

serve(verbsOf, member)
