import { retrying } from '../src/broker/wire/client/retrying.ts'
import type { Env } from '../src/env/env.ts'
import { Faults, type FaultHelp, type FaultKind } from './cluster/faults.ts'
import type { Node, SettingChanges } from './cluster/node.ts'
import { World } from './cluster/world.ts'
import { ReplicaWatch } from './invariants.ts'
import { MetadataWatch } from './metadata-watch.ts'
import { fetchFrom, SimConsumer } from './workload/consumer.ts'
import { History, type SeenRecord } from './workload/history.ts'
import { GroupHistory, type GroupPartition } from './workload/group-history.ts'
import { Hibernation } from './workload/hibernation.ts'
import { SimMember } from './workload/member.ts'
import { PassingTopic } from './workload/passing-topic.ts'
import { SimProducer } from './workload/producer.ts'
import { SimClient } from './workload/sim-client.ts'
import { SimSupervisor } from './workload/supervisor.ts'
import { SimAdmin } from './workload/topics.ts'

export interface SimulationOptions {
  readonly seed: number
  /** Virtual seconds in which faults happen. */
  readonly seconds: number
  /** See World. */
  readonly turn: () => Promise<void>
  /** Drawn by the seed where left out. */
  readonly nodeCount?: number
  readonly kinds?: readonly FaultKind[]
  readonly settings?: SettingChanges
  readonly changeEnv?: (node: Node, env: Env) => Env
}

export interface Outcome {
  readonly seed: number
  /** Empty where all went well. */
  readonly failures: readonly string[]
  /** The same for the same run. */
  readonly hash: string
  /** The last things that happened. */
  readonly lines: readonly string[]
  readonly counts: Readonly<Record<string, number>>
}

/** Small, so that files and partitions change often. */
const plainSettings: SettingChanges = {
  logRetentionCheckIntervalMs: 10_000,
  logSegmentBytes: 64 * 1024,
  offsetsTopicNumPartitions: 2,
}

/** Several brokers share a store: the simulated one stands for the folder that is named. */
function amongOthers(nodeCount: number): SettingChanges {
  if (nodeCount === 1) return {}
  return {
    clusterSize: nodeCount,
    metadataDir: '/shared',
    defaultReplicationFactor: Math.min(3, nodeCount),
  }
}

/** How long a healed cluster may take for anything, in virtual seconds. */
const patienceSeconds = 60

/** One run of a seed: a cluster, a workload, faults, healing, and a look at everything. */
export class Simulation {
  readonly world: World
  readonly history: History
  readonly faults: Faults
  readonly watch: ReplicaWatch
  readonly #metadata: MetadataWatch
  readonly #options: SimulationOptions
  readonly #admin: SimAdmin
  readonly #passing: PassingTopic
  /** Begun by the first freeze: no other world has its clients. */
  #hibernation: Hibernation | null = null
  readonly #supervisor: SimSupervisor
  readonly #producers: SimProducer[] = []
  readonly #consumers: SimConsumer[] = []
  readonly #group: GroupHistory
  readonly #members: SimMember[] = []
  #electedByHand = 0
  readonly #partitions: { readonly topic: string; readonly partition: number }[] = []

  constructor(options: SimulationOptions) {
    const { seed, turn, settings, changeEnv } = options
    const nodeCount = options.nodeCount ?? 3 + (seed % 3)
    this.#options = options
    this.world = new World({
      seed,
      nodeCount,
      turn,
      settings: { ...plainSettings, ...amongOthers(nodeCount), ...settings },
      ...(changeEnv === undefined ? {} : { changeEnv }),
    })
    this.history = new History(what => this.world.fail(what))
    const kinds = options.kinds === undefined ? {} : { kinds: options.kinds }
    this.faults = new Faults(this.world, { ...kinds, ...this.#help })
    this.#group = new GroupHistory('group', what => this.world.fail(what))
    this.#metadata = new MetadataWatch(this.world)
    this.watch = new ReplicaWatch(this.world, this.#metadata)
    this.#admin = new SimAdmin(this.world)
    this.#passing = new PassingTopic(this.world)
    this.#supervisor = new SimSupervisor(this.world)
  }

  async run(): Promise<Outcome> {
    const { world } = this
    for (const node of world.nodes) node.start()
    const isUp = await world.until(() => world.nodes.every(({ isRunning }) => isRunning), 60)
    if (!isUp) world.fail('I20: the cluster did not start within 60 s')
    if (isUp) await this.#work()
    this.#metadata.lookAtCopies()
    const others = [this.#admin, this.#passing, this.#supervisor]
    for (const each of [...this.#clients, ...others]) each.stop()
    this.#hibernation?.stop()
    return this.#outcome()
  }

  async #work(): Promise<void> {
    const { world, faults } = this
    await this.#await('topics are created', this.#createTopics())
    this.#startClients()
    await world.run(1)
    faults.start()
    await world.run(this.#options.seconds)
    faults.heal()
    world.trace.note('healed')
    const isAwake = (): boolean => this.#hibernation?.isUnderWay !== true
    if (!(await world.until(isAwake, patienceSeconds))) world.fail('I20: the cluster is not thawed')
    await this.#settle()
    await this.#await('a topic that was deleted is there again', this.#passing.settle(), isDone =>
      this.#untilElected(isDone),
    )
    for (const producer of this.#producers) producer.stop()
    if (world.failures.length === 0) await this.#await('everything is read', this.#checkAll())
  }

  async #createTopics(): Promise<void> {
    const { nodes, prng } = this.world
    const replicas = Math.min(3, nodes.length)
    for (const name of ['orders', 'events'].slice(0, 1 + prng.below(2))) {
      const partitions = 1 + prng.below(4)
      await this.#admin.create({
        name,
        partitions,
        replicas,
        minInsyncReplicas: Math.max(1, replicas - 1),
      })
      for (let partition = 0; partition < partitions; partition++) {
        this.#partitions.push({ topic: name, partition })
      }
    }
  }

  #startClients(): void {
    const { world, history } = this
    for (const at of this.#partitions) {
      const name = `${at.topic}-${at.partition}`
      const everyMs = 80 + world.prng.below(500)
      const shared = { world, history, ...at }
      this.#producers.push(new SimProducer({ ...shared, isIdempotent: true, everyMs }, name))
      if (world.prng.chance(1, 2)) {
        this.#producers.push(new SimProducer({ ...shared, isIdempotent: false, everyMs }, name))
      }
      this.#consumers.push(new SimConsumer(shared, name))
    }
    for (let number = 0; number <= world.prng.below(4); number++) {
      const shared = { world, history: this.#group, partitions: this.#partitions }
      this.#members.push(new SimMember(shared, `member-${number}`))
    }
    for (const each of this.#clients) {
      each.run().catch((error: unknown) => world.fail(`${each.name}: ${String(error)}`))
    }
  }

  get #clients(): readonly (SimProducer | SimConsumer | SimMember)[] {
    return [...this.#producers, ...this.#consumers, ...this.#members]
  }

  /** I20: all run, every producer gets something acknowledged, and every consumer reads to its end. */
  async #settle(): Promise<void> {
    const { world, history } = this
    const isUp = (): boolean => world.nodes.every(({ isRunning }) => isRunning)
    // A lost disk is not given up while it may be the only complete copy of something: who has all of it by now leads first.
    if (!(await this.#untilElected(isUp))) return world.fail('I20: not all brokers run')
    const before = this.#producers.map(({ ackedCount }) => ackedCount)
    const isWritten = (): boolean =>
      this.#producers.every(({ ackedCount }, at) => ackedCount > before[at]! + 1)
    if (!(await this.#untilElected(isWritten))) {
      const stuck = this.#producers.filter(({ ackedCount }, at) => ackedCount <= before[at]! + 1)
      const names = stuck.map(({ name }) => name).join(' ')
      return world.fail(`I20: not acknowledged within ${patienceSeconds} s: ${names}`)
    }
    const owed = this.#partitions.map(({ topic, partition }) => ({
      to: history.partition(topic, partition).latestOffset,
      by: this.#consumers.find(({ name }) => name === `consumer-${topic}-${partition}`)!,
    }))
    const isRead = (): boolean => owed.every(({ to, by }) => by.offset > to)
    if (!(await world.until(isRead, patienceSeconds))) world.fail('I20: consumers are stuck')
    else await this.#groupGoesOn()
  }

  /**
   * Whoever dies between its registration and the note of it counts as one that may have lost something (start-class.ts). When all
   * who had everything did so, nobody leads before a person says so: then the longest log does, and nothing is lost. That may be so
   * of any partition, also of one that is only needed for groups.
   */
  async #untilElected(isSo: () => boolean): Promise<boolean> {
    const { world } = this
    if (await world.until(isSo, patienceSeconds / 2)) return true
    if (world.failures.length > 0) return false
    const neglected = this.#metadata.neglected()
    if (neglected.length > 0) {
      world.fail(`I20: nobody leads ${neglected.join(' ')}, and it waits for nobody's word (R9)`)
      return false
    }
    world.trace.note('a person asks for elections')
    this.#electedByHand++
    await this.#await('leaders are elected', this.#admin.electUnclean())
    return await world.until(isSo, patienceSeconds)
  }

  /** What is written all the time is committed all the time, by somebody. */
  async #groupGoesOn(): Promise<void> {
    const { commitCount } = this.#group
    const goesOn = (): boolean => this.#group.commitCount > commitCount + 3
    if (this.#members.length === 0 || this.world.failures.length > 0) return
    if (await this.#untilElected(goesOn)) return
    this.world.fail(`I20: the group committed nothing within ${patienceSeconds} s`)
  }

  /** The log of each partition as a new reader finds it, against all that was ever told of it. */
  async #checkAll(): Promise<void> {
    const client = new SimClient(this.world, 'checker')
    for (const at of this.#partitions) {
      const records: SeenRecord[] = []
      for (let offset = 0; ;) {
        const fetched = await persistently(client, at, offset)
        records.push(...fetched.records)
        offset = (records.at(-1)?.offset ?? -1) + 1
        if (offset >= fetched.highWatermark) break
      }
      this.history.partition(at.topic, at.partition).check(records)
    }
    client.stop()
  }

  async #await(
    what: string,
    work: Promise<void>,
    wait = (isDone: () => boolean) => this.world.until(isDone, patienceSeconds),
  ): Promise<void> {
    let isDone = false
    work.then(
      () => (isDone = true),
      (error: unknown) => this.world.fail(`${what}: ${String(error)}`),
    )
    if (await wait(() => isDone)) return
    if (this.world.failures.length === 0) {
      this.world.fail(`I20: not within ${patienceSeconds} s: ${what}`)
    }
  }

  /** A disk that forgets what was not flushed costs nothing while another copy is there: one at a time. */
  readonly #help: FaultHelp = {
    mayLose: node =>
      this.world.nodes.length > 2 && node.isRunning && this.watch.isWhole && !this.#isFrozen,
    retire: directoryId => this.#supervisor.retire(directoryId),
    reassign: () => this.#reassign(),
    passTopic: () => this.#passing.pass(),
    hibernate: () => this.#hibernate(),
  }

  get #isFrozen(): boolean {
    return this.#hibernation?.isUnderWay === true
  }

  /** As the operator does it: of a cluster in which everything is in sync. */
  #hibernate(): boolean {
    const { nodes, prng } = this.world
    const isSupervised = nodes.every(node => node.isSupervised)
    if (nodes.length < 2 || this.#isFrozen || !isSupervised || !this.watch.isWhole) return false
    this.#hibernation ??= new Hibernation(this.world)
    this.#hibernation.begin(prng.below(5000))
    return true
  }

  /** To some brokers, in some order: a leader among them or not, one more of them or one less. */
  #reassign(): boolean {
    const { prng, nodes } = this.world
    if (nodes.length < 3) return false
    const { topic, partition } = prng.pick(this.#partitions)
    const left = nodes.map(({ id }) => id)
    const count = 2 + prng.below(Math.min(3, nodes.length - 1))
    const replicas = Array.from(
      { length: count },
      () => left.splice(prng.below(left.length), 1)[0]!,
    )
    void this.#admin.reassign(topic, partition, replicas)
    return true
  }

  #outcome(): Outcome {
    const { world, history, faults } = this
    const faultCount = [...faults.counts.values()].reduce((sum, count) => sum + count, 0)
    return {
      seed: this.#options.seed,
      failures: world.failures,
      hash: world.trace.hash,
      // What ends now may still say so, and is no part of the run.
      lines: [...world.trace.lines],
      counts: {
        nodes: world.nodes.length,
        events: world.eventCount,
        acked: history.ackedCount,
        seen: history.seenCount,
        commits: this.#group.commitCount,
        faults: faultCount,
        electedByHand: this.#electedByHand,
        lives: world.nodes.reduce((sum, { lifeCount }) => sum + lifeCount, 0),
        virtualSeconds: Math.round(world.time.monotonic() / 1000),
      },
    }
  }
}

/** As `fetchFrom`: brokers may learn at different moments what was decided before all was healed. */
function persistently(
  client: SimClient,
  at: GroupPartition,
  offset: number,
): ReturnType<typeof fetchFrom> {
  const relocate = (): Promise<void> => Promise.resolve(client.forget(at.topic))
  const options = { ...client.env, timeoutMs: patienceSeconds * 1000, relocate }
  return retrying(options, () => fetchFrom(client, at, offset))
}
