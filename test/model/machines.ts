import {
  Replica,
  type PartitionRole,
  type ReplicaEffect,
  type ReplicaEvent,
} from '../../src/broker/partition/replica/replica.ts'

/** What can be asked of a replica's machine; the product's, or one with a bug in it. */
export interface Machine {
  readonly role: PartitionRole | null
  readonly isLeader: boolean
  readonly highWatermark: number
  readonly maximalIsr: readonly number[]
  readonly hasEnoughInsync: boolean
  readonly state: unknown
  step(event: ReplicaEvent): readonly ReplicaEffect[]
}

export type MakeMachine = (brokerId: number) => Machine

export const makeReplica: MakeMachine = brokerId => new Replica(brokerId)

/** A state of a machine, as it may be asked. */
export interface View {
  readonly role: PartitionRole | null
  readonly isLeader: boolean
  readonly highWatermark: number
  readonly maximalIsr: readonly number[]
  readonly hasEnoughInsync: boolean
}

interface Known {
  readonly brokerId: number
  readonly before: number
  readonly event: ReplicaEvent | null
  readonly view: View
}

interface Step {
  readonly machine: number
  readonly effects: readonly ReplicaEffect[]
}

/**
 * Every state that a replica's machine was seen in, by number: two in which it goes by the same are one. A machine cannot be copied, so
 * a step that nobody took yet is taken on a new one that has been through the same before.
 */
export class Machines {
  readonly #make: MakeMachine
  readonly #known: Known[] = []
  readonly #numbers = new Map<string, number>()
  readonly #steps = new Map<string, Step>()

  constructor(make: MakeMachine) {
    this.#make = make
  }

  get count(): number {
    return this.#known.length
  }

  /** A process that has just begun. */
  begin(brokerId: number): number {
    return this.#number(this.#make(brokerId), { brokerId, before: -1, event: null })
  }

  view(machine: number): View {
    return this.#known[machine]!.view
  }

  /** `key` says all of `event`. */
  step(machine: number, key: string, event: ReplicaEvent): Step {
    const stepKey = `${machine} ${key}`
    const taken = this.#steps.get(stepKey)
    if (taken !== undefined) return taken
    const live = this.#replayed(machine)
    const effects = live.step(event)
    const { brokerId } = this.#known[machine]!
    const step = { machine: this.#number(live, { brokerId, before: machine, event }), effects }
    this.#steps.set(stepKey, step)
    return step
  }

  #replayed(machine: number): Machine {
    const events: ReplicaEvent[] = []
    let known = this.#known[machine]!
    for (; known.event !== null; known = this.#known[known.before]!) events.push(known.event)
    const live = this.#make(known.brokerId)
    for (const event of events.toReversed()) live.step(event)
    return live
  }

  #number(live: Machine, history: Omit<Known, 'view'>): number {
    const key = `${history.brokerId} ${JSON.stringify(live.state)}`
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    const { role, isLeader, highWatermark, maximalIsr, hasEnoughInsync } = live
    const view = { role, isLeader, highWatermark, maximalIsr, hasEnoughInsync }
    const number = this.#known.push({ ...history, view }) - 1
    this.#numbers.set(key, number)
    return number
  }
}
