import type { AlterWish } from '../../src/broker/partition/replica/replica.ts'

/** A record: the leader epoch in which it was written, and a number of its own. */
export interface Entry {
  readonly epoch: number
  readonly id: number
}

/** A broker: its disk, and the process that runs on it or does not. */
export interface Node {
  readonly log: readonly Entry[]
  /** Where leader epochs begin in the log, ascending. */
  readonly epochs: readonly (readonly [epoch: number, start: number])[]
  /** Power was lost since it registered last, and records with it. */
  readonly isLossy: boolean
  /** Of its replica's machine; -1: no process runs. */
  readonly machine: number
  /** Of its registration. */
  readonly brokerEpoch: number
  /** Images of `history` that it has not applied. */
  readonly behind: number
  /** It hears of new images late. */
  readonly isCutOff: boolean
}

/** What a leader asks of the controller, on its way. */
export interface Message {
  readonly from: number
  readonly brokerEpoch: number
  readonly wish: AlterWish
  /** Its sender still waits for the answer. */
  readonly isAwaited: boolean
}

/** How often what may happen yet. */
export interface Budget {
  readonly writes: number
  /** Processes that die. */
  readonly kills: number
  /** Machines that lose power. */
  readonly powerLosses: number
  readonly fences: number
  /** Brokers that hear of new images late. */
  readonly cutOffs: number
  /** Pauses that are longer than a follower may lag. */
  readonly pauses: number
  /** Answers that are lost. */
  readonly lostAnswers: number
}

/** And nothing that goes wrong. */
export const oneWrite: Budget = {
  writes: 1,
  kills: 0,
  powerLosses: 0,
  fences: 0,
  cutOffs: 0,
  pauses: 0,
  lostAnswers: 0,
}

/** Nodes, messages and lists of records are those of `Numbered`: the same where they are equal. */
export interface State {
  /** Images by number: those that somebody has not applied yet, and the newest. */
  readonly history: readonly number[]
  /** Of brokers 1, 2 ... */
  readonly nodes: readonly Node[]
  readonly network: readonly Message[]
  /** Records of which their producers were told that they are safe, by offset. */
  readonly acked: readonly (Entry & { readonly offset: number })[]
  /** What any leader's watermark has shown. */
  readonly committed: readonly Entry[]
  readonly left: Budget
  /** Pauses that were. */
  readonly pauseCount: number
}

/** Numbers what is equal alike, so that whole states are compared by few numbers. */
export class Numbered {
  readonly #byText = new Map<string, object>()
  readonly #numbers = new Map<object, number>()

  /** The one that stands for all that are equal to `value`. */
  the<T extends object>(value: T): T {
    if (this.#numbers.has(value)) return value
    const text = JSON.stringify(value)
    const known = this.#byText.get(text)
    if (known !== undefined) return known as T
    this.#byText.set(text, value)
    this.#numbers.set(value, this.#numbers.size)
    return value
  }

  /** Equal for equal states, and for no others. */
  keyOf({ history, nodes, network, acked, committed, left, pauseCount }: State): string {
    let key = `${history.join()};${pauseCount}`
    for (const value of nodes) key += `,${this.#numbers.get(value)}`
    for (const value of [acked, committed, left]) key += `,${this.#numbers.get(value)}`
    for (const value of network) key += `,${this.#numbers.get(value)}`
    return key
  }
}
