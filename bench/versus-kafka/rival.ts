import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { produce } from '../../src/broker/wire/messages/index.ts'
import { BrokerClient } from '../../test/helpers/broker-client.ts'
import * as apache from '../../tools/kafka.ts'

/** A broker under comparison: where it listens, where its segments are, and what it costs. */
export interface Rival extends apache.StartedBroker {
  readonly name: 'LogCluster' | 'Apache Kafka'
  again(): Promise<Rival>
}

export interface Start {
  /** The folder that its data get a folder in. */
  readonly parent: string
  /** Where it listens; by default where nobody does. */
  readonly port?: number
}

export const root = join(import.meta.dirname, '../..')

/**
 * What both are told beside their own defaults: a deleted topic leaves the disk after a second and not after a minute, so that
 * the rounds do not fill it.
 */
export const properties = { 'log.segment.delete.delay.ms': '1000' }

/** Ten thousand partitions after a kill are some minutes' work. */
export const readyMsMax = 300_000

/** LogCluster as the README starts it. */
export async function startLogCluster({ parent, port }: Start): Promise<Rival> {
  const dataDir = mkdtempSync(join(parent, 'logcluster-'))
  const at = port ?? (await apache.freePort())
  const wishes = {
    ...properties,
    listeners: `PLAINTEXT://127.0.0.1:${at}`,
    'log.dirs': dataDir,
    'http.address': '127.0.0.1:0',
  }
  const set = Object.entries(wishes).flatMap(([name, value]) => ['--set', `${name}=${value}`])
  const spawnIt = () => spawn(process.execPath, ['src/broker/main.ts', ...set], { cwd: root })
  const place = { dataDir, port: at, ready: 'Broker ready', readyMsMax }
  return named('LogCluster', await apache.started('LogCluster', spawnIt, place))
}

/** Apache Kafka with as many partitions a topic as we have by default, all else by its own. */
export async function startKafka(start: Start): Promise<Rival> {
  const own = { ...properties, 'num.partitions': '4' }
  return named('Apache Kafka', await apache.startKafka({ ...start, properties: own, readyMsMax }))
}

export function named(name: Rival['name'], broker: apache.StartedBroker): Rival {
  return { ...broker, name, again: async () => named(name, await broker.again()) }
}

/** A broker as far as it is asked for something. */
type Asked = Pick<Rival, 'name' | 'address'>

/** Makes topics of so many partitions each, with one replica unless told, one request a topic. */
export async function createTopics(
  rival: Asked,
  names: readonly string[],
  partitions: number,
  replicas = 1,
): Promise<void> {
  await asking(rival, async client => {
    for (const name of names) {
      const { topics } = await client.createTopics([{ name, partitions, replicas }])
      refuse(`${rival.name}: ${name} is not made`, topics)
    }
  })
}

export async function deleteTopics(rival: Asked, names: readonly string[]): Promise<void> {
  await asking(rival, async client => {
    const { responses } = await client.deleteTopics(names)
    refuse(`${rival.name}: ${names.join(', ')} are not deleted`, responses)
  })
}

/** One batch of one record of 100 B into each partition, acknowledged; again where a partition is not ready yet. */
export async function produceToAll(
  rival: Asked,
  names: readonly string[],
  partitions: number,
): Promise<void> {
  const records = encodeBatch({
    records: [{ value: new Uint8Array(100) }],
    baseTimestamp: Date.now(),
  })
  await asking(rival, async client => {
    for (const name of names) {
      let left = Array.from({ length: partitions }, (_, index) => index)
      while (left.length > 0) {
        const partitionData = left.map(index => ({ index, records }))
        const topicData = [{ name, partitionData }]
        const request = { acks: -1, timeoutMs: 60_000, topicData } as const
        const { responses } = await client.request(produce, 9, request)
        const refused = responses[0]!.partitionResponses.filter(({ errorCode }) => errorCode !== 0)
        left = refused.map(({ index }) => index)
        if (left.length > 0) await sleep(100)
      }
    }
  })
}

/** What `ask` gives, with a connection for as long as it takes. */
export async function asking<Answer>(
  { address }: Pick<Asked, 'address'>,
  ask: (client: BrokerClient) => Promise<Answer>,
  timeoutMs = 300_000,
): Promise<Answer> {
  const port = Number(address.split(':')[1])
  using client = await BrokerClient.connect(port, { timeoutMs })
  return await ask(client)
}

function refuse(what: string, answers: readonly { readonly errorCode: number }[]): void {
  const wrong = answers.find(({ errorCode }) => errorCode !== 0)
  if (wrong !== undefined) throw new Error(`${what}: error ${wrong.errorCode}`)
}
