import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeCredentials } from '../../src/broker/many/credentials.ts'
import { describeQuorum, electLeaders } from '../../src/broker/wire/messages/index.ts'
import { realRandom } from '../../src/env/real/random.ts'
import * as apache from '../../tools/kafka.ts'
import { anonymousMiB, processorSeconds } from '../process-cost.ts'
import { asking, named, properties, readyMsMax, type Rival, root } from './rival.ts'

export const brokerCount = 3

/** What Kafka is told beside that: its own minimum would acknowledge what one broker has. Of ours 2 is the default. */
const ofKafkas = { ...properties, 'min.insync.replicas': '2' }

/** For all replicas to be in sync again, and where they belong, after a start; in ms. */
const soundMsMax = 120_000

/** A broker that stands still tells nothing. */
const toldMsMax = 10_000

/** What a partition is like as a broker tells it. */
interface PartitionState {
  readonly partition: number
  readonly leader: number
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
}

/** Three brokers of one kind. They are told by their place; the ids that they have begin at `firstId`. */
export class RivalCluster {
  readonly name: Rival['name']
  /** By place. Who ended is here still. */
  readonly brokers: Rival[]
  readonly firstId: number
  readonly #folder: string

  constructor(brokers: Rival[], firstId: number, folder: string) {
    this.name = brokers[0]!.name
    this.brokers = brokers
    this.firstId = firstId
    this.#folder = folder
  }

  /** Of all, as clients want them. */
  get address(): string {
    return this.brokers.map(({ address }) => address).join()
  }

  /** Of all that run: each must. */
  get processorSeconds(): number {
    return this.brokers.reduce((sum, { pid }) => sum + processorSeconds(pid), 0)
  }

  /** Of one on average. */
  get anonymousMiB(): number {
    return this.brokers.reduce((sum, { pid }) => sum + anonymousMiB(pid), 0) / brokerCount
  }

  /** Starts who ended over what is on disk. */
  async again(places: readonly number[]): Promise<void> {
    await Promise.all(
      places.map(async place => {
        this.brokers[place] = await this.brokers[place]!.again()
      }),
    )
  }

  /** Where the active controller is. */
  async controller(): Promise<number> {
    return await asking(this.brokers[0]!, async client => {
      const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
      const { topics: told } = await client.request(describeQuorum, 1, { topics })
      return told[0]!.partitions[0]!.leaderId - this.firstId
    })
  }

  /**
   * Resolves when each broker leads its share of `topic` and all replicas are in sync, and all brokers say so: one that stood still says what
   * was so before.
   */
  async sound(topic: string, partitions: number): Promise<void> {
    const late = performance.now() + soundMsMax
    for (;;) {
      const views = await Promise.all(this.brokers.map(broker => statesBy(broker, topic)))
      const isComplete = views.every(view => view.length === partitions && view.every(isInSync))
      if (isComplete && views.flat().every(isPreferred)) return
      if (performance.now() > late) throw new Error(`${this.name}: ${JSON.stringify(views)}`)
      if (isComplete) await this.#electPreferred()
      await sleep(200)
    }
  }

  /** What a person needs to look for the reason of a failure: what each broker said from its first start on, and what it tells now. */
  async keep(into: string): Promise<void> {
    mkdirSync(into, { recursive: true })
    const told = await Promise.allSettled(this.brokers.map(broker => toldBy(broker)))
    writeFileSync(join(into, 'told.json'), JSON.stringify(told, null, 2))
    for (const id of this.brokers.keys()) {
      const log = logOf(this.#folder, id)
      if (existsSync(log)) copyFileSync(log, join(into, basename(log)))
    }
  }

  async #electPreferred(): Promise<void> {
    await asking(this.brokers[0]!, client =>
      client.request(electLeaders, 2, {
        electionType: 0,
        topicPartitions: null,
        timeoutMs: 10_000,
      }),
    )
  }

  /** In a hurry: nobody wants its data any more. */
  async stop(): Promise<void> {
    await Promise.all(this.brokers.map(broker => broker.end('SIGKILL')))
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Of all topics, and of who is who. */
async function toldBy(broker: Rival): Promise<unknown> {
  return await asking(broker, client => client.metadata(null), toldMsMax)
}

function logOf(folder: string, id: number): string {
  return join(folder, `broker-${id}.log`)
}

/** As that broker has them. */
async function statesBy(broker: Rival, topic: string): Promise<PartitionState[]> {
  const { topics } = await asking(broker, client => client.metadata([topic]))
  return topics[0]!.partitions.map(({ partitionIndex, leaderId, replicaNodes, isrNodes }) => ({
    partition: partitionIndex,
    leader: leaderId,
    replicas: replicaNodes,
    inSync: isrNodes,
  }))
}

function isInSync({ replicas, inSync }: PartitionState): boolean {
  return inSync.length === replicas.length
}

function isPreferred({ leader, replicas }: PartitionState): boolean {
  return leader === replicas[0]
}

/** Three of ours as `npm start -- --brokers 3` starts them, and nobody who starts them again. */
export async function startLogClusters(parent: string): Promise<RivalCluster> {
  const folder = mkdtempSync(join(parent, 'logclusters-'))
  const credentialsDir = join(folder, 'metadata/credentials')
  makeCredentials(credentialsDir, realRandom)
  const ports = await apache.freePorts(2 * brokerCount)
  const starting = Array.from({ length: brokerCount }, async (_, id) => {
    const dataDir = join(folder, String(id))
    mkdirSync(dataDir)
    const port = ports[2 * id]!
    const wishes = {
      ...properties,
      'node.id': String(id),
      listeners: `PLAINTEXT://127.0.0.1:${port}`,
      'private.listener': `127.0.0.1:${ports[2 * id + 1]}`,
      'private.credentials.dir': credentialsDir,
      'metadata.dir': join(folder, 'metadata'),
      'cluster.size': String(brokerCount),
      'default.replication.factor': String(brokerCount),
      'log.dirs': dataDir,
      'http.address': '127.0.0.1:0',
    }
    const set = Object.entries(wishes).flatMap(([name, value]) => ['--set', `${name}=${value}`])
    const spawnIt = () => spawn(process.execPath, ['src/broker/main.ts', ...set], { cwd: root })
    const log = logOf(folder, id)
    const place = { dataDir, port, ready: 'Broker ready', readyMsMax, log }
    return named('LogCluster', await apache.started('LogCluster', spawnIt, place))
  })
  return new RivalCluster(await Promise.all(starting), 0, folder)
}

/** Three of Apache Kafka, each broker and controller. */
export async function startKafkas(parent: string): Promise<RivalCluster> {
  const folder = mkdtempSync(join(parent, 'kafkas-'))
  const own = { ...ofKafkas, 'default.replication.factor': String(brokerCount) }
  const options = { parent: folder, properties: own, readyMsMax }
  const brokers = await apache.startKafkas(brokerCount, options)
  return new RivalCluster(
    brokers.map(broker => named('Apache Kafka', broker)),
    1,
    folder,
  )
}
