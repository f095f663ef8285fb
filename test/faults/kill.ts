import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Prng } from '../../src/lib/prng.ts'
import { TestBroker, type BrokerOptions } from '../helpers/broker.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { Compactor, compactorSettings } from './compactor.ts'
import { GroupLoad, type GroupCounts } from './group-load.ts'
import { Ledger, type Violation } from './ledger.ts'
import { IdempotentProducer, PlainProducer, type BatchCodec } from './producers.ts'
import { Consumer, readAll } from './reader.ts'
import { TopicChurn } from './topics.ts'
import { keyOf, type Place, World } from './world.ts'

export interface KillTestOptions {
  readonly kills: number
  readonly seed: number
  readonly broker?: BrokerOptions
  /** A kill counts only after so many records of its life were acknowledged, and something of everything else. */
  readonly ackedRecordsMin?: number
  /** Called between a kill and the start after it, to see whether the checker notices. */
  readonly damage?: (killed: Killed) => void
  readonly progress?: (text: string) => void
}

export interface Killed {
  readonly dataDir: string
  /** How many kills there were, this one included. */
  readonly kills: number
}

export interface KillTestResult extends GroupCounts {
  readonly seed: number
  readonly kills: number
  /** Further kills of processes that were still starting. */
  readonly killsWhileStarting: number
  readonly ackedRecords: number
  readonly ackedRecordsMinBeforeKill: number
  readonly seenRecords: number
  readonly resentBatches: number
  /** Writes that threads did, because others had stalled. */
  readonly threadWrites: number
  readonly topicsCreated: number
  readonly topicsDeleted: number
  readonly producerIds: number
  /** Records of the compacted topic that were compacted away in the end. */
  readonly compactedRecords: number
  /** From the start of a process to its readiness. */
  readonly backMs: { readonly p50: number; readonly p99: number; readonly max: number }
  readonly durationMs: number
  readonly violationCount: number
  readonly violations: readonly Violation[]
}

/** A broker whose writes stall, so that threads do most of them. It runs from source. */
export const onSlowDisk: BrokerOptions = {
  nodeArgs: ['--import', join(import.meta.dirname, 'slow-writes.ts')],
  main: join(import.meta.dirname, '../../src/broker/main.ts'),
}

/**
 * A real broker under load is killed with SIGKILL at random moments and started again on its data, and everything
 * that it ever acknowledged must be true in the end. Violations are data; only a run that cannot go on rejects.
 */
export async function runKillTest(options: KillTestOptions): Promise<KillTestResult> {
  const given = options.broker?.settings
  const settings = { 'group.initial.rebalance.delay.ms': '0', ...compactorSettings, ...given }
  const broker = new TestBroker({ ...options.broker, settings })
  try {
    return await new KillTest(options, broker).run()
  } catch (error) {
    console.error(`The broker said:\n${broker.output.slice(-10_000)}`)
    throw error
  } finally {
    await broker[Symbol.asyncDispose]()
  }
}

class KillTest {
  readonly #options: KillTestOptions
  readonly #broker: TestBroker
  readonly #random: Prng
  readonly #ledger = new Ledger()
  readonly #world: World
  readonly #churn: TopicChurn
  readonly #backMs: number[] = []
  readonly #startedMs = Date.now()
  #places: Place[] = []
  #groups: GroupLoad | null = null
  #compactor: Compactor | null = null
  #killsWhileStarting = 0
  #threadWrites = 0
  #ackedRecordsMin = Infinity

  constructor(options: KillTestOptions, broker: TestBroker) {
    this.#options = options
    this.#broker = broker
    this.#random = new Prng(options.seed)
    this.#world = new World(this.#ledger, new Prng(options.seed + 1))
    this.#churn = new TopicChurn(this.#world)
  }

  async run(): Promise<KillTestResult> {
    await this.#broker.start()
    const groups = await this.#withClient(async client => {
      this.#places = await makeTopics(client)
      this.#compactor = await Compactor.over(this.#world, client, this.#broker.dataDir)
      return (this.#groups = await GroupLoad.over(this.#world, this.#places, client))
    })
    this.#world.isUp(this.#broker.port)
    const workers = [...this.#workers(), ...groups.workers()].map(worker => worker.run())
    let failure: unknown = null
    const whenFailed = Promise.all(workers).catch((error: unknown) => (failure = error))
    for (let kill = 1; kill <= this.#options.kills; kill++) {
      await this.#live(() => failure)
      this.#threadWrites += await this.#broker.metric('logcluster_thread_writes_total')
      this.#world.isDown()
      await this.#broker.kill()
      this.#world.isCalm = false
      this.#options.damage?.({ dataDir: this.#broker.dataDir, kills: kill })
      await this.#startAgain()
      this.#options.progress?.(`kill ${kill}: ${this.#ledger.ackedRecords} records acknowledged`)
    }
    this.#world.isDraining = true
    await Promise.race([whenFailed, sleep(drainMsMax, null, { ref: false })])
    this.#world.end()
    if (failure !== null) throw failure
    await this.#judge()
    return this.#result(groups.counts())
  }

  #workers(): { run(): Promise<void> }[] {
    const world = this.#world
    const of = (topic: string): Place[] => this.#places.filter(place => place.topic === topic)
    const plain = [...of('plain'), ...of('small')]
    return [
      ...topics.map(({ name, codec }) => {
        return new IdempotentProducer(world, `idempotent-${name}`, of(name), codec)
      }),
      new IdempotentProducer(world, 'idempotent-all', this.#places),
      new PlainProducer(world, 'plain-1', plain),
      new PlainProducer(world, 'plain-2', plain),
      new Consumer(world, 'consumer', this.#places),
      this.#churn,
      ...(this.#compactor === null ? [] : [this.#compactor]),
    ]
  }

  /** One life under load: as long as it takes to acknowledge enough, and a random time more. */
  async #live(failure: () => unknown): Promise<void> {
    const before = { ackedRecords: this.#ledger.ackedRecords, changes: this.#churn.changeCount }
    const deadlineMs = Date.now() + loadMsMax
    await sleep(this.#random.below(400))
    for (;;) {
      if (failure() !== null) throw failure()
      if (!this.#broker.isRunning) throw new Error('the broker ended by itself')
      const missing = this.#missing(before)
      if (this.#ledger.violationCount > 0) break
      if (missing.length === 0) {
        // A kill may find a member on its way into a generation, but what is to be damaged has to be there.
        if (this.#world.isCalm || this.#options.damage === undefined) break
        this.#world.isCalm = true
        continue
      }
      if (Date.now() > deadlineMs) {
        throw new Error(`not within ${loadMsMax} ms: ${missing.join(', ')}`)
      }
      await sleep(5 + this.#random.below(10))
    }
    const ackedRecords = this.#ledger.ackedRecords - before.ackedRecords
    this.#ackedRecordsMin = Math.min(this.#ackedRecordsMin, ackedRecords)
  }

  /** Of what a kill should find. */
  #missing(before: { readonly ackedRecords: number; readonly changes: number }): string[] {
    const { ackedRecordsMin = 200 } = this.#options
    const missing: string[] = this.#groups?.missing() ?? []
    if (this.#compactor?.hasCleaned === false) missing.push('compaction')
    if (this.#ledger.ackedRecords - before.ackedRecords < ackedRecordsMin) missing.push('records')
    if (this.#churn.changeCount - before.changes < topicChangesMin) missing.push('topics')
    if (this.#ledger.seenRecords <= this.#ledger.ackedRecords * seenPartMin) missing.push('reads')
    for (const { key } of this.#places) {
      if (this.#ledger.endOf(key) < endOffsetMin) missing.push(`records of ${key}`)
    }
    return missing
  }

  /** Starts it; now and then it is killed once more before it serves. */
  async #startAgain(): Promise<void> {
    if (this.#random.chance(1, 5)) {
      const starting = this.#broker.start().catch(() => {})
      await sleep(50 + this.#random.below(800))
      await this.#broker.kill()
      await starting
      this.#killsWhileStarting++
    }
    const beganMs = Date.now()
    await this.#broker.start()
    this.#backMs.push(Date.now() - beganMs)
    await this.#withClient(client => this.#settle(client))
    this.#world.isUp(this.#broker.port)
  }

  async #settle(client: BrokerClient): Promise<void> {
    await this.#churn.settle(client)
    await this.#groups?.settle(client)
    await this.#compactor?.look(client)
    const { topics: found } = await client.metadata(topics.map(({ name }) => name))
    for (const { topic, key } of this.#places) {
      const id = found.find(({ name }) => name === topic)?.topicId
      if (!key.endsWith(`/${id}`)) this.#ledger.violation('topic', `${topic} is ${id}, not ${key}`)
    }
  }

  async #judge(): Promise<void> {
    await this.#withClient(async client => {
      for (const place of [...this.#places, ...this.#churn.places()]) {
        const values = await readAll(client, place)
        if (values !== null) this.#ledger.judge(place.key, values)
        else this.#ledger.violation('topic', `${place.topic}-${place.partition} cannot be read`)
      }
      await this.#compactor?.look(client)
    })
  }

  async #withClient<T>(act: (client: BrokerClient) => Promise<T>): Promise<T> {
    const options = { clientId: 'kill-test', timeoutMs: 30_000 }
    using client = await BrokerClient.connect(this.#broker.port, options)
    return await act(client)
  }

  #result(groups: GroupCounts): KillTestResult {
    const backMs = this.#backMs.toSorted((a, b) => a - b)
    const at = (part: number): number => backMs[Math.floor((backMs.length - 1) * part)] ?? 0
    return {
      seed: this.#options.seed,
      kills: this.#options.kills,
      killsWhileStarting: this.#killsWhileStarting,
      ackedRecords: this.#ledger.ackedRecords,
      ackedRecordsMinBeforeKill: this.#ackedRecordsMin,
      seenRecords: this.#ledger.seenRecords,
      resentBatches: this.#world.resentBatches,
      threadWrites: this.#threadWrites,
      topicsCreated: this.#churn.createdCount,
      topicsDeleted: this.#churn.deletedCount,
      producerIds: this.#world.producerIds.size,
      compactedRecords: this.#compactor?.goneRecords ?? 0,
      ...groups,
      backMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
      durationMs: Date.now() - this.#startedMs,
      violationCount: this.#ledger.violationCount,
      violations: this.#ledger.violations,
    }
  }
}

/** Creations and deletions that are acknowledged in each life. */
const topicChangesMin = 3
/** Records that the consumer has seen when a life ends, by those that were acknowledged until then. */
const seenPartMin = 0.3
/**
 * Of every partition, before the first kill: 25 batches, of which no more than 16 of the writers' own are unanswered
 * (`damage.ts` cuts half of all).
 */
const endOffsetMin = 200
/** For what hangs: a life takes a second or two, on a loaded machine several times that. */
const loadMsMax = 90_000
const drainMsMax = 90_000

/** Those that stay. Small segments are for rolls, between which a kill may fall too. */
const topics: readonly {
  readonly name: string
  readonly codec: BatchCodec
  readonly configs: Readonly<Record<string, string>>
}[] = [
  { name: 'plain', codec: 'none', configs: {} },
  { name: 'small', codec: 'none', configs: { 'internal.segment.bytes': '16384' } },
  { name: 'gzip', codec: 'gzip', configs: { 'internal.segment.bytes': '65536' } },
  { name: 'zstd', codec: 'zstd', configs: { 'index.interval.bytes': '256' } },
  { name: 'acked-after-flush', codec: 'none', configs: { 'flush.policy': 'ack' } },
]

const partitionCount = 2

async function makeTopics(client: BrokerClient): Promise<Place[]> {
  const asked = topics.map(({ name, configs }) => ({ name, partitions: partitionCount, configs }))
  const answer = await client.createTopics(asked)
  return answer.topics.flatMap(({ name, topicId, errorCode, errorMessage }) => {
    if (errorCode !== 0) throw new Error(`CreateTopics of ${name}: ${errorCode} ${errorMessage}`)
    return Array.from({ length: partitionCount }, (_, partition) => {
      return { topic: name, partition, key: keyOf({ topic: name, partition, id: topicId }) }
    })
  })
}
