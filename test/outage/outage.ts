import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { errorName } from '../../src/broker/wire/errors.ts'
import { readAll } from '../faults/reader.ts'
import { keyOf } from '../faults/world.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'
import { BrokerCluster } from '../helpers/broker-cluster.ts'
import { eventually } from '../helpers/eventually.ts'

/** Takes the metadata store away from all brokers, and gives it back. */
export interface Outage {
  readonly settings?: Readonly<Record<string, string>>
  take(cluster: BrokerCluster): Promise<void>
  giveBack(cluster: BrokerCluster): Promise<void>
}

export interface OutageResult {
  readonly seconds: number
  /** Of all acks=all requests, also before and after. */
  readonly acknowledged: number
  /** Of those that began while the store was away. */
  readonly acknowledgedMeanwhile: number
  /** What was answered, or happened, instead to one of those. */
  readonly failures: readonly string[]
  /** And to one after them: whoever becomes the controller then may find a broker gone on a machine that is overloaded. */
  readonly failuresAfter: readonly string[]
  readonly longestWaitMs: number
  /** Acknowledged, and not there in the end. */
  readonly lost: number
  /** Leader epochs that rose meanwhile. */
  readonly elections: number
  /** And after its return. */
  readonly electionsAfter: number
  /** From the return of the store until a topic was made. */
  readonly changedAfterMs: number
}

const topic = 'written'
const partitionCount = 6
/** Of a producer, between an answer and the next request. */
const pauseMs = 20
/** After the store is back. */
const afterMs = 1_000
const patienceMs = 120_000

/**
 * Three brokers lose their metadata store for so many seconds, and all of them live: each partition is produced to (acks=all, one request at a time)
 * all the while, and nothing is tried again (durability.md 1.6).
 */
export async function loseStore(outage: Outage, seconds: number): Promise<OutageResult> {
  await using cluster = await BrokerCluster.start(3, outage.settings)
  try {
    return await loseStoreOf(cluster, outage, seconds)
  } catch (error) {
    await keep(cluster)
    throw error
  }
}

/** What the brokers said, and how each of them sees the topic. */
async function keep(cluster: BrokerCluster): Promise<void> {
  const into = join(tmpdir(), `logcluster-outage-${process.pid}`)
  mkdirSync(into, { recursive: true })
  for (const [id, { output }] of cluster.brokers.entries()) {
    const sees = async () => partitionsOf(await cluster.connect(id))
    const seen = await sees().catch(String)
    writeFileSync(join(into, `broker-${id}.log`), `${output}\n${JSON.stringify(seen, null, 1)}\n`)
  }
  console.error(`Outage: what is left of the failure lies in ${into}`)
}

async function loseStoreOf(
  cluster: BrokerCluster,
  outage: Outage,
  seconds: number,
): Promise<OutageResult> {
  const client = await cluster.connect(0)
  await eventually('a topic', () => create(client, topic), isThere, patienceMs)
  const before = await eventually(
    'all in sync',
    () => partitionsOf(client),
    found =>
      found.length === partitionCount && found.every(({ isrNodes }) => isrNodes.length === 3),
    patienceMs,
  )
  const producers = await Promise.all(
    before.map(async ({ partitionIndex, leaderId }) => {
      return new Producer(partitionIndex, await cluster.connect(leaderId))
    }),
  )
  const running = producers.map(producer => producer.run())
  const counts = (): number => producers.reduce((sum, { values }) => sum + values.length, 0)
  await eventually(
    'each partition is written',
    () => producers,
    all => all.every(isWriting),
  )
  await outage.take(cluster)
  const failuresBefore = failuresOf(producers)
  const countAtFirst = counts()
  await sleep(seconds * 1_000)
  const acknowledgedMeanwhile = counts() - countAtFirst
  const after = await partitionsOf(client)
  const failures = failuresOf(producers).slice(failuresBefore.length)
  await outage.giveBack(cluster)
  const backMs = performance.now()
  await eventually('a change', () => create(client, 'after'), isThere, patienceMs)
  const changedAfterMs = Math.round(performance.now() - backMs)
  await sleep(afterMs)
  for (const producer of producers) producer.isOver = true
  await Promise.all(running)
  const readers = await Promise.all([0, 1, 2].map(id => cluster.connect(id)))
  const lost = await Promise.all(producers.map(producer => producer.lost(readers)))
  const atLast = await partitionsOf(client)
  return {
    seconds,
    acknowledged: counts(),
    acknowledgedMeanwhile,
    failures,
    failuresAfter: failuresOf(producers).slice(failuresBefore.length + failures.length),
    longestWaitMs: Math.round(Math.max(...producers.map(({ longestMs }) => longestMs))),
    lost: lost.reduce((sum, count) => sum + count, 0),
    elections: epochs(after) - epochs(before),
    electionsAfter: epochs(atLast) - epochs(after),
    changedAfterMs,
  }
}

class Producer {
  /** Acknowledged, by offset. */
  readonly values: { readonly offset: number; readonly value: string }[] = []
  readonly failures: { readonly atMs: number; readonly error: string }[] = []
  longestMs = 0
  isOver = false
  readonly #place: { readonly topic: string; readonly partition: number }
  readonly #client: BrokerClient

  constructor(partition: number, client: BrokerClient) {
    this.#place = { topic, partition }
    this.#client = client
  }

  async run(): Promise<void> {
    for (let count = 0; !this.isOver; count++) {
      const fromMs = performance.now()
      const value = `${this.#place.partition}-${count}`
      try {
        // Of now: what is old is gone by the first look at retention, five minutes after the start.
        const batch = encodeBatch({ records: [{ value }], baseTimestamp: Date.now() })
        const { errorCode, baseOffset } = await this.#client.produce(this.#place, batch)
        if (errorCode === 0) this.values.push({ offset: Number(baseOffset), value })
        else this.#failed(errorName(errorCode))
      } catch (error) {
        // What broke stays so: nothing is tried again.
        this.#failed(String(error))
        return
      }
      this.longestMs = Math.max(this.longestMs, performance.now() - fromMs)
      await sleep(pauseMs)
    }
  }

  #failed(error: string): void {
    this.failures.push({ atMs: performance.now(), error })
  }

  async lost(readers: readonly BrokerClient[]): Promise<number> {
    const look = (): Promise<Uint8Array[] | string> => this.#read(readers)
    const found = await eventually('who leads answers', look, seen => typeof seen !== 'string')
    const there = (found as Uint8Array[]).map(bytes => Buffer.from(bytes).toString())
    return this.values.filter(({ offset, value }) => there[offset] !== value).length
  }

  /** From whoever leads now, as broker 0 sees it; else what it says instead. */
  async #read(readers: readonly BrokerClient[]): Promise<Uint8Array[] | string> {
    const { partition } = this.#place
    const partitions = await partitionsOf(readers[0]!)
    const { leaderId } = partitions.find(one => one.partitionIndex === partition)!
    if (leaderId < 0) return `nobody leads ${partition}`
    const place = { ...this.#place, key: keyOf({ ...this.#place, id: '' }) }
    const found = await readAll(readers[leaderId]!, place)
    if (found !== null) return found
    const { errorCode } = await readers[leaderId]!.fetch(place, 0)
    return `${leaderId} leads ${partition}, and answers ${errorName(errorCode)}`
  }
}

const isWriting = ({ values }: Producer): boolean => values.length > 0

/** As they came. */
function failuresOf(producers: readonly Producer[]): string[] {
  return producers
    .flatMap(({ failures }) => failures)
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ error }) => error)
}

type Partitions = Awaited<ReturnType<BrokerClient['metadata']>>['topics'][number]['partitions']

async function partitionsOf(client: BrokerClient): Promise<Partitions> {
  const { topics } = await client.metadata([topic])
  return topics[0]!.partitions
}

function epochs(partitions: Partitions): number {
  return partitions.reduce((sum, { leaderEpoch }) => sum + leaderEpoch, 0)
}

async function create(client: BrokerClient, name: string): Promise<string> {
  const made = { name, partitions: partitionCount, replicas: 3 }
  const { topics } = await client.createTopics([made])
  return errorName(topics[0]!.errorCode)
}

function isThere(error: string): boolean {
  return error === 'NONE' || error === 'TOPIC_ALREADY_EXISTS'
}
