import { Prng } from '../../src/lib/prng.ts'
import { DiskLosses, type Retire } from './disk-losses.ts'
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
  'own-clock',
  'pause-in-append',
  'disk-emptied',
  'disk-older',
  'disk-error',
  'reassign',
  'topics',
  'freeze',
] as const

export type FaultKind = (typeof faultKinds)[number]

/** What takes data from a machine, or changes who has what. */
const lossKinds = [
  'power',
  'disk-emptied',
  'disk-error',
  'disk-older',
  'reassign',
  'topics',
  'pause-in-append',
  'freeze',
] as const satisfies readonly FaultKind[]

type LossKind = (typeof lossKinds)[number]

function isLoss(kind: FaultKind): kind is LossKind {
  return (lossKinds as readonly FaultKind[]).includes(kind)
}

/** Whether a machine may be lost now: no more may be than the topics can bear. */
type MayLose = (node: Node) => boolean

/** What faults need of whoever has the cluster's clients. */
export interface FaultHelp {
  readonly mayLose: MayLose
  readonly retire: Retire
  /** Asks for another set of replicas of some partition. */
  reassign(): boolean
  /** Deletes a topic that is written to, or makes it anew. */
  passTopic(): boolean
  /** All stop together, frozen, and come back. */
  hibernate(): boolean
}

/** By a seed's own draw whether there is a freeze in its world: other worlds are as they were before there was one. */
function drawn(prng: Prng, seed: number): FaultKind[] {
  const freezes = new Prng(seed ^ 0x0f4e_e2e0).chance(1, 5)
  return faultKinds.filter(kind => (kind === 'freeze' ? freezes : prng.chance(2, 5)))
}

/** Faults, drawn by a seed: which kinds there are in this world, and how often they come. */
export class Faults {
  readonly kinds: readonly FaultKind[]
  /** How many of each happened. */
  readonly counts = new Map<FaultKind, number>()
  readonly #world: World
  readonly #prng: Prng
  readonly #meanMs: number
  readonly #help: FaultHelp
  readonly #losses: DiskLosses
  readonly #heals = new Set<() => void>()
  /** Delays of the network, but for its faults: of two that overlap the one that ends first ends both. */
  readonly #calm: World['wires']['delays']
  #isOver = false

  constructor(
    world: World,
    { kinds, ...help }: FaultHelp & { readonly kinds?: readonly FaultKind[] },
  ) {
    this.#world = world
    this.#prng = world.prng
    this.#calm = world.wires.delays
    this.#help = help
    this.#losses = new DiskLosses(world, help.retire)
    this.#meanMs = 500 * 2 ** this.#prng.below(5)
    // Swarm: most kinds are missing in most worlds, so that the others are met alone.
    this.kinds = kinds ?? drawn(this.#prng, world.seed)
  }

  start(): void {
    if (this.kinds.length > 0) this.#next()
  }

  /** Nothing happens any more, and what happened is mended. */
  heal(): void {
    this.#isOver = true
    for (const { disk, storeWay } of this.#world.nodes) {
      storeWay.atAppend = null
      disk.crashAfter(Infinity)
    }
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
    return isLoss(kind) ? this.#lose(kind, node) : this.#hinder(kind, node)
  }

  #lose(kind: LossKind, node: Node): boolean {
    switch (kind) {
      case 'power':
        return this.#ifMayLose(node, () => node.powerOff())
      case 'disk-emptied':
        return this.#ifMayLose(node, () => this.#losses.empty(node))
      case 'disk-error':
        return this.#ifMayLose(node, () => this.#losses.fail(node))
      case 'disk-older':
        return this.#ifMayLose(node, () => this.#losses.restore(node))
      case 'reassign':
        return this.#help.reassign()
      case 'topics':
        return this.#help.passTopic()
      case 'pause-in-append':
        return this.#pauseInAppend()
      case 'freeze':
        return !this.#losses.isLosing && this.#help.hibernate()
    }
  }

  #hinder(kind: Exclude<FaultKind, LossKind>, node: Node): boolean {
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
        wires.delays = { minMs: 1, maxMs: 20 + this.#prng.below(300) }
        return this.#for(this.#span(10_000), () => (wires.delays = this.#calm))
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
      case 'own-clock':
        this.#world.trace.note(`the wall clock of ${node.host} jumps`)
        node.drift.aheadMs = this.#prng.below(120_000) - 60_000
        return true
    }
  }

  /** The controller is stopped when its append is in the store and it does not know. */
  #pauseInAppend(): boolean {
    const { board, nodes } = this.#world
    const controller = nodes.find(({ id }) => id === board.holder)
    if (controller === undefined) return false
    controller.storeWay.atAppend = () => {
      controller.pause()
      this.#for(this.#span(30_000), () => controller.resume())
    }
    return true
  }

  #ifMayLose(node: Node, act: () => void): boolean {
    return !this.#losses.isLosing && this.#help.mayLose(node) && this.#ifAlive(node, act)
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
