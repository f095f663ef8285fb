import type { Node } from '../../sim/cluster/node.ts'
import { World } from '../../sim/cluster/world.ts'
import { History } from '../../sim/workload/history.ts'
import { SimProducer } from '../../sim/workload/producer.ts'
import { SimAdmin } from '../../sim/workload/topics.ts'
import { onUnhandled, newTurn } from './turn.ts'

const topic = 'orders'
const partitions = 6

/** For all partitions to be written by those who are left, in virtual seconds; whoever is away stays away that long. */
const patienceSeconds = 60
const roundCount = 3

/** For how long a process of a machine that is busy gets no processor, in ms; by how busy it is. */
const starvedMsMax = [0, 200, 800, 1500] as const
/** While it is judged. */
const calmMsMax = 150

export interface OneAwayOutcome {
  /** Empty where all went well. */
  readonly failures: readonly string[]
  readonly lines: readonly string[]
}

/**
 * Three brokers, of which one is away and does not come back: the other two are enough to write to each partition, whatever went before.
 * What goes before is drawn by the seed: a controller that stands still and goes on, processes that get no processor for a while, a
 * slow disk or network; and then one of them ends, in order or not. A world in which everybody starts again mends what is stuck.
 */
export async function runOneAway(seed: number): Promise<OneAwayOutcome> {
  const run = new OneAway(seed)
  const off = onUnhandled(error => {
    run.world.fail(`I22: nobody caught ${error instanceof Error ? error.stack : String(error)}`)
  })
  try {
    await run.all()
  } finally {
    off()
  }
  return { failures: run.world.failures, lines: run.world.trace.lines }
}

class OneAway {
  readonly world: World
  readonly #held = new Set<Node>()
  #producers: SimProducer[] = []
  #busyness = 0
  #isCalm = false

  constructor(seed: number) {
    const settings = {
      logRetentionCheckIntervalMs: 10_000,
      logSegmentBytes: 64 * 1024,
      offsetsTopicNumPartitions: 2,
      clusterSize: 3,
      metadataDir: '/shared',
      defaultReplicationFactor: 3,
    }
    this.world = new World({ seed, nodeCount: 3, turn: newTurn(), settings })
  }

  async all(): Promise<void> {
    const { world } = this
    const { nodes, prng } = world
    for (const node of nodes) node.start()
    if (!(await this.#allRun())) return world.fail('I20: the cluster did not start')
    await this.#createTopic()
    this.#startProducers()
    this.#busyness = prng.below(starvedMsMax.length)
    for (const node of nodes) this.#starve(node)
    for (let round = 0; round < roundCount && world.failures.length === 0; round++) {
      await this.#disturb()
      const away = await this.#end()
      await this.#expectWritten(`round ${round}, ${away.host} away`)
      await this.#mend(away)
    }
    for (const producer of this.#producers) producer.stop()
  }

  #allRun(): Promise<boolean> {
    const { world } = this
    return world.until(() => world.nodes.every(({ isRunning }) => isRunning), patienceSeconds)
  }

  async #createTopic(): Promise<void> {
    const { world } = this
    let isMade = false
    const made = new SimAdmin(world).create({
      name: topic,
      partitions,
      replicas: 3,
      minInsyncReplicas: 2,
    })
    void made.then(() => (isMade = true))
    await world.until(() => isMade, patienceSeconds)
  }

  #startProducers(): void {
    const { world } = this
    const history = new History(what => world.fail(what))
    const shared = { world, history, topic, everyMs: 60 }
    this.#producers = Array.from({ length: partitions }, (_, partition) => {
      const isIdempotent = world.prng.chance(1, 2)
      return new SimProducer({ ...shared, partition, isIdempotent }, `${topic}-${partition}`)
    })
    for (const producer of this.#producers) void producer.run()
  }

  /** Again and again, as others need the processor. */
  #starve(node: Node): void {
    const { time, prng } = this.world
    if (this.#busyness === 0) return
    const isBusiest = this.#busyness === starvedMsMax.length - 1
    time.after(20 + prng.below(isBusiest ? 300 : 1500), () => {
      const { life } = node
      if (node.isAlive && !life.isStopped) {
        life.stop()
        const ms = prng.below(this.#isCalm ? calmMsMax : starvedMsMax[this.#busyness]!)
        time.after(ms, () => {
          if (!this.#held.has(node)) life.resume()
        })
      }
      this.#starve(node)
    })
  }

  async #disturb(): Promise<void> {
    const { world } = this
    const { nodes, prng, wires } = world
    this.#isCalm = false
    if (prng.chance(1, 3)) for (const node of nodes) node.diskDelayMsMax = 20 + prng.below(500)
    if (prng.chance(1, 3)) wires.delays = { minMs: 1, maxMs: 5 + prng.below(200) }
    await world.run(1 + prng.below(3))
    const controller = this.#controller ?? nodes[0]!
    if (prng.chance(3, 4)) {
      this.#held.add(controller)
      controller.pause()
      await world.run((prng.chance(1, 2) ? 9 : 1) + prng.below(6000) / 1000)
      this.#held.delete(controller)
      controller.resume()
    }
    await world.run(prng.below(6000) / 1000)
  }

  get #controller(): Node | undefined {
    const { nodes, board } = this.world
    return nodes.find(({ id }) => id === board.holder)
  }

  /** One of them, in order or not, and nobody starts it again. */
  async #end(): Promise<Node> {
    const { world } = this
    const { nodes, prng } = world
    const away = (prng.chance(1, 4) ? this.#controller : undefined) ?? prng.pick(nodes)
    away.isSupervised = false
    if (prng.chance(3, 4)) away.stop()
    else away.kill()
    await world.until(() => !away.isAlive, patienceSeconds * 1.5)
    this.#isCalm = true
    return away
  }

  async #expectWritten(when: string): Promise<void> {
    const before = this.#producers.map(({ ackedCount }) => ackedCount)
    const stuck = (): SimProducer[] =>
      this.#producers.filter(({ ackedCount }, at) => ackedCount <= before[at]! + 1)
    if (await this.world.until(() => stuck().length === 0, patienceSeconds)) return
    const names = stuck().map(({ name }) => name)
    this.world.fail(`I20: not acknowledged, ${when}: ${names.join(' ')}`)
  }

  async #mend(away: Node): Promise<void> {
    const { nodes, wires, prng } = this.world
    for (const node of nodes) node.diskDelayMsMax = 2
    wires.delays = { minMs: 1, maxMs: 5 }
    away.isSupervised = true
    away.start()
    await this.#allRun()
    await this.world.run(prng.below(5000) / 1000)
  }
}
