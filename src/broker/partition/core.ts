import type { Clock } from '../../env/env.ts'
import { present } from '../../lib/assert.ts'
import { CutError, type Log, NotCutError } from '../log/log.ts'
import type { ErrorName } from '../wire/errors.ts'
import type { Peers } from './peers.ts'
import { ProduceWaits } from './produce-waits.ts'
import { isCutOff, lastSureMs } from './replica/cut-off.ts'
import type { Parting } from './replica/events.ts'
import { Replica, type ReplicaEffect, type ReplicaEvent } from './replica/replica.ts'
import type { PartitionRole } from './replica/role.ts'
import type { AppendResult } from './requests.ts'
import { Watchers } from './watchers.ts'

export interface CoreOptions<Of> {
  readonly brokerId: number
  readonly clock: Clock
  /** With `flush.policy=ack` a record counts when it is on the device, else when it is in the page cache. */
  readonly countsWhenDurable: boolean
  readonly peers: Peers<Of>
}

/**
 * A log beside its replica state machine: what happens to the log is told to the machine, and what the machine decides is
 * done here, where nothing decides. `Of`: the partition, as its peers know it.
 */
export class PartitionCore<Of = unknown> {
  readonly replica: Replica
  readonly clock: Clock
  readonly watchers = new Watchers()
  readonly #of: Of
  readonly #peers: Peers<Of>
  readonly #produceWaits: ProduceWaits
  #countsWhenDurable: boolean
  /** The end of the log as the replica was told. */
  #countedOffset = 0
  #log: Log | null = null
  #failure: string | null = null
  /** The log is being cut. */
  #cutting: Promise<void> | null = null
  /** Raised by appends of clients; `#committedBytes` follows when the watermark moves. */
  #appendedBytes = 0
  #appendedBatches = 0
  #committedBytes = 0

  constructor(of: Of, { brokerId, clock, countsWhenDurable, peers }: CoreOptions<Of>) {
    this.#of = of
    this.#peers = peers
    this.clock = clock
    this.replica = new Replica(brokerId, peers.lagTimeMaxMs)
    this.#produceWaits = new ProduceWaits(clock, id => this.step({ type: 'forget', id }))
    this.#countsWhenDurable = countsWhenDurable
  }

  /** Null while it is not open. */
  get log(): Log | null {
    return this.#log
  }

  /** Only where `availability` was asked before, in the same turn. */
  get serving(): Log {
    return present(this.#log, 'whoever asks a partition made sure that it serves')
  }

  /** The log could not be opened, or was opened damaged and answers nothing. */
  get failure(): string | null {
    return this.#failure ?? this.#log?.offline ?? null
  }

  /** Bytes and batches of clients that were appended by this process. */
  get appended(): { readonly bytes: number; readonly batches: number } {
    return { bytes: this.#appendedBytes, batches: this.#appendedBatches }
  }

  /** Whom it follows: as `Partition.following`, but that what it wrote may not be on the device yet. */
  get following(): PartitionRole | null {
    const { role, isLeader } = this.replica
    if (role === null || role.leader < 0 || isLeader || this.#log === null) return null
    // Whoever asks for more tells its leader how far it is, and nobody knows that before the end of a cut.
    return this.failure === null && this.#cutting === null ? role : null
  }

  /**
   * See `Partition.following`. A fetch says that the replica has whatever lies before it: where only what is on the device
   * counts, none is sent sooner, whichever leader the rest came from, and whatever a cut or an earlier run left.
   */
  get fetchingFrom(): PartitionRole | null {
    const log = this.#log
    const isFlushed = log === null || log.durableOffset >= log.endOffset
    return this.#countsWhenDurable && !isFlushed ? null : this.following
  }

  /** See `Partition.availability`. */
  availability(currentLeaderEpoch = -1): ErrorName {
    if (this.failure !== null) return 'KAFKA_STORAGE_ERROR'
    const { role } = this.replica
    if (role === null || this.#log === null) return 'NOT_LEADER_OR_FOLLOWER'
    // Before it is asked who leads: whoever knows a later leader than this broker waits until it has heard of that too (G33).
    if (currentLeaderEpoch !== -1 && currentLeaderEpoch !== role.leaderEpoch)
      return currentLeaderEpoch < role.leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH'
    return this.#leads(role) ? 'NONE' : 'NOT_LEADER_OR_FOLLOWER'
  }

  open(log: Log): void {
    this.#log = log
    this.#failure = null
    const { startOffset, endOffset } = log
    this.watchers.startIs(startOffset)
    this.#noteEpoch(log)
    this.#countedOffset = endOffset
    this.step({ type: 'opened', startOffset, endOffset })
    this.#flushUncounted()
    this.#peers.followingChanged(this.#of)
  }

  close(error: ErrorName): void {
    this.#log = null
    this.#produceWaits.close(error)
    this.watchers.changed()
    this.#peers.followingChanged(this.#of)
  }

  fail(reason: string): void {
    this.#failure = reason
    this.watchers.changed()
    this.#peers.followingChanged(this.#of)
  }

  /** A log that a read or an append took out of service tells nobody but who asked. */
  noteOffline(): void {
    const offline = this.#log?.offline ?? null
    if (offline !== null && this.#failure === null) this.fail(offline)
  }

  /** From now on what counts counts so; what does already goes on. */
  countWhenDurable(isWhenDurable: boolean): void {
    if (isWhenDurable === this.#countsWhenDurable) return
    this.#countsWhenDurable = isWhenDurable
    if (this.#log !== null && !isWhenDurable) this.#count(this.#log.endOffset)
    this.#flushUncounted()
    this.#peers.followingChanged(this.#of)
  }

  /** A step that may change the in-sync set. */
  stepInSync(event: Extract<ReplicaEvent, { type: 'role' | 'altered' }>): void {
    const before = this.replica.role
    this.step(event)
    const { role, isLeader } = this.replica
    if (!isLeader || role?.leaderEpoch !== before?.leaderEpoch) return
    const by = (role?.isr.length ?? 0) - (before?.isr.length ?? 0)
    if (by !== 0) this.#peers.inSyncChanged(by)
  }

  /** A client's batch is in the log. */
  appendedBatch(log: Log, bytes: number): void {
    this.#appendedBytes += bytes
    this.#appendedBatches += 1
    this.watchers.followers.grew(bytes)
    this.written(log, nothing)
  }

  /** The log is longer; `then` is called when what is written counts, `failed` with the reason why it never will. */
  written(log: Log, then: () => void, failed: (reason: string) => void = nothing): void {
    const { endOffset } = log
    if (!this.#countsWhenDurable) {
      this.#count(endOffset)
      return then()
    }
    log.whenDurable(endOffset).then(
      () => {
        if (this.#log === log) this.#count(Math.min(log.durableOffset, log.endOffset))
        then()
        if (!this.replica.isLeader) this.#peers.followingChanged(this.#of)
      },
      (error: unknown) => {
        const reason = `The log could not be flushed: ${String(error)}`
        // What was cut off is nobody's fault, and the log goes on.
        if (!(error instanceof CutError)) this.fail(reason)
        failed(reason)
      },
    )
  }

  /** `done` is called when the in-sync replicas have a batch, or with the reason why that is not waited for. */
  awaitInsync(
    result: AppendResult & { ok: true },
    timeoutMs: number,
    done: (result: AppendResult) => void,
  ): void {
    const offset = result.lastOffset + 1
    if (this.replica.isLeader && this.replica.highWatermark >= offset) return done(result)
    const id = this.#produceWaits.add(result, timeoutMs, done)
    this.step({ type: 'await', id, offset })
  }

  /** `done` is called when a batch counts here for itself, or with the reason why it never will; as long as the disk takes. */
  awaitDurable(
    log: Log,
    result: AppendResult & { ok: true },
    done: (result: AppendResult) => void,
  ): void {
    const offset = result.lastOffset + 1
    if (!this.#countsWhenDurable || offset <= log.durableOffset) return done(result)
    const id = this.#produceWaits.add(result, Infinity, done)
    log.whenDurable(offset).then(
      () => this.#produceWaits.settle(id, null),
      (error: unknown) => {
        // Who cuts follows another leader.
        const isCut = error instanceof CutError
        this.#produceWaits.settle(id, isCut ? 'NOT_LEADER_OR_FOLLOWER' : 'KAFKA_STORAGE_ERROR')
      },
    )
  }

  /** The leader's log parts from ours: resolves when ours is cut. @throws DiskError */
  part(parting: Parting, leaderEpoch: number): Promise<void> {
    this.step({ type: 'parted', leaderEpoch, parting })
    return this.#cutting ?? Promise.resolve()
  }

  step(event: ReplicaEvent): void {
    for (const effect of this.replica.step(event)) this.#perform(effect)
  }

  /** As `lastSureMs`; -Infinity where it does not lead. */
  get lastSureMs(): number {
    const { role, isLeader, ledSinceMs } = this.replica
    return role === null || !isLeader ? -Infinity : lastSureMs(role, this.#peers.heard, ledSinceMs)
  }

  #leads(role: PartitionRole): boolean {
    if (!this.replica.isLeader || this.#log === null || this.#cutting !== null) return false
    if (role.replicas.length < 2) return true
    const times = { nowMs: this.clock.monotonic(), ledSinceMs: this.replica.ledSinceMs }
    return !isCutOff(role, this.#peers.heard, times)
  }

  #count(endOffset: number): void {
    this.#countedOffset = Math.max(this.#countedOffset, endOffset)
    this.step({ type: 'written', endOffset: this.#countedOffset })
  }

  /** Whatever is in the log, by whomever, is on the device soon, where only then it counts. */
  #flushUncounted(): void {
    const log = this.#log
    if (log === null || !this.#countsWhenDurable || this.failure !== null) return
    if (log.durableOffset < log.endOffset) this.written(log, nothing)
  }

  #perform(effect: ReplicaEffect): void {
    switch (effect.type) {
      case 'lead':
      case 'follow':
        if (this.#log !== null && this.#cutting === null) this.#noteEpoch(this.#log)
        this.watchers.changed()
        this.#peers.followingChanged(this.#of)
        break
      case 'watermark':
        this.watchers.consumers.grew(this.#appendedBytes - this.#committedBytes)
        this.watchers.followers.startMoved()
        this.#committedBytes = this.#appendedBytes
        break
      case 'committed':
        this.#produceWaits.settle(effect.id, null)
        break
      case 'refused':
        this.#produceWaits.settle(effect.id, effect.error)
        break
      case 'alter':
        this.#peers.alter(this.#of, effect)
        break
      case 'truncate':
      case 'beginAt':
        this.#cutting = this.#cut(effect)
        break
    }
  }

  /** I-14: a leader's epoch begins at the end of its log. */
  #noteEpoch(log: Log): void {
    const { role, isLeader } = this.replica
    if (role !== null && isLeader) log.noteEpoch(role.leaderEpoch)
  }

  /** It may have come to follow somebody else meanwhile. */
  async #cut(effect: Cut): Promise<void> {
    try {
      await this.#cutLog(effect)
    } finally {
      this.#flushUncounted()
      this.#peers.followingChanged(this.#of)
    }
  }

  async #cutLog({ type, offset }: Cut): Promise<void> {
    const log = this.serving
    const { highWatermark } = this.replica
    if (offset < highWatermark) this.#peers.committedCut(this.#of, { offset, highWatermark })
    try {
      await (type === 'truncate' ? log.truncateTo(offset) : log.truncateFullyAndStartAt(offset))
    } catch (error) {
      // It was closed, or failed, meanwhile: whoever did that tells.
      if (error instanceof NotCutError) return
      throw error
    } finally {
      this.#cutting = null
      this.noteOffline()
    }
    if (this.#log !== log) return
    const { startOffset, endOffset } = log
    this.#countedOffset = endOffset
    this.step({ type: 'truncated', startOffset, endOffset })
    // It may have been elected meanwhile.
    this.#noteEpoch(log)
    this.watchers.startIs(startOffset)
    this.watchers.changed()
  }
}

type Cut = Extract<ReplicaEffect, { type: 'truncate' | 'beginAt' }>

function nothing(): void {}
