import { DiskError, type Clock, type Timer } from '../../env/env.ts'
import { present } from '../../lib/assert.ts'
import type { Int64 } from '../../lib/bytes.ts'
import type { LogConfig } from '../log/log-config.ts'
import type { LogId } from '../log/log-id.ts'
import type { Log } from '../log/log.ts'
import type { ErrorName } from '../wire/errors.ts'
import { Replica, type PartitionRole, type ReplicaEffect } from './replica/replica.ts'
import type {
  AppendResult,
  Deletion,
  Extent,
  OffsetAndEpoch,
  PartitionAppend,
  PartitionBacklog,
  PartitionProducer,
  PartitionRead,
  PartitionReadResult,
  SegmentRange,
  TimedOffset,
} from './requests.ts'
import { Watchers } from './watchers.ts'

interface Waiting {
  readonly done: (result: AppendResult) => void
  readonly result: AppendResult & { ok: true }
  readonly timer: Timer | null
}

/**
 * The shell of one partition: its log and its replica state machine, and whoever waits for either.
 * Handlers, coordinator and metrics act on it and on nothing beneath it.
 */
export class Partition {
  readonly id: LogId
  readonly #replica: Replica
  readonly #clock: Clock
  /** With `flush.policy=ack` a record counts when it is on the device, else when it is in the page cache. */
  #countsWhenDurable: boolean
  /** The end of the log as the replica was told. */
  #countedOffset = 0
  #log: Log | null = null
  #failure: string | null = null
  readonly #waiting = new Map<number, Waiting>()
  #lastWaitId = 0
  readonly #watchers = new Watchers()
  /** Raised by appends of this process; `#committedBytes` follows when the watermark moves. */
  #appendedBytes = 0
  #appendedBatches = 0
  #committedBytes = 0

  constructor(id: LogId, brokerId: number, options: { clock: Clock; countsWhenDurable: boolean }) {
    this.id = id
    this.#replica = new Replica(brokerId)
    this.#clock = options.clock
    this.#countsWhenDurable = options.countsWhenDurable
  }

  /** Its log is open; whether it serves, `availability` tells. */
  get isOpen(): boolean {
    return this.#log !== null
  }

  get role(): PartitionRole | null {
    return this.#replica.role
  }

  get highWatermark(): number {
    return this.#replica.highWatermark
  }

  /** Null while the log is not open. */
  get extent(): Extent | null {
    if (this.#log === null) return null
    const { startOffset, endOffset, sizeBytes } = this.#log
    return { startOffset, highWatermark: this.#replica.highWatermark, endOffset, sizeBytes }
  }

  /** Bytes and batches appended by this process. */
  get appended(): { readonly bytes: number; readonly batches: number } {
    return { bytes: this.#appendedBytes, batches: this.#appendedBatches }
  }

  /** The idempotent producers that it remembers. */
  producers(): Iterable<PartitionProducer> {
    return this.#log?.producers.summaries() ?? []
  }

  /** The log is open: what it holds counts, as far as the role allows. */
  open(log: Log): void {
    this.#log = log
    this.#failure = null
    this.#watchers.startIs(log.startOffset)
    const role = this.#replica.role
    if (role !== null && this.#replica.isLeader) log.noteEpoch(role.leaderEpoch)
    this.#count(log.endOffset)
  }

  /** The settings from now on. */
  configure(config: LogConfig): void {
    this.#countsWhenDurable = config.flushPolicy === 'ack'
    if (this.#log === null) return
    this.#log.configure(config)
    if (!this.#countsWhenDurable) this.#count(this.#log.endOffset)
  }

  /** The log cannot be opened or read; everybody gets KAFKA_STORAGE_ERROR until it is opened. */
  fail(reason: string): void {
    this.#failure = reason
    this.#watchers.changed()
  }

  take(role: PartitionRole): void {
    this.#perform(this.#replica.step({ type: 'role', role }))
  }

  /** The topic is gone: who waits is told, and finds nothing when he comes again. */
  close(): void {
    this.#log = null
    for (const waiting of this.#waiting.values()) {
      waiting.timer?.cancel()
      waiting.done(refusal('UNKNOWN_TOPIC_OR_PARTITION', 'The topic was deleted.', 0))
    }
    this.#waiting.clear()
    this.#watchers.changed()
  }

  /** The log could not be opened, or was opened damaged and answers nothing. */
  get failure(): string | null {
    return this.#failure ?? this.#log?.offline ?? null
  }

  /** Why the partition can neither be read nor written here; NONE where it can. Epoch -1 is not checked. */
  availability(currentLeaderEpoch = -1): ErrorName {
    if (this.failure !== null) return 'KAFKA_STORAGE_ERROR'
    const role = this.#replica.role
    if (role === null || !this.#replica.isLeader || this.#log === null)
      return 'NOT_LEADER_OR_FOLLOWER'
    if (currentLeaderEpoch === -1 || currentLeaderEpoch === role.leaderEpoch) return 'NONE'
    return currentLeaderEpoch < role.leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH'
  }

  /**
   * Appends one batch, in the order of the calls (G14). `done` is called once, maybe at once; until then the
   * bytes stay as they are.
   */
  append(
    records: Uint8Array,
    options: PartitionAppend,
    done: (result: AppendResult) => void,
  ): void {
    const unavailable = this.availability()
    const log = this.#log
    if (unavailable !== 'NONE' || log === null) {
      done(refusal(unavailable, this.failure ?? 'This broker does not lead the partition.', -1))
      return
    }
    if (options.acks === -1 && !this.#replica.hasEnoughInsync) {
      const message =
        'Fewer replicas are in sync than min.insync.replicas asks for; nothing was written.'
      done(refusal('NOT_ENOUGH_REPLICAS', message, log.startOffset))
      return
    }
    const { leaderEpoch } = this.#replica.role!
    const { origin, allowsZstd = true } = options
    log.append(records, { leaderEpoch, origin, allowsZstd }, result => {
      if (!result.ok) {
        this.#noteOffline()
        return done(result)
      }
      if (!result.duplicate) {
        this.#appendedBytes += records.length
        this.#appendedBatches += 1
        this.#written(log)
      }
      if (options.acks === -1) this.#await(result, options.timeoutMs, done)
      else done(result)
    })
  }

  /** A read up to the high watermark; a promise where the look-up itself has to leave the event loop. */
  read(request: PartitionRead): PartitionReadResult | Promise<PartitionReadResult> {
    const log = this.#log
    const error = this.availability(request.currentLeaderEpoch)
    if (error !== 'NONE' || log === null) return this.#answer(error, null)
    // Nobody has records of an epoch that is still to come.
    const isAhead = request.lastFetchedEpoch > (this.#replica.role?.leaderEpoch ?? -1)
    if (isAhead) return this.#answer('OFFSET_OUT_OF_RANGE', null)
    const diverging = divergence(log, request)
    if (diverging !== null) return { ...this.#answer('NONE', null), diverging }
    const found = log.read(request.fetchOffset, {
      maxBytes: request.maxBytes,
      upToOffset: this.#replica.highWatermark,
      minOneBatch: request.minOneBatch,
      isLagging: request.isLagging ?? false,
    })
    return found instanceof Promise ? found.then(later => this.#found(later)) : this.#found(found)
  }

  /** Where readers begin. Only where `availability` was asked before, in the same turn. */
  get earliest(): OffsetAndEpoch {
    const log = this.#serving
    return { offset: log.startOffset, leaderEpoch: log.epochAt(log.startOffset) }
  }

  /** Where readers end for now. Only where `availability` was asked before, in the same turn. */
  get latest(): OffsetAndEpoch {
    return {
      offset: this.#replica.highWatermark,
      leaderEpoch: this.#replica.role?.leaderEpoch ?? -1,
    }
  }

  /**
   * The first record at or after `timestampMs` that readers see, or null (G36). Only where `availability` was asked
   * before, in the same turn. @throws DiskError
   */
  findByTime(timestampMs: Int64): Promise<TimedOffset | null> {
    return this.#serving.findByTime(timestampMs, this.#replica.highWatermark)
  }

  /** The first record with the greatest timestamp that readers see, or null (KIP-734); as `findByTime`. */
  findMaxTimestamp(): Promise<TimedOffset | null> {
    return this.#serving.findMaxTimestamp(this.#replica.highWatermark)
  }

  /**
   * Up to where the records of a leader epoch can be; -1 and -1 where it is not known (G38). Only where
   * `availability` was asked before, in the same turn.
   */
  endOfEpoch(epoch: number): { readonly epoch: number; readonly endOffset: number } {
    return this.#serving.endOfEpoch(epoch)
  }

  /**
   * The partition begins at `offset` from now on, durably when this resolves (KIP-107, I-28). An offset that is gone
   * already is no mistake; one above the high watermark is. Topics that are only compacted keep their records.
   */
  async deleteBefore(offset: number): Promise<Deletion> {
    const unavailable = this.availability()
    const log = this.#log
    if (unavailable !== 'NONE' || log === null) return undeleted(unavailable)
    if (log.config.cleanupPolicy === 'compact') return undeleted('POLICY_VIOLATION')
    if (offset < 0 || offset > this.#replica.highWatermark) return undeleted('OFFSET_OUT_OF_RANGE')
    try {
      await log.raiseStartOffset(offset)
    } catch (error) {
      if (error instanceof DiskError) return undeleted('KAFKA_STORAGE_ERROR')
      throw error
    }
    this.#watchers.startIs(log.startOffset)
    if (log.startOffset >= offset) return { error: 'NONE', lowWatermark: log.startOffset }
    // It went out of service, or the topic was deleted.
    const why = this.availability()
    return undeleted(why === 'NONE' ? 'KAFKA_STORAGE_ERROR' : why)
  }

  /** What lies before somebody who reads `offset` next; null while the log is not open. */
  backlog(offset: number): PartitionBacklog | null {
    const log = this.#log
    if (log === null) return null
    const from = Math.max(offset, log.startOffset)
    const records = Math.max(0, this.#replica.highWatermark - from)
    return records === 0 ? nothingBehind : { records, ...log.backlog(from) }
  }

  /** Removes what the topic's config no longer keeps, if the log is open. `nowMs`: the wall clock. @throws DiskError */
  async applyRetention(nowMs: number): Promise<void> {
    const log = this.#log
    if (log === null) return
    await log.applyRetention(nowMs)
    this.#watchers.startIs(log.startOffset)
  }

  /** Who hears of whatever a reader could be told. */
  get watchers(): Pick<Watchers, 'add' | 'delete'> {
    return this.#watchers
  }

  get #serving(): Log {
    return present(this.#log, 'whoever asks a partition made sure that it serves')
  }

  #found(result: Awaited<ReturnType<Log['read']>>): PartitionReadResult {
    switch (result.kind) {
      case 'range':
        return this.#answer('NONE', result)
      case 'empty':
        return this.#answer('NONE', null)
      case 'out-of-range':
        return this.#answer('OFFSET_OUT_OF_RANGE', null)
      case 'failed':
        this.#noteOffline()
        return this.#answer(result.error, null)
    }
  }

  #answer(error: ErrorName, range: SegmentRange | null): PartitionReadResult {
    const known = error === 'NONE'
    return {
      error,
      highWatermark: known ? this.#replica.highWatermark : -1,
      logStartOffset: known ? (this.#log?.startOffset ?? -1) : -1,
      range,
      diverging: null,
    }
  }

  #written(log: Log): void {
    const { endOffset } = log
    if (!this.#countsWhenDurable) return this.#count(endOffset)
    log.whenDurable(endOffset).then(
      () => {
        if (this.#log === log) this.#count(log.durableOffset)
      },
      (error: unknown) => this.fail(`The log could not be flushed: ${String(error)}`),
    )
  }

  /** What counts goes on counting, also where the flush policy became stricter. */
  #count(endOffset: number): void {
    this.#countedOffset = Math.max(this.#countedOffset, endOffset)
    this.#perform(this.#replica.step({ type: 'written', endOffset: this.#countedOffset }))
  }

  #await(result: AppendResult & { ok: true }, timeoutMs: number, done: Waiting['done']): void {
    const id = ++this.#lastWaitId
    const offset = result.lastOffset + 1
    if (this.#replica.isLeader && this.#replica.highWatermark >= offset) return done(result)
    const timer = this.#clock.after(timeoutMs, () => {
      this.#waiting.delete(id)
      this.#perform(this.#replica.step({ type: 'forget', id }))
      const message = `The in-sync replicas did not have the batch within ${timeoutMs} ms; it stays in the log.`
      done(refusal('REQUEST_TIMED_OUT', message, result.logStartOffset))
    })
    this.#waiting.set(id, { done, result, timer })
    this.#perform(this.#replica.step({ type: 'await', id, offset }))
  }

  #perform(effects: readonly ReplicaEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'lead':
          this.#log?.noteEpoch(effect.leaderEpoch)
          this.#watchers.changed()
          break
        case 'follow':
          this.#watchers.changed()
          break
        case 'watermark':
          this.#watchers.grew(this.#appendedBytes - this.#committedBytes)
          this.#committedBytes = this.#appendedBytes
          break
        case 'committed':
          this.#settle(effect.id, null)
          break
        case 'refused':
          this.#settle(effect.id, effect.error)
          break
      }
    }
  }

  #settle(id: number, error: ErrorName | null): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    waiting.timer?.cancel()
    const { result } = waiting
    const message = 'The batch was written, but not enough replicas are in sync any longer.'
    waiting.done(error === null ? result : refusal(error, message, result.logStartOffset))
  }

  /** A log that a read or an append took out of service tells nobody but who asked. */
  #noteOffline(): void {
    const offline = this.#log?.offline ?? null
    if (offline !== null && this.#failure === null) this.fail(offline)
  }
}

const nothingBehind: PartitionBacklog = { records: 0, bytes: 0, timestampMs: null }

function undeleted(error: ErrorName): Deletion {
  return { error, lowWatermark: -1 }
}

function refusal(error: ErrorName, message: string, logStartOffset: number): AppendResult {
  return { ok: false, error, message, recordErrors: [], logStartOffset }
}

/** The largest epoch not above the reader's, and where it ends, if the reader has something else (I-13). */
function divergence(log: Log, request: PartitionRead): PartitionReadResult['diverging'] {
  if (request.lastFetchedEpoch < 0) return null
  const end = log.endOfEpoch(request.lastFetchedEpoch)
  if (end.epoch === -1 && end.endOffset === -1) return null
  const parted = end.epoch < request.lastFetchedEpoch || end.endOffset < request.fetchOffset
  return parted ? end : null
}
