import type { Clock } from '../../env/env.ts'
import type { Int64 } from '../../lib/bytes.ts'
import type { LogConfig } from '../log/log-config.ts'
import type { LogId } from '../log/log-id.ts'
import type { Log } from '../log/log.ts'
import type { ErrorName } from '../wire/errors.ts'
import { divergence, undeleted } from './answers.ts'
import { PartitionCore } from './core.ts'
import { Deletions } from './deletions.ts'
import { followerLags } from './follower-lags.ts'
import { FollowerSide } from './follower-side.ts'
import { LeaderSide } from './leader-side.ts'
import { nobody, type Peers } from './peers.ts'
import type { AlterOutcome, PartitionRole } from './replica/replica.ts'
import type {
  AppendResult,
  Deletion,
  Extent,
  FetchedResult,
  FetchPosition,
  FollowerReader,
  LeaderTold,
  OffsetAndEpoch,
  PartitionAppend,
  PartitionBacklog,
  PartitionFollowerLag,
  PartitionProducer,
  PartitionRead,
  PartitionReadResult,
  SegmentRange,
  TimedOffset,
} from './requests.ts'
import { isUnderReplicated } from './role-of.ts'
import type { WatcherSet } from './watchers.ts'

export interface PartitionOptions {
  readonly clock: Clock
  readonly countsWhenDurable: boolean
  /** None, where left out. */
  readonly peers?: Peers<Partition>
}

/**
 * The front door of the room: the shell of one partition, its log and its replica state machine, and whoever waits for either.
 * Handlers, coordinator, fetchers and metrics act on it and on nothing beneath it.
 */
export class Partition {
  readonly id: LogId
  readonly #core: PartitionCore<Partition>
  readonly #leaderSide: LeaderSide
  readonly #followerSide: FollowerSide
  readonly #deletions: Deletions
  readonly #forFollowers: { readonly watchers: Partition['watchers'] }

  constructor(id: LogId, brokerId: number, options: PartitionOptions) {
    const { clock, countsWhenDurable, peers = nobody } = options
    this.id = id
    this.#core = new PartitionCore<Partition>(this, { brokerId, clock, countsWhenDurable, peers })
    this.#leaderSide = new LeaderSide(this.#core)
    this.#followerSide = new FollowerSide(this.#core)
    this.#deletions = new Deletions(this.#core)
    this.#forFollowers = { watchers: this.#core.watchers.followers }
  }

  /** Its log is open; whether it serves, `availability` tells. */
  get isOpen(): boolean {
    return this.#core.log !== null
  }

  get role(): PartitionRole | null {
    return this.#core.replica.role
  }

  get highWatermark(): number {
    return this.#core.replica.highWatermark
  }

  /** Null while the log is not open. */
  get extent(): Extent | null {
    const { log } = this.#core
    if (log === null) return null
    const { startOffset, endOffset, latestEpoch, sizeBytes } = log
    return { startOffset, highWatermark: this.highWatermark, endOffset, latestEpoch, sizeBytes }
  }

  /** Bytes and batches of clients that were appended by this process. */
  get appended(): { readonly bytes: number; readonly batches: number } {
    return this.#core.appended
  }

  /** The idempotent producers that it remembers. */
  producers(): Iterable<PartitionProducer> {
    return this.#core.log?.producers.summaries() ?? []
  }

  /** The log is open: what it holds counts, as far as the role allows. */
  open(log: Log): void {
    this.#core.open(log)
  }

  /** The settings from now on. */
  configure(config: LogConfig): void {
    const { log } = this.#core
    const count = (): void =>
      this.#core.countWhenDurable((log?.config ?? config).flushPolicy === 'ack')
    log?.configure(config, count)
    count()
  }

  /** The log cannot be opened or read; everybody gets KAFKA_STORAGE_ERROR until it is opened. */
  fail(reason: string): void {
    this.#core.fail(reason)
  }

  take(role: PartitionRole): void {
    this.#core.stepInSync({ type: 'role', role, nowMs: this.#core.clock.monotonic() })
    this.#deletions.check()
  }

  /** Time went on: who lags leaves the in-sync set, who has caught up joins it. */
  tick(): void {
    if (!this.isLeader || this.role!.replicas.length < 2) return
    this.#core.step({ type: 'tick', nowMs: this.#core.clock.monotonic() })
  }

  /** What became of what `Peers.alter` was asked for, when the partition was at `partitionEpoch`. */
  altered(partitionEpoch: number, outcome: AlterOutcome): void {
    this.#core.stepInSync({ type: 'altered', partitionEpoch, outcome })
  }

  /** The partition is gone from here: who waits is told, and finds nothing when he comes again. */
  close(why: 'deleted' | 'moved' = 'deleted'): void {
    const error = why === 'deleted' ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'NOT_LEADER_OR_FOLLOWER'
    this.#core.close(error)
    this.#deletions.refuse(undeleted(error))
  }

  /** The log could not be opened, or was opened damaged and answers nothing. */
  get failure(): string | null {
    return this.#core.failure
  }

  /** Why the partition can neither be read nor written here; NONE where it can. Epoch -1 is not checked. */
  availability(currentLeaderEpoch = -1): ErrorName {
    return this.#core.availability(currentLeaderEpoch)
  }

  /**
   * Appends one batch, in the order of the calls (G14). `done` is called once, maybe at once; until then the bytes stay as they
   * are. With `flush.policy=ack` it is called when the batch is on the device, but for acks=0, where nobody waits. Nothing is
   * written where the replica does not lead any more, or may not write, when the batch has its turn.
   */
  append(
    records: Uint8Array,
    options: PartitionAppend,
    done: (result: AppendResult) => void,
  ): void {
    this.#leaderSide.append(records, options, done)
  }

  /**
   * A read up to the high watermark, or a follower's to the end; a promise where the look-up itself has to leave the event
   * loop. Where a follower reads, it says what it has.
   */
  read(request: PartitionRead): PartitionReadResult | Promise<PartitionReadResult> {
    const { log, replica } = this.#core
    const error = this.availability(request.currentLeaderEpoch)
    if (error !== 'NONE' || log === null) return this.#answer(error, null)
    // Nobody has records of an epoch that is still to come.
    const isAhead = request.lastFetchedEpoch > (replica.role?.leaderEpoch ?? -1)
    if (isAhead) return this.#answer('OFFSET_OUT_OF_RANGE', null)
    const follower = request.reader?.kind === 'follower' ? request.reader : null
    const refused = follower === null ? 'NONE' : this.#refusalOf(follower, request)
    if (refused !== 'NONE') return this.#answer(refused, null)
    const diverging = divergence(log, request)
    if (diverging !== null) return { ...this.#answer('NONE', null), diverging }
    if (follower !== null) this.#fetched(log, follower, request.fetchOffset)
    const upToOffset = this.readableOffset(follower === null ? 'consumer' : 'follower')
    const found = log.read(request.fetchOffset, {
      maxBytes: request.maxBytes,
      upToOffset,
      minOneBatch: request.minOneBatch,
      isLagging: request.isLagging ?? false,
    })
    return found instanceof Promise
      ? found.then(later => this.#found(later, upToOffset))
      : this.#found(found, upToOffset)
  }

  /** Up to where such a reader may read now; -1 where the log is not open. */
  readableOffset(reader: 'consumer' | 'follower'): number {
    return reader === 'consumer' ? this.highWatermark : (this.#core.log?.endOffset ?? -1)
  }

  /**
   * Whom the replica follows, and in which epoch; null where it leads, nobody does, or its log is being cut or not in service,
   * and with `flush.policy=ack` as long as something of it is not on the device.
   */
  get following(): Pick<PartitionRole, 'leader' | 'leaderEpoch'> | null {
    return this.#core.fetchingFrom
  }

  /** Where the replica reads on while it follows. */
  get fetchPosition(): FetchPosition {
    return this.#followerSide.position
  }

  /**
   * Appends what the leader sent, whole batches, and takes over its watermark and start. `done` is called once, maybe at
   * once; until then `records` stay as they are. Nothing is done where the replica follows in another epoch by now. With
   * `flush.policy=ack` it is called when they are flushed: what the replica asks for next says that it has them.
   */
  appendFetched(
    records: Uint8Array,
    told: LeaderTold,
    done: (result: FetchedResult) => void,
  ): void {
    this.#followerSide.append(records, told, done)
  }

  /**
   * The leader of `leaderEpoch` has this as its largest epoch that is not above ours, and its end (R4, I-13). Resolves when
   * our log is cut; the next fetch tells whether it has to be once more. @throws DiskError
   */
  truncate(
    diverging: { readonly epoch: number; readonly endOffset: number },
    leaderEpoch: number,
  ): Promise<void> {
    return this.#followerSide.diverged(diverging, leaderEpoch)
  }

  /** The leader of `leaderEpoch` has this range, and our end is not in it (I-16). As `truncate`. @throws DiskError */
  leaveRange(
    range: { readonly startOffset: number; readonly endOffset: number },
    leaderEpoch: number,
  ): Promise<void> {
    return this.#followerSide.part({ kind: 'outOfRange', ...range }, leaderEpoch)
  }

  /** As the metadata log says; whether it serves, `availability` tells. */
  get isLeader(): boolean {
    return this.#core.replica.isLeader
  }

  /** It leads, and a replica that is counted on is not in sync. */
  get isUnderReplicated(): boolean {
    const { isLeader, role } = this.#core.replica
    return isLeader && role !== null && isUnderReplicated(role)
  }

  /** It leads, and fewer than `min.insync.replicas` are in sync: nothing is committed. */
  get isUnderMinInsync(): boolean {
    const { isLeader, hasEnoughInsync } = this.#core.replica
    return isLeader && !hasEnoughInsync
  }

  /** It leads, and what was committed before its epoch is known to be (R10): until then nobody knows where readers end. */
  get hasReachedEpoch(): boolean {
    return this.#core.replica.hasReachedEpoch
  }

  /** It leads, and was known to be the only one within the last `ms`: after a longer silence there may be another. */
  isSureToLead(ms: number): boolean {
    return this.#core.clock.monotonic() - this.#core.lastSureMs <= ms
  }

  /** Where readers begin. Only where `availability` was asked before, in the same turn. */
  get earliest(): OffsetAndEpoch {
    const log = this.#core.serving
    return { offset: log.startOffset, leaderEpoch: log.epochAt(log.startOffset) }
  }

  /** Where consumers end for now. Only where `availability` was asked before, in the same turn. */
  get latest(): OffsetAndEpoch {
    return { offset: this.highWatermark, leaderEpoch: this.role?.leaderEpoch ?? -1 }
  }

  /** Where followers end for now; as `latest`. */
  get end(): OffsetAndEpoch {
    const { endOffset, latestEpoch } = this.#core.serving
    return { offset: endOffset, leaderEpoch: latestEpoch }
  }

  /**
   * The first record at or after `timestampMs` that readers see, or null (G36). Only where `availability` was asked
   * before, in the same turn. @throws DiskError
   */
  findByTime(timestampMs: Int64): Promise<TimedOffset | null> {
    return this.#core.serving.findByTime(timestampMs, this.highWatermark)
  }

  /** The first record with the greatest timestamp that readers see, or null (KIP-734); as `findByTime`. */
  findMaxTimestamp(): Promise<TimedOffset | null> {
    return this.#core.serving.findMaxTimestamp(this.highWatermark)
  }

  /**
   * Up to where the records of a leader epoch can be; -1 and -1 where it is not known (G38). Only where
   * `availability` was asked before, in the same turn.
   */
  endOfEpoch(epoch: number): { readonly epoch: number; readonly endOffset: number } {
    return this.#core.serving.endOfEpoch(epoch)
  }

  /**
   * The partition begins at `offset` from now on, durably when this resolves, and so do the logs of all live replicas
   * (KIP-107, I-28), which are waited for no longer than `timeoutMs`. An offset that is gone already is no mistake; one
   * above the high watermark is. Topics that are only compacted keep their records.
   */
  deleteBefore(offset: number, timeoutMs = 0): Promise<Deletion> {
    return this.#deletions.before(offset, timeoutMs)
  }

  /** What lies before somebody who reads `offset` next; null while the log is not open. */
  backlog(offset: number): PartitionBacklog | null {
    const { log } = this.#core
    if (log === null) return null
    const from = Math.max(offset, log.startOffset)
    const records = Math.max(0, this.highWatermark - from)
    return records === 0 ? nothingBehind : { records, ...log.backlog(from) }
  }

  /** Followers that lack something of what this replica leads, and how much; estimated from indexes in memory. */
  followersBehind(): Iterable<PartitionFollowerLag> {
    return followerLags(this.#core)
  }

  /**
   * Removes what the topic's config no longer keeps, if the log is open: no record that is not committed (R12), and of
   * a follower none; it begins where its leader does. `nowMs`: the wall clock. @throws DiskError
   */
  async applyRetention(nowMs: number): Promise<void> {
    const { log, replica, watchers } = this.#core
    if (log === null) return
    await log.applyRetention(nowMs, replica.isLeader ? replica.highWatermark : log.startOffset)
    watchers.startIs(log.startOffset)
  }

  /** Who hears of whatever a consumer could be told. */
  get watchers(): Pick<WatcherSet, 'add' | 'delete'> {
    return this.#core.watchers.consumers
  }

  /** Where such readers' news come from; always the same one. */
  newsFor(reads: 'consumer' | 'follower'): { readonly watchers: Partition['watchers'] } {
    return reads === 'consumer' ? this : this.#forFollowers
  }

  /** I-11: a follower is a replica, by the start that is registered. R3: and says in which epoch it follows. */
  #refusalOf(follower: FollowerReader, { currentLeaderEpoch }: PartitionRead): ErrorName {
    // We may not have heard of it yet: it comes again.
    if (!this.#core.replica.knowsFollower(follower)) return 'NOT_LEADER_OR_FOLLOWER'
    return currentLeaderEpoch < 0 ? 'FENCED_LEADER_EPOCH' : 'NONE'
  }

  #fetched(log: Log, follower: FollowerReader, fetchOffset: number): void {
    const isInRange = fetchOffset >= log.startOffset && fetchOffset <= log.endOffset
    if (!isInRange || follower.isRepeated) return
    const { brokerId, brokerEpoch, logStartOffset } = follower
    const nowMs = this.#core.clock.monotonic()
    const fetch = { brokerId, brokerEpoch, fetchOffset, logStartOffset }
    this.#core.step({ type: 'fetched', nowMs, ...fetch })
    this.#deletions.check()
  }

  #found(result: Awaited<ReturnType<Log['read']>>, readableOffset: number): PartitionReadResult {
    switch (result.kind) {
      case 'range':
        return this.#answer('NONE', result, readableOffset)
      case 'empty':
        return this.#answer('NONE', null, readableOffset)
      case 'out-of-range':
        return this.#answer('OFFSET_OUT_OF_RANGE', null)
      case 'failed':
        this.#core.noteOffline()
        return this.#answer(result.error, null)
    }
  }

  #answer(error: ErrorName, range: SegmentRange | null, readableOffset = -1): PartitionReadResult {
    const known = error === 'NONE'
    return {
      error,
      highWatermark: known ? this.highWatermark : -1,
      logStartOffset: known ? (this.#core.log?.startOffset ?? -1) : -1,
      readableOffset,
      range,
      diverging: null,
    }
  }
}

const nothingBehind: PartitionBacklog = { records: 0, bytes: 0, timestampMs: null }
