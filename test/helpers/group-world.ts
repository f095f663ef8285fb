import type {
  GroupAnswer,
  GroupEffect,
  GroupEvent,
  JoinAnswer,
  JoinWish,
  Leaver,
  OffsetCommit,
  SyncAnswer,
  WriteOutcome,
} from '../../src/broker/coordinator/groups/events.ts'
import { Groups, type GroupsConfig } from '../../src/broker/coordinator/groups/groups.ts'
import type { GroupRecord } from '../../src/broker/coordinator/groups/records.ts'
import { LoadedGroups } from '../../src/broker/coordinator/groups/restore.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { zeroUuid } from '../../src/lib/uuid.ts'

/** A request of which the answer may come later. */
export interface Call<Answer extends GroupAnswer = GroupAnswer> {
  readonly id: number
  answer: Answer | null
}

type Logged = Extract<GroupEffect, { readonly type: 'log' }>
type Append = Extract<GroupEffect, { readonly type: 'append' }>

export const groupId = 'group'
const defaultGroupsConfig: GroupsConfig = {
  initialRebalanceDelayMs: 0,
  sessionTimeoutMsMin: 1_000,
  sessionTimeoutMsMax: 100_000,
  groupSizeMax: 100,
  offsetsRetentionMs: 3_600_000,
}

/** Omit for each of a union. */
type WithoutId<Event> = Event extends { readonly id: number } ? Omit<Event, 'id'> : never

/** The state machine of the groups in virtual time, over a log that takes appends at once, or when it is told to. */
export class GroupWorld {
  groups: Groups
  readonly config: GroupsConfig
  nowMs = 0
  /** What is in the log, in order. */
  readonly log: GroupRecord[] = []
  readonly lines: Logged[] = []
  /** Appends wait for `finish`, as do those behind one that waits: a log keeps their order. */
  isHeld = false
  readonly held: Append[] = []
  readonly #calls = new Map<number, Call>()
  #wakes = new Map<string, number>()
  #lastId = 0

  constructor(config: Partial<GroupsConfig> = {}) {
    this.config = { ...defaultGroupsConfig, ...config }
    this.groups = new Groups(this.config)
  }

  get state(): string | undefined {
    return this.groups.find(groupId)?.state
  }

  get generation(): number | undefined {
    return this.groups.find(groupId)?.generation
  }

  /** Requests that are not answered. */
  get openCount(): number {
    return this.#calls.size
  }

  join(wish: Partial<JoinWish> = {}, group = groupId): Call<JoinAnswer> {
    const id = this.#lastId + 1
    return this.ask({
      type: 'join',
      groupId: group,
      wish: {
        ...newConsumer,
        freshMemberId: `member-${id}`,
        rebalanceTimeoutMs: 30_000,
        ...wish,
      },
    })
  }

  /** `parts`: what each member gets, from the leader. */
  sync(
    joined: JoinAnswer,
    parts: Readonly<Record<string, string>> = {},
    instanceId: string | null = null,
  ): Call<SyncAnswer> {
    const assignments = Object.entries(parts).map(([memberId, part]) => ({
      memberId,
      assignment: utf8(part),
    }))
    const { memberId, generation } = joined
    const wish = {
      memberId,
      instanceId,
      generation,
      protocolType: null,
      protocol: null,
      assignments,
    }
    return this.ask({ type: 'sync', groupId, wish })
  }

  heartbeat({ memberId, generation }: JoinAnswer, instanceId: string | null = null): string {
    return this.#errorOf({
      type: 'heartbeat',
      groupId,
      claim: { memberId, generation, instanceId },
    })
  }

  leave(...leavers: readonly Partial<Leaver>[]): readonly string[] {
    const whole = leavers.map(leaver => ({
      memberId: '',
      instanceId: null,
      reason: null,
      ...leaver,
    }))
    const { answer } = this.ask({ type: 'leave', groupId, leavers: whole })
    return answer?.type === 'leave' ? answer.errors : ['not answered']
  }

  commit(
    who: { readonly memberId: string; readonly generation: number } | null,
    offsets: readonly OffsetCommit[] = [offset('topic', 0, 7, this.nowMs)],
    group = groupId,
  ): Call {
    const claim = { memberId: '', generation: -1, instanceId: null, ...who }
    return this.ask({ type: 'commit', groupId: group, claim, offsets })
  }

  delete(group = groupId): string {
    return this.#errorOf({ type: 'deleteGroup', groupId: group })
  }

  ask<Answer extends GroupAnswer>(event: WithoutId<GroupEvent>): Call<Answer> {
    const call: Call<Answer> = { id: ++this.#lastId, answer: null }
    this.#calls.set(call.id, call as unknown as Call)
    this.step({ ...event, id: call.id } as GroupEvent)
    return call
  }

  step(event: GroupEvent): void {
    this.#perform(this.groups.step(event, this.#moment()))
  }

  /** Time passes, and whoever asked to be woken on the way is. */
  advance(byMs: number): void {
    const untilMs = this.nowMs + byMs
    for (;;) {
      const [next] = [...this.#wakes].toSorted(([, a], [, b]) => a - b)
      if (next === undefined || next[1] > untilMs) break
      this.#wakes.delete(next[0])
      this.nowMs = Math.max(this.nowMs, next[1])
      this.step({ type: 'wake', groupId: next[0] })
    }
    this.nowMs = untilMs
  }

  /** Tells the groups what became of the appends that are held. */
  finish(outcome: WriteOutcome = { ok: true }): void {
    for (const append of this.held.splice(0)) this.#finish(append, outcome)
  }

  /** The newest append that is held was refused: nothing is written, and it waits for nobody. */
  refuse(): void {
    const append = this.held.pop()
    const outcome = { ok: false, isInLog: false, error: 'COORDINATOR_NOT_AVAILABLE' } as const
    if (append !== undefined) this.#finish(append, outcome)
  }

  /** The broker is killed, and another one loads what the log has. Nobody is answered any more. */
  restart(goneTopics: readonly string[] = []): void {
    this.#calls.clear()
    this.#wakes.clear()
    this.held.length = 0
    const loaded = new LoadedGroups()
    for (const record of this.log) loaded.replay(record)
    this.groups = new Groups(this.config)
    const isGone = (topic: string): boolean => goneTopics.includes(topic)
    this.#perform(this.groups.adopt(loaded.all(), this.#moment(), isGone))
  }

  #errorOf(event: WithoutId<GroupEvent>): string {
    const { answer } = this.ask(event)
    return answer?.type === 'plain' ? answer.error : 'not answered'
  }

  #moment() {
    return { monotonicMs: this.nowMs, wallMs: this.nowMs }
  }

  #perform(effects: readonly GroupEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'log') this.lines.push(effect)
      else if (effect.type === 'wake') this.#wakes.set(effect.groupId, effect.atMs)
      else if (effect.type === 'gone') this.#wakes.delete(effect.groupId)
      else if (effect.type === 'answer') this.#answer(effect.id, effect.answer)
      else if (this.isHeld || this.held.length > 0) this.held.push(effect)
      else this.#finish(effect, { ok: true })
    }
  }

  #answer(id: number, answer: GroupAnswer): void {
    const call = this.#calls.get(id)
    if (call === undefined) throw new Error(`request ${id} is answered twice`)
    this.#calls.delete(id)
    call.answer = answer
  }

  #finish({ writeId, records }: Append, outcome: WriteOutcome): void {
    if (outcome.ok || outcome.isInLog) this.log.push(...records)
    this.step({ type: 'appended', writeId, outcome })
  }
}

export function protocol(name: string, metadata: Uint8Array = subscription('topic')) {
  return { name, metadata }
}

/** A ConsumerProtocolSubscription, version 0. */
export function subscription(...topics: readonly string[]): Uint8Array {
  const texts = topics.flatMap(topic => [0, topic.length, ...utf8(topic)])
  return Uint8Array.of(0, 0, 0, 0, 0, topics.length, ...texts, 255, 255, 255, 255)
}

export function offset(
  topic: string,
  partition: number,
  at: number,
  commitTimeMs = 0,
): OffsetCommit {
  const value = {
    topicId: zeroUuid,
    offset: at,
    leaderEpoch: 3,
    metadata: 'm',
    commitTimeMs,
    expireTimeMs: -1,
  }
  return { topic, partition, value }
}

/** The answer, which must be there. */
export function answered<Answer extends GroupAnswer>(call: Call<Answer>): Answer {
  if (call.answer === null) throw new Error(`request ${call.id} is not answered`)
  return call.answer
}

export function errorOf(call: Call): string | null {
  return call.answer === null || !('error' in call.answer) ? null : call.answer.error
}

/** What a consumer says that joins for the first time. */
export const newConsumer = {
  memberId: '',
  instanceId: null,
  clientId: 'client',
  clientHost: '/host',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 10_000,
  protocolType: 'consumer',
  protocols: [protocol('range')],
  reason: null,
  needsKnownMemberId: false,
  maySkipAssignment: false,
}
