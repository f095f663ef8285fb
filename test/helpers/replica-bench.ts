import type {
  AlterOutcome,
  PartitionRole,
  ReplicaEffect,
} from '../../src/broker/partition/replica/replica.ts'
import { Replica } from '../../src/broker/partition/replica/replica.ts'

/** Broker 1 leads of replicas 1, 2 and 3; all are registered, each with ten times its id as its epoch. */
export const threeReplicas: PartitionRole = {
  leader: 1,
  leaderEpoch: 7,
  partitionEpoch: 20,
  replicas: [1, 2, 3],
  isr: [1, 2, 3],
  isRecovering: false,
  minInsyncReplicas: 2,
  brokers: new Map([1, 2, 3].map(id => [id, { epoch: id * 10, isEligible: true }])),
}

/** The replica of broker 1, at the pace of a test: what it decided last is in `effects`. */
export class ReplicaBench {
  readonly replica: Replica
  role: PartitionRole
  nowMs = 1000
  effects: readonly ReplicaEffect[] = []

  constructor(role: Partial<PartitionRole> = {}, endOffset = 0) {
    this.replica = new Replica(1, 10_000)
    this.role = { ...threeReplicas, ...role }
    this.step({ type: 'opened', startOffset: 0, endOffset })
    this.take({})
  }

  get highWatermark(): number {
    return this.replica.highWatermark
  }

  step(event: Parameters<Replica['step']>[0]): this {
    this.effects = this.replica.step(event)
    return this
  }

  /** The metadata log tells `changes`, with a new partition epoch where they name none. */
  take(changes: Partial<PartitionRole>): this {
    const partitionEpoch = this.role.partitionEpoch + 1
    this.role = { ...this.role, partitionEpoch, ...changes }
    return this.step({ type: 'role', role: this.role, nowMs: this.nowMs })
  }

  write(endOffset: number): this {
    return this.step({ type: 'written', endOffset })
  }

  /** Broker `brokerId` fetches from `fetchOffset` on. */
  fetch(brokerId: number, fetchOffset: number, brokerEpoch = brokerId * 10): this {
    const fetch = { brokerId, brokerEpoch, fetchOffset, logStartOffset: 0 }
    return this.step({ type: 'fetched', nowMs: this.nowMs, ...fetch })
  }

  /** Time passes as it does in a broker: in ticks of a second. */
  pass(seconds: number): this {
    const effects: ReplicaEffect[] = []
    for (let at = 0; at < seconds; at++) {
      this.nowMs += 1000
      effects.push(...this.step({ type: 'tick', nowMs: this.nowMs }).effects)
    }
    this.effects = effects
    return this
  }

  /** Time passes, in which `id` alone keeps up with the leader. */
  keepUp(id: number, seconds: number): this {
    const effects: ReplicaEffect[] = []
    for (let at = 0; at < seconds; at++) {
      effects.push(...this.fetch(id, 1000).effects, ...this.pass(1).effects)
    }
    this.effects = effects
    return this
  }

  await(id: number, offset: number): this {
    return this.step({ type: 'await', id, offset })
  }

  answer(outcome: AlterOutcome, partitionEpoch = this.replica.role!.partitionEpoch): this {
    return this.step({ type: 'altered', partitionEpoch, outcome })
  }

  /** The controller commits `isr`; the answer comes before the record. */
  commit(isr: readonly number[]): this {
    const { leaderEpoch, partitionEpoch } = this.replica.role!
    const outcome = {
      kind: 'committed',
      leaderEpoch,
      partitionEpoch: partitionEpoch + 1,
      isr,
      isRecovering: false,
    } as const
    this.role = { ...this.role, isr, partitionEpoch: partitionEpoch + 1 }
    return this.answer(outcome)
  }

  /** In-sync sets that were asked for by the last step. */
  get asked(): readonly (readonly number[])[] {
    return this.effects.flatMap(effect =>
      effect.type === 'alter' ? [effect.isr.map(({ brokerId }) => brokerId)] : [],
    )
  }
}
