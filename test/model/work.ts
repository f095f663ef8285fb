import type {
  AlterOutcome,
  AlterWish,
  ReplicaEffect,
  ReplicaEvent,
} from '../../src/broker/partition/replica/replica.ts'
import type { Images } from './images.ts'
import { check, Violation } from './invariants.ts'
import type { Machines } from './machines.ts'
import type { Budget, Entry, Message, Node, Numbered, State } from './states.ts'

export const ids: readonly number[] = [1, 2, 3]

/** A follower may lag for 10 s; a leader looks around more often than that. */
const lookMs = 4_000
export const pauseMs = 3 * lookMs

/** What all states are made of. */
export interface Known {
  readonly machines: Machines
  readonly images: Images
  readonly numbered: Numbered
}

/** One step under way: what it makes of a state. */
export class Work {
  readonly #known: Known
  readonly #nodes: Node[]
  readonly history: number[]
  readonly network: Message[]
  #acked: State['acked']
  #committed: readonly Entry[]
  #left: Budget
  pauseCount: number

  constructor(known: Known, state: State) {
    this.#known = known
    this.#nodes = [...state.nodes]
    this.history = [...state.history]
    this.network = [...state.network]
    this.#acked = state.acked
    this.#committed = state.committed
    this.#left = state.left
    this.pauseCount = state.pauseCount
  }

  get nowMs(): number {
    return this.pauseCount * pauseMs
  }

  get newest(): number {
    return this.history.at(-1)!
  }

  node(id: number): Node {
    return this.#nodes[id - 1]!
  }

  set(id: number, changes: Partial<Node>): void {
    this.#nodes[id - 1] = { ...this.node(id), ...changes }
  }

  /** Whoever leads finds out who lags. */
  pause(): void {
    const sinceMs = this.nowMs
    this.pauseCount += 1
    for (let nowMs = sinceMs + lookMs; nowMs <= this.nowMs; nowMs += lookMs) {
      for (const id of ids) {
        if (this.node(id).machine >= 0) this.step(id, `tick ${nowMs}`, { type: 'tick', nowMs })
      }
    }
  }

  spend(what: keyof Budget): void {
    this.#left = { ...this.#left, [what]: this.#left[what] - 1 }
  }

  /** Whoever is not cut off applies it at once. */
  commit(image: number): void {
    if (image === this.newest) return
    this.history.push(image)
    for (const id of ids) {
      const { machine, behind, isCutOff } = this.node(id)
      if (machine < 0) continue
      this.set(id, { behind: behind + 1 })
      if (!isCutOff) this.apply(id)
    }
  }

  /** The next image that it has not applied. */
  apply(id: number): void {
    const behind = this.node(id).behind - 1
    this.set(id, { behind, isCutOff: behind > 0 })
    this.tellRole(id)
  }

  tellRole(id: number): void {
    const image = this.history.at(-1 - this.node(id).behind)!
    const { role } = this.#known.images.known(image)
    const nowMs = this.nowMs
    this.step(id, `role ${image} ${nowMs}`, { type: 'role', role, nowMs })
  }

  append(id: number, entries: readonly Entry[]): void {
    const { log, epochs } = this.node(id)
    const begun = entries.filter(({ epoch }) => epoch > (epochs.at(-1)?.[0] ?? -1))
    const added = begun.slice(0, 1).map(({ epoch }) => [epoch, log.length] as const)
    this.set(id, { log: [...log, ...entries], epochs: [...epochs, ...added] })
    const endOffset = this.node(id).log.length
    this.step(id, `written ${endOffset}`, { type: 'written', endOffset })
  }

  cut(id: number, length: number): void {
    const { log, epochs } = this.node(id)
    const left = epochs.filter(([, start]) => start < length)
    this.set(id, { log: log.slice(0, length), epochs: left })
  }

  answer(id: number, partitionEpoch: number, outcome: AlterOutcome): void {
    const key = `altered ${partitionEpoch} ${JSON.stringify(outcome)}`
    this.step(id, key, { type: 'altered', partitionEpoch, outcome })
  }

  fetch(id: number, leader: number): void {
    const { log, epochs, brokerEpoch } = this.node(id)
    const { leaderEpoch } = this.#known.machines.view(this.node(id).machine).role!
    const lastEpoch = epochs.at(-1)?.[0] ?? -1
    const source = this.node(leader)
    const diverging = log.length === 0 && lastEpoch < 0 ? null : endOf(source, lastEpoch)
    if (diverging !== null && (diverging.epoch < lastEpoch || diverging.endOffset < log.length)) {
      const parting = {
        kind: 'diverging',
        leader: diverging,
        own: endOf(this.node(id), diverging.epoch),
      } as const
      return this.step(id, `parted ${leaderEpoch} ${JSON.stringify(parting)}`, {
        type: 'parted',
        leaderEpoch,
        parting,
      })
    }
    const fetch = { brokerId: id, brokerEpoch, fetchOffset: log.length, logStartOffset: 0 }
    const nowMs = this.nowMs
    const key = `fetched ${id} ${brokerEpoch} ${log.length} ${nowMs}`
    this.step(leader, key, { type: 'fetched', nowMs, ...fetch })
    const { highWatermark } = this.#known.machines.view(this.node(leader).machine)
    const sent = source.log.slice(log.length, log.length + 1)
    if (sent.length > 0) this.append(id, sent)
    const event = { type: 'received', leaderEpoch, highWatermark } as const
    this.step(id, `received ${leaderEpoch} ${highWatermark}`, event)
  }

  step(id: number, key: string, event: ReplicaEvent): void {
    const { machines } = this.#known
    const { machine, effects } = machines.step(this.node(id).machine, key, event)
    this.set(id, { machine })
    for (const effect of effects) this.#perform(id, effect)
  }

  #perform(id: number, effect: ReplicaEffect): void {
    switch (effect.type) {
      case 'lead': {
        const { log, epochs } = this.node(id)
        const before = epochs.filter(([, start]) => start < log.length)
        return this.set(id, { epochs: [...before, [effect.leaderEpoch, log.length]] })
      }
      case 'watermark':
        return this.#show(id, effect.highWatermark)
      case 'committed':
        this.#ack(id, effect.id)
        return
      case 'alter':
        return this.#ask(id, effect)
      case 'truncate':
      case 'beginAt': {
        this.cut(id, effect.offset)
        const endOffset = this.node(id).log.length
        const event = { type: 'truncated', startOffset: 0, endOffset } as const
        return this.step(id, `truncated ${endOffset}`, event)
      }
      case 'follow':
      case 'refused':
    }
  }

  #ask(from: number, { leaderEpoch, partitionEpoch, isr, isRecovering }: AlterWish): void {
    const { brokerEpoch } = this.node(from)
    const wish = { leaderEpoch, partitionEpoch, isr, isRecovering }
    this.network.push({ from, brokerEpoch, wish, isAwaited: true })
  }

  #ack(id: number, entryId: number): void {
    const offset = this.node(id).log.findIndex(entry => entry.id === entryId)
    const acked = [...this.#acked, { offset, ...this.node(id).log[offset]! }]
    this.#acked = acked.toSorted((a, b) => a.offset - b.offset)
  }

  /** What was once shown stands there for ever. */
  #show(id: number, highWatermark: number): void {
    const shown = this.node(id).log.slice(0, highWatermark)
    const before = this.#committed
    const both = Math.min(before.length, shown.length)
    for (let at = 0; at < both; at++) {
      if (shown[at]!.id === before[at]!.id && shown[at]!.epoch === before[at]!.epoch) continue
      throw new Violation(`broker ${id} shows another record at ${at} than was shown before`)
    }
    if (shown.length > before.length) this.#committed = shown
  }

  /** What nobody can need any more is left out, so that more states are the same. @throws Violation */
  end(): State {
    for (const id of ids)
      if (this.node(id).machine < 0) this.set(id, { behind: 0, isCutOff: false })
    const { numbered } = this.#known
    const behindMax = Math.max(...this.#nodes.map(({ behind }) => behind))
    const network = this.network.filter(message => !this.#isPast(message))
    const state = {
      history: this.history.slice(-1 - behindMax),
      nodes: this.#nodes.map(node => numbered.the(node)),
      network: network.map(message => numbered.the(message)),
      acked: numbered.the(this.#acked),
      committed: numbered.the(this.#committed),
      left: numbered.the(this.#left),
      pauseCount: this.pauseCount,
    }
    check(this.#known, state)
    return state
  }

  /** It will be refused, and nobody hears that. */
  #isPast({ wish, from, brokerEpoch, isAwaited }: Message): boolean {
    const sender = this.node(from)
    const isHeard = isAwaited && sender.machine >= 0 && sender.brokerEpoch === brokerEpoch
    const { partitionEpoch } = this.#known.images.known(this.newest).partition
    return !isHeard && wish.partitionEpoch < partitionEpoch
  }
}

/** The largest epoch of the log that is not above `epoch`, and where it ends. */
function endOf({ log, epochs }: Node, epoch: number): { epoch: number; endOffset: number } {
  const at = epochs.findLastIndex(([each]) => each <= epoch)
  if (at < 0) return { epoch: -1, endOffset: -1 }
  return { epoch: epochs[at]![0], endOffset: epochs[at + 1]?.[1] ?? log.length }
}
