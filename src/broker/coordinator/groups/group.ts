import { assert } from '../../../lib/assert.ts'
import { consumerProtocolType, subscribedTopics } from './consumer-protocol.ts'
import type { GroupAnswer, GroupEffect, GroupError, Moment, WriteOutcome } from './events.ts'
import { GroupOffsets } from './group-offsets.ts'
import type { Member } from './member.ts'
import type { GroupRecord, GroupValue } from './records.ts'
import { refusedJoin, refusedSync } from './answers.ts'

/** Kafka's names, as ListGroups and DescribeGroups tell them. */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

export interface GroupsConfig {
  readonly initialRebalanceDelayMs: number
  readonly sessionTimeoutMsMin: number
  readonly sessionTimeoutMsMax: number
  readonly groupSizeMax: number
  readonly offsetsRetentionMs: number
}

type Done = (outcome: WriteOutcome) => void
type Delayed = (error: GroupError) => void

/** What a group needs of the room around it. */
export interface GroupHost {
  readonly config: GroupsConfig
  /** Of the event that is being handled. */
  readonly now: Moment
  perform(effect: GroupEffect): void
  /** Members, assignments or a state are not what they were. */
  changed(): void
  /**
   * Appends `records`; `done` is called within a later event. `delayed` may be called once before: whoever waits is told.
   * Where it is left out, a delay is a failure, and what comes of the append later is nobody's concern.
   */
  write(group: Group, records: readonly GroupRecord[], done: Done, delayed?: Delayed): void
  /** The group is forgotten: nothing of it is left in the log, or nothing ever was. */
  remove(group: Group): void
}

/**
 * One classic group: who is in it, what they said, and what they are waiting for. The rules are in the files
 * beside this one (`join.ts`, `rebalance.ts`, `sync.ts`, `leave.ts`, `commit.ts`); here is what they share and
 * what must hold:
 *
 * - `awaitingJoinCount` members have a parked JoinGroup, and none of them is due (`deadlineMs` is Infinity, or for
 *   a new one the moment at which it is given up).
 * - Outside of PreparingRebalance nobody has a parked JoinGroup; outside of CompletingRebalance nobody has a parked
 *   SyncGroup.
 * - `leaderId` is a member whenever there is one. `protocol` is null in an empty group.
 * - `generation` never falls; it rises by one when a rebalance ends.
 */
export class Group {
  readonly id: string
  readonly host: GroupHost
  readonly members = new Map<string, Member>()
  /** Static members by their instance ids (KIP-345). */
  readonly memberIdOf = new Map<string, string>()
  /** Ids given out to members that have not come back with them, and until when they may (KIP-394). */
  readonly pendingMembers = new Map<string, number>()
  /** Members of this generation whose SyncGroup has not come, and until when it may. */
  readonly pendingSync = new Set<string>()
  pendingSyncDeadlineMs = Infinity
  readonly offsets = new GroupOffsets()
  protocolType = ''
  protocol: string | null = null
  generation = 0
  leaderId: string | null = null
  awaitingJoinCount = 0
  /** When the rebalance under way ends, whoever is missing; Infinity where none is. */
  joinDeadlineMs = Infinity
  /** The first rebalance of an empty group waits for others, again while they come, until `leftMs` are used up. */
  initialDelay: { delayMs: number; leftMs: number; hasGrown: boolean } | null = null
  /** The leader's SyncGroup is being stored. */
  isStoring = false
  #state: GroupState = 'Empty'
  /** When it came into its state, in wall time; -1 where unknown. */
  stateTimeMs = -1
  /** How many members know each protocol. */
  readonly #votersOf = new Map<string, number>()
  #armedMs = Infinity
  #subscribed: ReadonlySet<string> | null = null

  constructor(id: string, host: GroupHost) {
    this.id = id
    this.host = host
  }

  get state(): GroupState {
    return this.#state
  }

  set state(state: GroupState) {
    this.#state = state
    this.stateTimeMs = this.host.now.wallMs
    this.host.changed()
  }

  /** Without members, without offsets, and nobody on his way: it may go without a trace. */
  get isPointless(): boolean {
    return this.members.size === 0 && this.pendingMembers.size === 0 && this.offsets.isEmpty
  }

  /** Members are consumers of Kafka's own protocol. */
  get isOfConsumers(): boolean {
    return this.protocolType === consumerProtocolType
  }

  /** Topics that its consumers subscribe to; null where that cannot be known. */
  get subscribed(): ReadonlySet<string> | null {
    return this.#subscribed
  }

  add(member: Member): void {
    assert(!this.members.has(member.id), 'a member joins once')
    this.members.set(member.id, member)
    this.leaderId ??= member.id
    if (member.instanceId !== null) this.memberIdOf.set(member.instanceId, member.id)
    this.#vote(member, 1)
    this.host.changed()
  }

  /** Takes a member out; what it has parked is answered with `error`. */
  remove(member: Member, error: GroupError = 'UNKNOWN_MEMBER_ID'): void {
    this.answerJoin(member, refusedJoin(error, member.id))
    this.answerSync(member, refusedSync(error))
    this.members.delete(member.id)
    if (member.instanceId !== null && this.memberIdOf.get(member.instanceId) === member.id) {
      this.memberIdOf.delete(member.instanceId)
    }
    this.pendingSync.delete(member.id)
    this.#vote(member, -1)
    this.host.changed()
    if (this.leaderId === member.id) this.leaderId = this.members.keys().next().value ?? null
  }

  /** The member says anew what it can do. */
  update(
    member: Member,
    what: Pick<Member, 'protocols' | 'sessionTimeoutMs' | 'rebalanceTimeoutMs'>,
  ): void {
    this.#vote(member, -1)
    member.protocols = what.protocols
    member.sessionTimeoutMs = what.sessionTimeoutMs
    member.rebalanceTimeoutMs = what.rebalanceTimeoutMs
    this.#vote(member, 1)
  }

  /** Parks a JoinGroup. One that the member parked before is answered: it will not be looked at any more. */
  parkJoin(member: Member, id: number): void {
    this.answerJoin(member, refusedJoin('REBALANCE_IN_PROGRESS', member.id))
    member.joinId = id
    this.awaitingJoinCount++
    member.deadlineMs = Infinity
  }

  answerJoin(member: Member, answer: GroupAnswer): void {
    if (member.joinId === null) return
    this.answer(member.joinId, answer)
    member.joinId = null
    this.awaitingJoinCount--
  }

  parkSync(member: Member, id: number): void {
    this.answerSync(member, refusedSync('REBALANCE_IN_PROGRESS'))
    member.syncId = id
    member.deadlineMs = Infinity
  }

  answerSync(member: Member, answer: GroupAnswer): void {
    if (member.syncId === null) return
    this.answer(member.syncId, answer)
    member.syncId = null
  }

  answer(id: number, answer: GroupAnswer): void {
    this.host.perform({ type: 'answer', id, answer })
  }

  /** For a request that waits for a write, and may be answered before its outcome is known. */
  answerOnce(id: number): (answer: GroupAnswer) => void {
    let isAnswered = false
    return answer => {
      if (!isAnswered) this.answer(id, answer)
      isAnswered = true
    }
  }

  /** The member was heard of: it has a session timeout from now on. */
  touch(member: Member): void {
    this.arm((member.deadlineMs = this.host.now.monotonicMs + member.sessionTimeoutMs))
  }

  /** Sees to it that the group is woken at `atMs`, or before. */
  arm(atMs: number): void {
    if (atMs >= this.#armedMs) return
    this.#armedMs = atMs
    this.host.perform({ type: 'wake', groupId: this.id, atMs })
  }

  /** The moment has come at which it asked to be woken. */
  get isDue(): boolean {
    return this.host.now.monotonicMs >= this.#armedMs
  }

  /** How much later the wake-up came than it was asked for. */
  get wokenLateMs(): number {
    return this.host.now.monotonicMs - this.#armedMs
  }

  /** Time stood still for `lostMs`: everybody has a whole session from now on, as after a restart. */
  forgive(lostMs: number): void {
    this.joinDeadlineMs += lostMs
    this.pendingSyncDeadlineMs += lostMs
    for (const [id, deadlineMs] of this.pendingMembers) {
      this.pendingMembers.set(id, deadlineMs + lostMs)
    }
    for (const member of this.members.values()) {
      if (member.joinId !== null) member.deadlineMs += lostMs
      else if (member.syncId === null) this.touch(member)
    }
  }

  /** The wake-up came: the next one is for whatever is due first. */
  armAnew(): void {
    this.#armedMs = Infinity
    let next = Math.min(this.joinDeadlineMs, this.pendingSyncDeadlineMs)
    for (const deadlineMs of this.pendingMembers.values()) next = Math.min(next, deadlineMs)
    for (const { deadlineMs } of this.members.values()) next = Math.min(next, deadlineMs)
    this.arm(next)
  }

  /** Whether somebody with these protocols fits: there must be one that all know. */
  supports(protocolType: string, names: readonly string[]): boolean {
    if (protocolType === '' || names.length === 0) return false
    if (this.members.size === 0) return true
    return (
      protocolType === this.protocolType &&
      names.some(name => this.#votersOf.get(name) === this.members.size)
    )
  }

  /** The protocol that all know and most want: each member votes for the first of its own among those. */
  elect(): string {
    const votes = new Map<string, number>()
    for (const { protocols } of this.members.values()) {
      const wanted = protocols.find(({ name }) => this.#votersOf.get(name) === this.members.size)
      assert(wanted !== undefined, 'all members know one protocol')
      votes.set(wanted.name, (votes.get(wanted.name) ?? 0) + 1)
    }
    const [winner] = [...votes].toSorted(([, a], [, b]) => b - a)
    assert(winner !== undefined, 'a group that elects has members')
    return winner[0]
  }

  /** The longest that a member may take to join again. */
  get rebalanceTimeoutMs(): number {
    let longest = 0
    for (const member of this.members.values()) {
      longest = Math.max(longest, member.rebalanceTimeoutMs)
    }
    return longest
  }

  /** To be called when members or the protocol have changed for good. */
  readSubscriptions(): void {
    this.#subscribed = null
    if (!this.isOfConsumers || this.protocol === null) return
    const subscribed = new Set<string>()
    for (const member of this.members.values()) {
      const topics = subscribedTopics(member.metadataFor(this.protocol))
      if (topics === null) return
      for (const topic of topics) subscribed.add(topic)
    }
    this.#subscribed = subscribed
  }

  /** What is stored of it; `assignments` stand for those that the members have. */
  value(assignments?: ReadonlyMap<string, Uint8Array>): GroupValue {
    return {
      protocolType: this.protocolType,
      generation: this.generation,
      protocol: this.protocol,
      leaderId: this.leaderId,
      stateTimeMs: this.host.now.wallMs,
      members: Array.from(this.members.values(), member => ({
        memberId: member.id,
        instanceId: member.instanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeoutMs: member.rebalanceTimeoutMs,
        sessionTimeoutMs: member.sessionTimeoutMs,
        subscription: member.metadataFor(this.protocol),
        assignment:
          assignments === undefined
            ? member.assignment
            : (assignments.get(member.id) ?? new Uint8Array(0)),
      })),
    }
  }

  log(message: string, fields: Readonly<Record<string, unknown>>): void {
    this.host.perform({ type: 'log', message, fields: { group: this.id, ...fields } })
  }

  #vote(member: Member, by: 1 | -1): void {
    for (const name of new Set(member.protocols.map(protocol => protocol.name))) {
      const voters = (this.#votersOf.get(name) ?? 0) + by
      if (voters === 0) this.#votersOf.delete(name)
      else this.#votersOf.set(name, voters)
    }
  }
}
