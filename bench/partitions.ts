/**
 * What many partitions cost: `npm run bench -- partitions [partitions, 10000] [rounds, 3]`. Topics of 1,000 partitions
 * with one batch in each; then how long a broker takes to start after kill -9 and after a clean stop, to stop, and how
 * much memory it keeps that is not page cache. By the clock and, as the machine is shared, in processor time.
 */
import { rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { startBroker, type TestBroker } from '../test/helpers/broker.ts'
import { anonymousMiB, childrenSeconds, processorSeconds } from './process-cost.ts'
import { createTopics, produceToAll } from './versus-kafka/rival.ts'

const partitionsOfTopic = 1000
/** The collector looks every five seconds, and twice. */
const idleMs = 16_000

await main(Number(process.argv[2] ?? 10_000), Number(process.argv[3] ?? 3))

async function main(count: number, rounds: number): Promise<void> {
  const found: Record<string, number>[] = []
  for (let round = 0; round < rounds; round++) {
    const row = await measure(count)
    found.push(row)
    console.error(`round ${round + 1}: ${JSON.stringify(row)}`)
  }
  for (const name of Object.keys(found[0] ?? {})) {
    const values = found.map(row => row[name]!).toSorted((a, b) => a - b)
    const [median, least, most] = [values[values.length >> 1], values[0], values.at(-1)]
    console.log(`${name.padEnd(48)} ${median} (${least} to ${most})`)
  }
}

async function measure(count: number): Promise<Record<string, number>> {
  const broker = await startBroker({ readyMsMax: 120_000 })
  const { dataDir } = broker
  const row: Record<string, number> = {}
  const note = (name: string, value: number): void => {
    row[name] = Math.round(value * 100) / 100
  }
  try {
    await createAll(broker, count)
    await produceAll(broker, count)
    await allDurable(broker)
    await delay(idleMs)
    note('anonymous memory after producing, MiB', anonymousMiB(broker.pid))
    await broker.kill()
    await start(broker, 'start after kill -9', note)
    await delay(idleMs)
    note('anonymous memory after kill -9 and start, MiB', anonymousMiB(broker.pid))
    await stop(broker, 'stop, nothing new', note)
    await start(broker, 'start after a clean stop', note)
    await delay(idleMs)
    note('anonymous memory after a clean start, MiB', anonymousMiB(broker.pid))
    await produceAll(broker, count)
    await stop(broker, 'stop, a new batch in each', note)
    return row
  } finally {
    await broker[Symbol.asyncDispose]()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

type Note = (name: string, value: number) => void

async function start(broker: TestBroker, name: string, note: Note): Promise<void> {
  const began = performance.now()
  await broker.start()
  note(`${name}, seconds`, (performance.now() - began) / 1000)
  note(`${name}, processor seconds`, processorSeconds(broker.pid))
}

async function stop(broker: TestBroker, name: string, note: Note): Promise<void> {
  const began = performance.now()
  // What a process used is told of it as long as it runs, and counted with its parent's children afterwards.
  const before = processorSeconds(broker.pid) + childrenSeconds()
  await broker.stop()
  note(`${name}, seconds`, (performance.now() - began) / 1000)
  note(`${name}, processor seconds`, childrenSeconds() - before)
}

async function createAll({ port }: TestBroker, count: number): Promise<void> {
  for (const { topic, partitions } of topicsOf(count)) {
    await createTopics(addressed(port), [topic], partitions)
  }
}

/** One batch in each partition, acknowledged. */
async function produceAll({ port }: TestBroker, count: number): Promise<void> {
  for (const { topic, partitions } of topicsOf(count)) {
    await produceToAll(addressed(port), [topic], partitions)
  }
}

function addressed(port: number) {
  return { name: 'LogCluster', address: `127.0.0.1:${port}` } as const
}

async function allDurable(broker: TestBroker): Promise<void> {
  while ((await broker.metric('logcluster_unflushed_bytes')) > 0) await delay(100)
  // The checkpoint follows the flush.
  await delay(2000)
}

function topicsOf(count: number): { readonly topic: string; readonly partitions: number }[] {
  return Array.from({ length: Math.ceil(count / partitionsOfTopic) }, (_, at) => ({
    topic: `many-${at}`,
    partitions: Math.min(partitionsOfTopic, count - at * partitionsOfTopic),
  }))
}
