import type { Env } from '../../src/env/env.ts'
import { Prng } from '../../src/lib/prng.ts'
import { SimClock } from '../clock.ts'
import { SimCrash } from '../disk-faults.ts'
import { SimStoreMedium } from '../metadata-store.ts'
import { simRandom } from '../random.ts'
import type { LeaseBoard } from './distant-lease.ts'
import { type End, isOfDisk, Node, type NodeWorld, type SettingChanges } from './node.ts'
import { LifeClock, Life } from './life.ts'
import { Trace } from './trace.ts'
import { HostNetwork, Wires } from './wires.ts'

export interface WorldOptions {
  readonly seed: number
  readonly nodeCount: number
  /** Lets everything that a promise can do happen: `setImmediate`, which whoever runs the world has. */
  readonly turn: () => Promise<void>
  readonly settings?: SettingChanges
  /** A bug that is planted: what each life of each broker finds in place of the world. */
  readonly changeEnv?: (node: Node, env: Env) => Env
}

/**
 * A simulated cluster: machines with whole brokers, the network between them, the store that they share, and time. The
 * same seed gives the same run, to the last byte (`trace.hash`). Time goes on only in `run`, one event after another;
 * after each of them everybody who watches looks at the world.
 */
export class World implements NodeWorld {
  readonly seed: number
  readonly prng: Prng
  readonly time: SimClock
  readonly trace: Trace
  readonly wires: Wires
  readonly medium = new SimStoreMedium()
  readonly board: LeaseBoard = { holder: null, beat: 0 }
  readonly nodes: readonly Node[]
  readonly #changeEnv: (node: Node, env: Env) => Env
  readonly #watchers: (() => void)[] = []
  readonly #failures: string[] = []
  readonly #ends: ((node: Node, how: End) => void)[] = []
  readonly #clientHosts: string[] = []
  #eventCount = 0

  constructor(options: WorldOptions) {
    this.seed = options.seed
    this.prng = new Prng(options.seed)
    this.time = new SimClock({
      turn: async () => {
        await options.turn()
        this.#after()
      },
    })
    this.trace = new Trace(() => this.time.monotonic())
    this.#changeEnv = options.changeEnv ?? ((_, env) => env)
    this.wires = new Wires({
      time: this.time,
      prng: new Prng(this.prng.uint32()),
      delivered: (_, { port }, bytes) => this.trace.bytes(port, bytes),
    })
    this.nodes = Array.from(
      { length: options.nodeCount },
      (_, id) => new Node(this, id, options.settings ?? {}),
    )
  }

  /** What went wrong, first things first; empty while nothing did. */
  get failures(): readonly string[] {
    return this.#failures
  }

  /** Events so far: timers, arrivals, ends of disk operations. */
  get eventCount(): number {
    return this.#eventCount
  }

  /** The world of somebody who is no broker: a client, on a host of its own, that never dies. */
  client(name: string): Pick<Env, 'clock' | 'network' | 'random'> {
    this.#clientHosts.push(name)
    const life = new Life(error => this.fail(`${name}: ${String(error)}`))
    return {
      clock: new LifeClock(this.time, life, { rate: 1, aheadMs: 0 }),
      network: new HostNetwork(this.wires, name, life),
      random: simRandom(new Prng(this.prng.uint32())),
    }
  }

  /** Hosts of clients, in the order in which they came. */
  get clientHosts(): readonly string[] {
    return this.#clientHosts
  }

  /** Calls `look` after every event. */
  watch(look: () => void): void {
    this.#watchers.push(look)
  }

  /** Calls `heard` when a node's broker has ended, however it did. */
  onEnd(heard: (node: Node, how: End) => void): void {
    this.#ends.push(heard)
  }

  /** Lets `seconds` of virtual time pass, or less where something fails. */
  async run(seconds: number): Promise<void> {
    const untilMs = this.time.monotonic() + seconds * 1000
    while (this.time.monotonic() < untilMs && this.#failures.length === 0) {
      await this.time.run(Math.min(100, untilMs - this.time.monotonic()))
    }
  }

  /** Until `isSo`, at most `seconds`; false where it did not become so. */
  async until(isSo: () => boolean, seconds: number): Promise<boolean> {
    const untilMs = this.time.monotonic() + seconds * 1000
    while (!isSo()) {
      if (this.time.monotonic() >= untilMs || this.#failures.length > 0) return false
      await this.time.run(100)
    }
    return true
  }

  fail(what: string): void {
    this.trace.note(`FAILURE ${what}`)
    this.#failures.push(what)
  }

  /** For nodes only, as what follows. */
  changeEnv(node: Node, env: Env): Env {
    return this.#changeEnv(node, env)
  }

  ended(node: Node, how: End): void {
    for (const heard of this.#ends) heard(node, how)
  }

  /** A broker gave up. Its disk and its store may make it; nothing else may. */
  gaveUp(node: Node, error: unknown): void {
    if (isOfDisk(error) || isOfStore(error) || error instanceof SimCrash) return
    const stack = error instanceof Error ? error.stack : undefined
    this.fail(`${node.host} gave up: ${stack ?? String(error)}`)
  }

  #after(): void {
    this.#eventCount++
    for (const node of this.nodes) node.noteCrash()
    for (const look of this.#watchers) look()
  }
}

/** Another controller wrote, or the store does not answer: a broker that has nothing to stand on ends. */
function isOfStore(error: unknown): boolean {
  const names = ['Deposed', 'StoreError', 'StoreUnavailable']
  return error instanceof Error && names.includes(error.name)
}
