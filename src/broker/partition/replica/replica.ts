import { assert, unreachable } from '../../../lib/assert.ts'
import type {
  FollowerFetch,
  IsrMember,
  RefusalName,
  ReplicaEffect,
  ReplicaEvent,
} from './events.ts'
import { Followers, type FollowerBehind } from './followers.ts'
import { IsrChange } from './isr-change.ts'
import { brokerEpochOf, insyncNeeded, type PartitionRole } from './role.ts'
import { cutOf } from './truncation.ts'
import { Waits } from './waits.ts'

export type { AlterOutcome, AlterWish, ReplicaEffect, ReplicaEvent } from './events.ts'
export type { PartitionRole } from './role.ts'

/** How long a follower may lag and be in sync, where nobody says otherwise (`replica.lag.time.max.ms`). */
const lagTimeMsDefault = 10_000

/**
 * The front door of the room: one replica of one partition as a state machine, events in, effects out, nothing else touched. It
 * knows where its log ends, what of it is committed, how far the others are while it leads, and what has to go while it follows.
 */
export class Replica {
  readonly #brokerId: number
  readonly #lagTimeMaxMs: number
  #role: PartitionRole | null = null
  /** The local log ends here. */
  #endOffset = 0
  /** Everything below is committed and visible to consumers. Never falls within an epoch (I-6). */
  #highWatermark = 0
  /** While it leads: where the log ended when the present epoch began. Whatever was committed before is below. */
  #epochStartOffset = 0
  /** Monotonic; when the present leader epoch was told. */
  #ledSinceMs = 0
  /** The latest time that an event told. */
  #nowMs = -Infinity
  readonly #followers = new Followers()
  readonly #change = new IsrChange()
  readonly #waits = new Waits()
  #effects: ReplicaEffect[] = []

  constructor(brokerId: number, lagTimeMaxMs = lagTimeMsDefault) {
    this.#brokerId = brokerId
    this.#lagTimeMaxMs = lagTimeMaxMs
  }

  get role(): PartitionRole | null {
    return this.#role
  }

  get isLeader(): boolean {
    return this.#role?.leader === this.#brokerId
  }

  get highWatermark(): number {
    return this.#highWatermark
  }

  /** Monotonic milliseconds; of the present leader epoch. */
  get ledSinceMs(): number {
    return this.#ledSinceMs
  }

  /** Whether an acks=all append may begin: the in-sync set is large enough (I-8). */
  get hasEnoughInsync(): boolean {
    const role = this.#role
    return role !== null && role.isr.length >= insyncNeeded(role)
  }

  /** Nothing is to be written, by whomever. */
  get isFrozen(): boolean {
    return this.#role?.isFrozen === true
  }

  /** Followers that lack something of the log, while it leads. */
  followersBehind(): Iterable<FollowerBehind> {
    return this.isLeader ? this.#followers.behind(this.#endOffset) : []
  }

  /** It leads, and knows of everything that was committed before its epoch that it is (durability.md R10). */
  get hasReachedEpoch(): boolean {
    return this.isLeader && this.#highWatermark >= this.#epochStartOffset
  }

  /** Whoever is in sync, or may be as far as this leader knows (maximal ISR). */
  get maximalIsr(): readonly number[] {
    return this.#change.maximal
  }

  /** Whether a follower's fetch may count (R3, I-11): it is a replica, of the start that is registered or a later one. */
  knowsFollower({ brokerId, brokerEpoch }: IsrMember): boolean {
    const role = this.#role
    if (role === null || !this.isLeader) return false
    return (
      role.replicas.includes(brokerId) && brokerEpoch >= Math.max(0, brokerEpochOf(role, brokerId))
    )
  }

  /** The lowest start of the logs of live replicas, `ownStart` being ours (I-28); -1 while one is not known. */
  lowWatermark(ownStart: number): number {
    const role = this.#role
    let lowest = ownStart
    for (const id of this.#followers.ids()) {
      if (role?.brokers.get(id)?.isEligible) lowest = Math.min(lowest, this.#followers.startOf(id))
    }
    return lowest
  }

  /** All that it goes by, for whoever visits every state that there is (test/model). @internal */
  get state(): unknown {
    const { brokers = [], ...role } = this.#role ?? {}
    const offsets = [this.#endOffset, this.#highWatermark, this.#epochStartOffset]
    const others = [this.#followers.state, this.#change.state, this.#waits.state]
    return [role, [...brokers], offsets, this.#nowMs, others]
  }

  step(event: ReplicaEvent): readonly ReplicaEffect[] {
    switch (event.type) {
      case 'role':
        this.#take(event.role, this.#note(event.nowMs))
        break
      case 'opened':
        this.#logIs(event)
        this.#epochStartOffset = event.endOffset
        break
      case 'written':
        assert(event.endOffset >= this.#endOffset, 'a log grows unless it is cut')
        this.#endOffset = event.endOffset
        break
      case 'fetched':
        this.#fetched(event, this.#note(event.nowMs))
        break
      case 'tick':
        this.#tick(this.#note(event.nowMs))
        break
      case 'altered':
        this.#altered(event)
        break
      case 'received':
        this.#received(event)
        break
      case 'parted':
        this.#parted(event)
        break
      case 'truncated':
        this.#truncated(event)
        break
      case 'await':
        this.#await(event.id, event.offset)
        break
      case 'forget':
        this.#waits.delete(event.id)
        break
      default:
        return unreachable(event)
    }
    this.#moveWatermark()
    return this.#takeEffects()
  }

  #note(nowMs: number): number {
    return (this.#nowMs = Math.max(this.#nowMs, nowMs))
  }

  #take(role: PartitionRole, nowMs: number): void {
    const before = this.#role
    if (before !== null && role.partitionEpoch <= before.partitionEpoch) {
      if (role.partitionEpoch < before.partitionEpoch) return
      // Configs and brokers change without a new partition epoch; of a change that we asked for, the answer told less.
      const { minInsyncReplicas, brokers, isFrozen = false } = role
      const { replicas, addingReplicas = [] } = isSameReign(before, role) ? role : before
      const told = { replicas, addingReplicas, minInsyncReplicas, brokers, isFrozen }
      this.#role = { ...before, ...told }
      if (this.isLeader) this.#followers.keep(this.#role, this.#brokerId, nowMs)
      return this.#refuseTooFew()
    }
    this.#role = role
    this.#change.settle(role.isr)
    if (before !== null && isSameReign(before, role)) {
      if (this.isLeader) this.#followers.keep(role, this.#brokerId, nowMs)
    } else this.#begin(role, nowMs)
    this.#refuseTooFew()
  }

  /** Another leader epoch: nothing that was known of others holds any longer (R5, R6). */
  #begin(role: PartitionRole, nowMs: number): void {
    const { leader, leaderEpoch } = role
    this.#ledSinceMs = nowMs
    if (leader === this.#brokerId) {
      this.#epochStartOffset = this.#endOffset
      this.#followers.reset(role, this.#brokerId, nowMs)
      this.#effects.push({ type: 'lead', leaderEpoch })
      // Where there are others, one of them may have led meanwhile (R11).
      if (role.replicas.length > 1) this.#refuseAll('NOT_LEADER_OR_FOLLOWER')
      return
    }
    this.#effects.push({ type: 'follow', leader, leaderEpoch })
    this.#refuseAll('NOT_LEADER_OR_FOLLOWER')
  }

  #fetched(fetch: FollowerFetch, nowMs: number): void {
    const role = this.#role
    if (role === null || !this.knowsFollower(fetch)) return
    this.#followers.fetched(fetch, this.#endOffset, nowMs)
    if (this.#change.isUnderWay || !this.#mayJoin(role, fetch.brokerId)) return
    this.#propose(role, [...role.isr, fetch.brokerId])
  }

  #tick(nowMs: number): void {
    const role = this.#role
    if (role === null || !this.isLeader || this.#followers.isEmpty) return
    this.#followers.tick(this.#endOffset, nowMs, this.#lagTimeMaxMs)
    if (this.#change.isUnderWay) {
      const wish = this.#change.askAgain(nowMs, this.#lagTimeMaxMs)
      if (wish !== null) this.#effects.push({ type: 'alter', ...wish })
      return
    }
    // I-21: never itself. Of a cluster that is frozen nobody: all are about to stop, or not back yet.
    const stays = (id: number): boolean => id === this.#brokerId || this.#isCaughtUp(id)
    const kept = role.isFrozen === true ? role.isr : role.isr.filter(stays)
    if (kept.length < role.isr.length) return this.#propose(role, kept)
    const joining = [...this.#followers.ids()].filter(id => {
      return this.#mayJoin(role, id) && this.#isCaughtUp(id)
    })
    // Elected of no certain copy, a leader says that it serves, whoever joins or not (KIP-704).
    if (joining.length > 0 || role.isRecovering) this.#propose(role, [...role.isr, ...joining])
  }

  #altered({ partitionEpoch, outcome }: Extract<ReplicaEvent, { type: 'altered' }>): void {
    const role = this.#role
    if (role === null || !this.isLeader) return
    if (!this.#change.answered(role, partitionEpoch, outcome) || outcome.kind !== 'committed')
      return
    const { isr, isRecovering } = outcome
    this.#role = { ...role, isr, isRecovering, partitionEpoch: outcome.partitionEpoch }
    this.#change.settle(isr)
    this.#refuseTooFew()
  }

  #received({ leaderEpoch, highWatermark }: Extract<ReplicaEvent, { type: 'received' }>): void {
    if (!this.#follows(leaderEpoch)) return
    this.#setWatermark(Math.min(highWatermark, this.#endOffset))
  }

  #parted({ leaderEpoch, parting }: Extract<ReplicaEvent, { type: 'parted' }>): void {
    if (!this.#follows(leaderEpoch)) return
    const cut = cutOf(parting, this.#endOffset)
    if (cut !== null) this.#effects.push(cut)
  }

  #truncated({ startOffset, endOffset }: Extract<ReplicaEvent, { type: 'truncated' }>): void {
    this.#logIs({ startOffset, endOffset })
    // It was elected meanwhile, by what it had told of its log before.
    if (this.#epochStartOffset > endOffset) this.#epochStartOffset = endOffset
  }

  #logIs({ startOffset, endOffset }: { startOffset: number; endOffset: number }): void {
    this.#endOffset = endOffset
    this.#setWatermark(Math.min(Math.max(this.#highWatermark, startOffset), endOffset))
  }

  /** R3: what another leader than that of our epoch says counts nothing. */
  #follows(leaderEpoch: number): boolean {
    return this.#role?.leaderEpoch === leaderEpoch && !this.isLeader
  }

  #await(id: number, offset: number): void {
    const role = this.#role
    if (role === null || !this.isLeader) this.#refuse(id, 'NOT_LEADER_OR_FOLLOWER')
    else if (this.#isTooFew(role)) this.#refuse(id, 'NOT_ENOUGH_REPLICAS_AFTER_APPEND')
    else if (this.#highWatermark >= offset) this.#effects.push({ type: 'committed', id })
    else this.#waits.add(id, offset)
  }

  /** R6, I-18: it has fetched in this epoch whatever may be committed, and is the start that is registered, and may be in sync. */
  #mayJoin(role: PartitionRole, id: number): boolean {
    if (role.isr.includes(id) || !role.brokers.get(id)?.isEligible) return false
    // R10: the watermark may be behind what earlier leaders committed; the start of the epoch is not.
    const committedMax = Math.max(this.#highWatermark, this.#epochStartOffset)
    return this.#followers.endOf(role, id) >= committedMax
  }

  #isCaughtUp(id: number): boolean {
    return this.#followers.isCaughtUp(id, this.#endOffset, this.#nowMs, this.#lagTimeMaxMs)
  }

  #propose(role: PartitionRole, ids: readonly number[]): void {
    const isr = ids.map(brokerId => ({ brokerId, brokerEpoch: brokerEpochOf(role, brokerId) }))
    this.#effects.push({ type: 'alter', ...this.#change.propose(role, isr, this.#nowMs) })
  }

  /**
   * R5, I-7: the watermark is the smallest end of whoever is in sync, may be, or is about to be, and stands while the
   * committed set is too small. What a follower has counts as far as it fetched in this epoch.
   */
  #moveWatermark(): void {
    const role = this.#role
    if (role === null || !this.isLeader || !this.hasEnoughInsync) return
    const committed = this.#followers.isEmpty ? this.#endOffset : this.#smallestEnd(role)
    if (committed <= this.#highWatermark) return
    this.#setWatermark(committed)
    for (const { id } of this.#waits.takeUpTo(committed)) {
      this.#effects.push({ type: 'committed', id })
    }
  }

  #smallestEnd(role: PartitionRole): number {
    const { maximal } = this.#change
    let smallest = this.#endOffset
    for (const id of maximal) {
      if (id !== this.#brokerId) smallest = Math.min(smallest, this.#followers.endOf(role, id))
    }
    for (const id of this.#followers.ids()) {
      const end = this.#followers.endOf(role, id)
      // Who has nearly caught up would never join if the watermark did not wait for it.
      const isJoining =
        end >= 0 && end < smallest && role.brokers.get(id)?.isEligible && this.#isCaughtUp(id)
      if (isJoining && !maximal.includes(id)) smallest = end
    }
    return smallest
  }

  #setWatermark(highWatermark: number): void {
    if (highWatermark === this.#highWatermark) return
    this.#highWatermark = highWatermark
    this.#effects.push({ type: 'watermark', highWatermark })
  }

  /** R11: fewer than min.insync.replicas are in sync, whichever way the change that is under way ends. */
  #isTooFew(role: PartitionRole): boolean {
    return this.#change.maximal.length < insyncNeeded(role)
  }

  #refuseTooFew(): void {
    const role = this.#role
    if (role === null || !this.isLeader || !this.#isTooFew(role)) return
    this.#refuseAll('NOT_ENOUGH_REPLICAS_AFTER_APPEND')
  }

  #refuseAll(error: RefusalName): void {
    for (const { id } of this.#waits.takeUpTo(Infinity)) this.#refuse(id, error)
  }

  #refuse(id: number, error: RefusalName): void {
    this.#effects.push({ type: 'refused', id, error })
  }

  #takeEffects(): readonly ReplicaEffect[] {
    const effects = this.#effects
    if (effects.length > 0) this.#effects = []
    return effects
  }
}

function isSameReign(one: PartitionRole, other: PartitionRole): boolean {
  return one.leader === other.leader && one.leaderEpoch === other.leaderEpoch
}
