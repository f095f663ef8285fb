import type { Clock, DiskFile, Timer } from '../../env/env.ts'
import type { LogConfig } from '../log/log-config.ts'
import type { LogId } from '../log/log-id.ts'
import type { AppendResult, Log } from '../log/log.ts'
import { lastSequenceOf } from '../log/producers/state.ts'
import { Replica, type PartitionRole, type ReplicaEffect } from './replica/replica.ts'
import type { ErrorName } from '../wire/errors.ts'

export interface PartitionAppend {
  /** -1: all in-sync replicas, 1: the leader, 0: nobody waits. */
  readonly acks: number
  /** How long an acks=-1 append waits for the in-sync set before REQUEST_TIMED_OUT; the data stays (G16). */
  readonly timeoutMs: number
  readonly origin: 'client' | 'coordinator'
}

export interface PartitionRead {
  readonly fetchOffset: number
  readonly maxBytes: number
  /** Return one whole batch even where it is larger than `maxBytes` (G29). */
  readonly minOneBatch: boolean
  /** -1: not checked (G33). */
  readonly currentLeaderEpoch: number
  /** Epoch of the last record that the reader has, -1 where it does not tell (KIP-595). */
  readonly lastFetchedEpoch: number
  /** Was sent what the page cache did not have, and has not caught up since. */
  readonly isLagging?: boolean
}

/** What a reader gets: an error, a range of a segment, or nothing yet. */
export interface PartitionReadResult {
  readonly error: ErrorName
  readonly highWatermark: number
  readonly logStartOffset: number
  readonly range: SegmentRange | null
  /** The reader's log and ours part here (KIP-595). */
  readonly diverging: { readonly epoch: number; readonly endOffset: number } | null
}

export interface SegmentRange {
  readonly file: DiskFile
  readonly position: number
  readonly length: number
  readonly cold: boolean
  /** Reaches all that was readable when it was asked for. */
  readonly isCaughtUp: boolean
}

/** An idempotent producer as tools see it (KIP-664). */
export interface PartitionProducer {
  readonly producerId: number
  readonly epoch: number
  /** -1 where it has none. */
  readonly lastSequence: number
  /** Of its last batch; -1 where it has none. */
  readonly lastTimestampMs: number
}

interface Waiting {
  readonly done: (result: AppendResult) => void
  readonly result: AppendResult & { ok: true }
  readonly timer: Timer | null
}

/**
 * The shell of one partition: its log and its replica state machine, and whoever waits for either.
 * Handlers read and append through it and through nothing else.
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
  readonly #watchers = new Set<(bytes: number) => void>()
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

  get log(): Log | null {
    return this.#log
  }

  get role(): PartitionRole | null {
    return this.#replica.role
  }

  get highWatermark(): number {
    return this.#replica.highWatermark
  }

  /** Bytes and batches appended by this process. */
  get appended(): { readonly bytes: number; readonly batches: number } {
    return { bytes: this.#appendedBytes, batches: this.#appendedBatches }
  }

  /** Bytes of its segments; 0 while its log is not open. */
  get sizeBytes(): number {
    return this.#log?.sizeBytes ?? 0
  }

  /** The idempotent producers that it remembers. */
  *producers(): IterableIterator<PartitionProducer> {
    for (const { producerId, epoch, batches } of this.#log?.producers.states() ?? []) {
      const last = batches.at(-1)
      const lastSequence = last === undefined ? -1 : lastSequenceOf(last)
      yield { producerId, epoch, lastSequence, lastTimestampMs: last?.timestampMs ?? -1 }
    }
  }

  /** The log is open: what it holds counts, as far as the role allows. */
  open(log: Log): void {
    this.#log = log
    this.#failure = null
    const role = this.#replica.role
    if (role !== null && this.#replica.isLeader) log.noteEpoch(role.leaderEpoch)
    this.#count(log.endOffset)
  }

  /** The settings from now on. */
  configure(config: LogConfig): void {
    this.#countsWhenDurable = config.flushPolicy === 'ack'
    if (this.#log === null) return
    this.#log.configure(config)
    this.#log.producers.configure({
      expirationMs: config.producerIdExpirationMs,
      countMax: config.producerCountMax,
    })
    if (!this.#countsWhenDurable) this.#count(this.#log.endOffset)
  }

  /** The log cannot be opened or read; everybody gets KAFKA_STORAGE_ERROR until it is opened. */
  fail(reason: string): void {
    this.#failure = reason
    this.#wake(0)
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
    this.#wake(0)
  }

  /** The log could not be opened, or was opened damaged and answers nothing. */
  get #whyFailed(): string | null {
    return this.#failure ?? this.#log?.offline ?? null
  }

  /** Why the partition can neither be read nor written here; NONE where it can. */
  availability(currentLeaderEpoch = -1): ErrorName {
    if (this.#whyFailed !== null) return 'KAFKA_STORAGE_ERROR'
    const role = this.#replica.role
    if (role === null || !this.#replica.isLeader || this.#log === null)
      return 'NOT_LEADER_OR_FOLLOWER'
    if (currentLeaderEpoch < 0 || currentLeaderEpoch === role.leaderEpoch) return 'NONE'
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
      done(refusal(unavailable, this.#whyFailed ?? 'This broker does not lead the partition.', -1))
      return
    }
    if (options.acks === -1 && !this.#replica.hasEnoughInsync) {
      const message =
        'Fewer replicas are in sync than min.insync.replicas asks for; nothing was written.'
      done(refusal('NOT_ENOUGH_REPLICAS', message, log.startOffset))
      return
    }
    const leaderEpoch = this.#replica.role!.leaderEpoch
    log.append(records, { leaderEpoch, origin: options.origin }, result => {
      if (!result.ok) return done(result)
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

  /** Calls `listener` with the bytes that became readable, or 0 where something else changed. Returns how to stop. */
  watch(listener: (bytes: number) => void): () => void {
    this.#watchers.add(listener)
    return () => this.#watchers.delete(listener)
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
        return this.#answer(result.error, null)
    }
  }

  #answer(error: ErrorName, range: SegmentRange | null): PartitionReadResult {
    const known = error === 'NONE' || error === 'OFFSET_OUT_OF_RANGE'
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
          this.#wake(0)
          break
        case 'follow':
          this.#wake(0)
          break
        case 'watermark':
          this.#wake(this.#appendedBytes - this.#committedBytes)
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

  #wake(bytes: number): void {
    for (const watcher of this.#watchers) watcher(bytes)
  }
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
