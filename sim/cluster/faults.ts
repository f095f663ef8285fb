import type { Prng } from '../../src/lib/prng.ts'
import type { Node } from './node.ts'
import type { World } from './world.ts'

/** What may happen to a cluster. */
const faultKinds = [
  'kill',
  'kill-in-write',
  'stop',
  'power',
  'pause',
  'cut-off',
  'one-way',
  'reset',
  'half-open',
  'slow-network',
  'slow-disk',
  'store-outage',
  'store-forgets',
  'clock-jump',
] as const

export type FaultKind = (typeof faultKinds)[number]

/** Whether a machine may be lost now: no more may be than the topics can bear. */
export type MayLose = (node: Node) => boolean

/** Faults, drawn by a seed: which kinds there are in this world, and how often they come. */
export class Faults {
  readonly kinds: readonly FaultKind[]
  /** How many of each happened. */
  readonly counts = new Map<FaultKind, number>()
  readonly #world: World
  readonly #prng: Prng
  readonly #meanMs: number
  readonly #mayLose: MayLose
  readonly #heals = new Set<() => void>()
  #isOver = false

  constructor(
    world: World,
    options: { readonly kinds?: readonly FaultKind[]; readonly mayLose: MayLose },
  ) {
    this.#world = world
    this.#prng = world.prng
    this.#mayLose = options.mayLose
    this.#meanMs = 500 * 2 ** this.#prng.below(5)
    // Swarm: most kinds are missing in most worlds, so that the others are met alone.
    this.kinds = options.kinds ?? faultKinds.filter(() => this.#prng.chance(2, 5))
  }

  start(): void {
    if (this.kinds.length > 0) this.#next()
  }

  /** Nothing happens any more, and what happened is mended. */
  heal(): void {
    this.#isOver = true
    for (const heal of this.#heals) heal()
    this.#heals.clear()
  }

  #next(): void {
    const delayMs = (this.#prng.below(2048) / 1024) * this.#meanMs
    this.#world.time.after(delayMs, () => {
      if (this.#isOver) return
      this.#happen(this.#prng.pick(this.kinds))
      this.#next()
    })
  }

  #happen(kind: FaultKind): void {
    const node = this.#prng.pick(this.#world.nodes)
    if (this.#act(kind, node)) this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
  }

  /** False where it could not be. */
  #act(kind: FaultKind, node: Node): boolean {
    const { wires, time } = this.#world
    switch (kind) {
      case 'kill':
        return this.#ifAlive(node, () => node.kill())
      case 'kill-in-write':
        return this.#ifAlive(node, () => {
          const { disk } = node
          disk.crashAfter(disk.operationCount + this.#prng.below(40), this.#prng.below(4096))
        })
      case 'stop':
        return this.#ifAlive(node, () => node.stop())
      case 'power':
        return this.#mayLose(node) && this.#ifAlive(node, () => node.powerOff())
      case 'pause':
        return this.#ifAlive(node, () => {
          node.pause()
          this.#for(this.#span(15_000), () => node.resume())
        })
      case 'cut-off':
        return this.#cut(
          this.#others(node).flatMap(other => [`${node.host}>${other}`, `${other}>${node.host}`]),
        )
      case 'one-way': {
        const other = this.#prng.pick(this.#others(node))
        const isTo = this.#prng.chance(1, 2)
        return this.#cut([isTo ? `${node.host}>${other}` : `${other}>${node.host}`])
      }
      case 'reset':
        return this.#connections(end => end.reset())
      case 'half-open':
        return this.#connections(end => end.forget())
      case 'slow-network': {
        const before = wires.delays
        wires.delays = { minMs: 1, maxMs: 20 + this.#prng.below(300) }
        return this.#for(this.#span(10_000), () => (wires.delays = before))
      }
      case 'slow-disk':
        node.diskDelayMsMax = 50 + this.#prng.below(3000)
        return this.#for(this.#span(10_000), () => (node.diskDelayMsMax = 2))
      case 'store-outage':
        return this.#store(
          way => (way.isOpen = false),
          way => (way.isOpen = true),
        )
      case 'store-forgets':
        return this.#store(
          way => (way.lostPerMille = 300),
          way => (way.lostPerMille = 0),
        )
      case 'clock-jump':
        this.#world.trace.note('the wall clock jumps')
        time.jump(this.#prng.below(20_000) - 10_000)
        return true
    }
  }

  #ifAlive(node: Node, act: () => void): boolean {
    if (!node.isAlive || node.life.isStopped) return false
    act()
    return true
  }

  #others(node: Node): string[] {
    const brokers = this.#world.nodes.map(({ host }) => host)
    return [...brokers, ...this.#world.clientHosts].filter(host => host !== node.host)
  }

  /** For some of them at once. */
  #cut(wires: readonly string[]): boolean {
    const pairs = wires.map(wire => wire.split('>') as [string, string])
    const set = (isCut: boolean): void => {
      for (const [from, to] of pairs) this.#world.wires.setCut(from, to, isCut)
    }
    this.#world.trace.note(`cut ${wires.slice(0, 4).join(' ')}${wires.length > 4 ? ' ...' : ''}`)
    set(true)
    return this.#for(this.#span(20_000), () => {
      this.#world.trace.note(`mended ${wires[0] ?? ''}`)
      set(false)
    })
  }

  #connections(act: (end: World['wires']['ends'][number]) => void): boolean {
    const { ends } = this.#world.wires
    if (ends.length === 0) return false
    this.#world.trace.note('connections break')
    for (const end of ends) if (this.#prng.chance(1, 4)) act(end)
    return true
  }

  #store(harm: (way: Node['storeWay']) => void, mend: (way: Node['storeWay']) => void): boolean {
    const isForAll = this.#prng.chance(1, 2)
    const nodes = isForAll ? this.#world.nodes : [this.#prng.pick(this.#world.nodes)]
    this.#world.trace.note(`the store fails ${nodes.map(({ host }) => host).join(' ')}`)
    for (const { storeWay } of nodes) harm(storeWay)
    return this.#for(this.#span(15_000), () => {
      for (const { storeWay } of nodes) mend(storeWay)
    })
  }

  #span(msMax: number): number {
    return msMax / 2 ** this.#prng.below(6)
  }

  #for(ms: number, heal: () => void): boolean {
    this.#heals.add(heal)
    this.#world.time.after(ms, () => {
      if (this.#heals.delete(heal)) heal()
    })
    return true
  }
}
