import { equal } from '../../../lib/bytes.ts'
import { assignedTopics, type AssignedTopic } from './consumer-protocol.ts'
import type { JoinWish, Protocol } from './events.ts'
import type { MemberValue } from './records.ts'

/** How long a new member may be parked before it is given up: nobody knows its id to say more (KAFKA-7610). */
export const newMemberTimeoutMs = 5 * 60_000

const nothing = new Uint8Array(0)

/** One member of a group. Its fields are the group's to change. */
export class Member {
  readonly id: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  /** Never empty; most wanted first. */
  protocols: readonly Protocol[]
  /** In no generation yet. */
  isNew = true
  /** Its parked JoinGroup and SyncGroup, by their ids; null where it has none. */
  joinId: number | null = null
  syncId: number | null = null
  /** Out of the group at this monotonic moment; Infinity while something of it is parked. */
  deadlineMs = Infinity
  #assignment: Uint8Array = nothing
  #assignedTopics: readonly AssignedTopic[] | null | undefined

  constructor(of: {
    readonly id: string
    readonly instanceId: string | null
    readonly clientId: string
    readonly clientHost: string
    readonly sessionTimeoutMs: number
    readonly rebalanceTimeoutMs: number
    readonly protocols: readonly Protocol[]
  }) {
    this.id = of.id
    this.instanceId = of.instanceId
    this.clientId = of.clientId
    this.clientHost = of.clientHost
    this.sessionTimeoutMs = of.sessionTimeoutMs
    this.rebalanceTimeoutMs = of.rebalanceTimeoutMs
    this.protocols = of.protocols
  }

  static of(id: string, wish: JoinWish): Member {
    return new Member({ ...wish, id })
  }

  static restored(value: MemberValue, protocol: string): Member {
    const protocols = [{ name: protocol, metadata: value.subscription }]
    const member = new Member({ ...value, id: value.memberId, protocols })
    member.isNew = false
    member.assignment = value.assignment
    return member
  }

  get assignment(): Uint8Array {
    return this.#assignment
  }

  set assignment(bytes: Uint8Array) {
    this.#assignment = bytes
    this.#assignedTopics = undefined
  }

  /** The assignment of a consumer, opened once; null where it cannot be. */
  get assignedTopics(): readonly AssignedTopic[] | null {
    this.#assignedTopics ??= assignedTopics(this.#assignment)
    return this.#assignedTopics
  }

  get isAwaitingJoin(): boolean {
    return this.joinId !== null
  }

  /** Its metadata for `protocol`; empty where it does not know it. */
  metadataFor(protocol: string | null): Uint8Array {
    return this.protocols.find(({ name }) => name === protocol)?.metadata ?? nothing
  }

  /** Whether it said the same before: then nobody needs to assign anew. */
  hasSaid(protocols: readonly Protocol[]): boolean {
    if (protocols.length !== this.protocols.length) return false
    return protocols.every(({ name, metadata }, at) => {
      const before = this.protocols[at]!
      return before.name === name && equal(before.metadata, metadata)
    })
  }
}
