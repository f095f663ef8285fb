import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Prng } from '../../src/lib/prng.ts'
import { Ledger, type Violation } from '../faults/ledger.ts'
import { readAll } from '../faults/reader.ts'
import { keyOf, type Place } from '../faults/world.ts'
import { BrokerCluster, type BrokerPlace } from '../helpers/broker-cluster.ts'
import { eventually } from '../helpers/eventually.ts'
import { ChaosCluster } from './cluster.ts'
import { Committer } from './committer.ts'
import { Consumer } from './consumer.ts'
import type { Fault } from './faults.ts'
import { IdempotentProducer, PlainProducer } from './producers.ts'
import { Waits } from './waits.ts'
import { ChaosWorld, connect } from './world.ts'

export interface ChaosOptions {
  readonly seed: number
  readonly brokers: number
  /** Faults come one after the other for so long, and at least `faultsMin`; each kind before any comes again. */
  readonly seconds: number
  readonly faultsMin: number
  readonly faults: Readonly<Record<string, Fault>>
  readonly settings?: Readonly<Record<string, string>>
  readonly placeOf?: (id: number) => BrokerPlace
  readonly progress?: (text: string) => void
}

/** One fault of a run. */
export interface FaultDone {
  readonly kind: string
  readonly what: string
  /** From its beginning to where every record that was sent before its end is acknowledged. */
  readonly overMs: number
  /** Of a record that was sent until then. */
  readonly longestWaitMs: number
}

export interface ChaosResult {
  readonly seed: number
  readonly brokers: number
  readonly faults: readonly FaultDone[]
  readonly ackedRecords: number
  readonly seenRecords: number
  readonly acknowledgedCommits: number
  readonly longestWaitMs: number
  /** From the last fault's end until all replicas are in sync. */
  readonly wholeMs: number
  readonly durationMs: number
  readonly violations: readonly Violation[]
}

/**
 * A cluster of broker processes under load goes through faults, is healed, and has to have kept its word. The seed
 * decides what is done; the moments are the machine's. Violations are data; only a run that cannot come to its end
 * rejects. What is needed to look for the reason is kept then.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { brokers, settings, placeOf } = options
  const own = { 'offsets.topic.num.partitions': '2', 'log.cleaner.enable': 'false', ...settings }
  const cluster = await BrokerCluster.start(brokers, own, brokers, placeOf)
  const run = new ChaosRun(options, cluster)
  try {
    const result = await run.run()
    if (result.violations.length > 0) keep(options, cluster, result)
    return result
  } catch (error) {
    keep(options, cluster, { error: String(error), ...run.history })
    throw error
  } finally {
    await cluster[Symbol.asyncDispose]()
  }
}

class ChaosRun {
  readonly #options: ChaosOptions
  readonly #cluster: ChaosCluster
  readonly #random: Prng
  readonly #ledger = new Ledger()
  readonly #world: ChaosWorld
  readonly #waits = new Waits()
  readonly #done: FaultDone[] = []
  readonly #beganMs = performance.now()
  #committers: Committer[] = []
  #failure: unknown = null

  constructor(options: ChaosOptions, cluster: BrokerCluster) {
    this.#options = options
    this.#random = new Prng(options.seed)
    const addresses = cluster.brokers.map(({ address }) => address)
    this.#world = new ChaosWorld(this.#ledger, new Prng(options.seed + 1), addresses)
    this.#cluster = new ChaosCluster(cluster, this.#world)
  }

  /** What was done, and what clients met last. */
  get history(): object {
    const { violations } = this.#ledger
    return { faults: this.#done, troubles: [...this.#world.troubles], violations }
  }

  /** One that cannot come to its end is judged as far as it got: why it cannot may be what it lost. */
  async run(): Promise<ChaosResult> {
    const places = await this.#makeTopics()
    try {
      return await this.#runOn(places)
    } catch (error) {
      this.#world.end()
      await Promise.allSettled(places.map(place => this.#judge(place)))
      const found = this.#ledger.violations.map(({ kind, text }) => `${kind}: ${text}`)
      throw new Error([String(error), ...found].join('\n'), { cause: error })
    }
  }

  async #runOn(places: readonly Place[]): Promise<ChaosResult> {
    const [world, waits] = [this.#world, this.#waits]
    this.#committers = ['billing', 'audit'].map(name => new Committer(world, places[0]!, name))
    const workers = [
      ...places.flatMap(place => [
        new IdempotentProducer(world, waits, place),
        new PlainProducer(world, place),
        new Consumer(world, place),
      ]),
      ...this.#committers,
    ].map(worker => worker.run())
    const all = Promise.all(workers).catch((error: unknown) => (this.#failure = error))
    await this.#more()
    await this.#disturb()
    const wholeSinceMs = performance.now()
    const partitions = await this.#cluster.whole()
    const wholeMs = Math.round(performance.now() - wholeSinceMs)
    await this.#more()
    await this.#drain(all)
    for (const partition of partitions) {
      const difference = await this.#cluster.difference(partition)
      if (difference !== null) this.#ledger.violation('replica', difference)
    }
    for (const place of places) await this.#judge(place)
    for (const committer of this.#committers) await committer.judge()
    return this.#result(wholeMs)
  }

  async #disturb(): Promise<void> {
    const { seconds, faultsMin, faults, progress } = this.#options
    const names = Object.keys(faults)
    const endMs = performance.now() + 1000 * seconds
    let round: string[] = []
    while (performance.now() < endMs || this.#done.length < faultsMin) {
      if (round.length === 0) round = shuffled(names, this.#random)
      const kind = round.pop()!
      const beganMs = performance.now()
      const what = await faults[kind]!({ cluster: this.#cluster, random: this.#random })
      // The next may come while this one's traces are there.
      if (this.#random.chance(2, 3)) await this.#more()
      const overMs = Math.round(performance.now() - beganMs)
      const longestWaitMs = this.#waits.takeLongestMs()
      this.#done.push({ kind, what, overMs, longestWaitMs })
      progress?.(`${kind}: ${what}; longest wait ${longestWaitMs} ms`)
      await sleep(this.#random.below(2_000))
    }
  }

  /** Resolves when all that was sent until now is acknowledged, and something after it. */
  async #more(): Promise<void> {
    const [sinceMs, ackedRecords] = [performance.now(), this.#ledger.ackedRecords]
    const isSo = (): boolean => {
      if (this.#failure !== null) throw this.#failure
      return (
        this.#waits.isNobodyLeftFrom(sinceMs) && this.#ledger.ackedRecords > ackedRecords + moreMin
      )
    }
    try {
      await eventually('records are acknowledged', isSo, Boolean, moreMsMax)
    } catch (error) {
      if (this.#failure !== null) throw error
      throw new Error(`${String(error)}\n${this.#said}`)
    }
  }

  async #drain(all: Promise<unknown>): Promise<void> {
    this.#world.isDraining = true
    const late = sleep(moreMsMax, 'late', { ref: false })
    const isLate = (await Promise.race([all, late])) === 'late'
    const said = this.#said
    if (this.#failure !== null) throw this.#failure
    if (!isLate) return
    this.#world.end()
    throw new Error(`clients did not come to their end\n${said}`)
  }

  get #said(): string {
    return [...this.#world.troubles].map(([name, trouble]) => `${name}: ${trouble}`).join('\n')
  }

  async #judge(place: Place): Promise<void> {
    const look = async (): Promise<Uint8Array[] | null> => {
      using client = await connect(await this.#world.leaderOf(place), 'chaos-judge')
      return await readAll(client, place)
    }
    const values = await eventually(`${place.key} is read`, look, found => found !== null)
    this.#ledger.judge(place.key, values!)
  }

  async #makeTopics(): Promise<Place[]> {
    await this.#cluster.whole()
    const { topics: made } = await this.#world.ask(client => client.createTopics(topics))
    const places = made.flatMap(({ name, topicId, errorCode, errorMessage }) => {
      if (errorCode !== 0) throw new Error(`CreateTopics of ${name}: ${errorCode} ${errorMessage}`)
      return Array.from({ length: partitionCount }, (_, partition) => {
        return { topic: name, partition, key: keyOf({ topic: name, partition, id: topicId }) }
      })
    })
    await this.#cluster.whole()
    return places
  }

  #result(wholeMs: number): ChaosResult {
    return {
      seed: this.#options.seed,
      brokers: this.#options.brokers,
      faults: this.#done,
      ackedRecords: this.#ledger.ackedRecords,
      seenRecords: this.#ledger.seenRecords,
      acknowledgedCommits: this.#committers.reduce((sum, one) => sum + one.acknowledgedCount, 0),
      longestWaitMs: Math.max(...this.#done.map(({ longestWaitMs }) => longestWaitMs)),
      wholeMs,
      durationMs: Math.round(performance.now() - this.#beganMs),
      violations: this.#ledger.violations,
    }
  }
}

/** For what hangs. */
const moreMsMax = 180_000
const moreMin = 20
const partitionCount = 3
/** Small segments are for rolls, between which a fault may fall too. */
const topics = [
  { name: 'plain', partitions: partitionCount, replicas: 3, configs: {} },
  {
    name: 'small',
    partitions: partitionCount,
    replicas: 3,
    configs: { 'internal.segment.bytes': '16384' },
  },
]

function shuffled(names: readonly string[], random: Prng): string[] {
  const left = [...names]
  return names.map(() => left.splice(random.below(left.length), 1)[0]!)
}

/** What a person needs to look for the reason: what was done and found, what brokers said, and what lies on their disks. */
function keep({ seed }: ChaosOptions, cluster: BrokerCluster, found: unknown): void {
  const folder = join(tmpdir(), `logcluster-chaos-seed-${seed}-${process.pid}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'history.json'), JSON.stringify(found, null, 2))
  for (const [id, { output, dataDir }] of cluster.brokers.entries()) {
    writeFileSync(join(folder, `broker-${id}.log`), output)
    try {
      cpSync(dataDir, join(folder, `broker-${id}`), { recursive: true, filter: isKept })
    } catch (error) {
      console.error(`Chaos: of broker ${id} not all can be read: ${String(error)}`)
    }
  }
  console.error(`Chaos, seed ${seed}: what is left of it lies in ${folder}`)
}

const isKept = (path: string): boolean => !path.endsWith('ballast')
