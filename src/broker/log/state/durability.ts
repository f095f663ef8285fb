import { deferred, type Deferred } from '../../../lib/deferred.ts'
import type { LogConfig } from '../log-config.ts'
import type { Flushable, FlushMark, LogHost } from '../log-host.ts'
import { writeSealed } from '../segment/sealed-file.ts'
import type { SegmentList } from '../segment/segment.ts'
import { epochBody, epochPlace, type EpochCache } from './epoch-cache.ts'

/** What was waited for was cut off; nothing is wrong with the log. */
export class CutError extends Error {
  override readonly name = 'CutError'
}

/** The files of a log, and when it wants them flushed. */
interface FlushedLog {
  readonly name: string
  readonly path: string
  readonly host: LogHost
  readonly config: LogConfig
  readonly segments: SegmentList
  readonly epochs: EpochCache
}

/**
 * How much of a log is on the device, and who waits for more: what the flush scheduler of the directory works on.
 * The durable offset moves only here: at the end of a flush, and back where the log's end is cut; never beyond the log's end. Whoever makes or removes
 * files of the log says so here.
 */
export class Durability implements Flushable {
  readonly #log: FlushedLog
  #offset: number
  /** The end of the last flush that was begun; where it was abandoned it is tried again soon. */
  #flushingTo = 0
  /** Files were made or removed in the log's directory since it was last synced. */
  #isDirectoryDirty: boolean
  /** Nothing above counts as durable: it is about to be cut off. */
  #ceiling = Infinity
  /** Of the log's end. A flush that began before one says nothing of what came after it. */
  #cutCount = 0
  #waiters: { readonly offset: number; readonly until: Deferred<void> }[] = []

  constructor(
    log: FlushedLog,
    found: { readonly offset: number; readonly isDirectoryDirty: boolean },
  ) {
    this.#log = log
    this.#offset = found.offset
    this.#isDirectoryDirty = found.isDirectoryDirty
  }

  get name(): string {
    return this.#log.name
  }

  /** Batches below are on the device. */
  get offset(): number {
    return this.#offset
  }

  get flushMs(): number {
    return this.#log.config.flushMs
  }

  get flushPolicy(): LogConfig['flushPolicy'] {
    return this.#log.config.flushPolicy
  }

  get hasFlushMessages(): boolean {
    const { segments, config } = this.#log
    return segments.endOffset - Math.max(this.#offset, this.#flushingTo) >= config.flushMessages
  }

  get dirtyFileCount(): number {
    let count = 0
    for (const segment of this.#log.segments) if (segment.unsyncedBytes > 0) count++
    return count
  }

  /** Bytes that no flush has covered. */
  get unflushedBytes(): number {
    let bytes = 0
    for (const segment of this.#log.segments) bytes += segment.unsyncedBytes
    return bytes
  }

  /**
   * Resolves when everything below `offset` is on the device, and sees to it that this is soon.
   * Rejects with the directory's DiskError where it never will be, with a CutError where the log is cut below it.
   */
  reached(offset: number): Promise<void> {
    const { host } = this.#log
    if (host.failure !== null) return Promise.reject(host.failure)
    if (offset <= this.#offset) return Promise.resolve()
    const until = deferred<void>()
    this.#waiters.push({ offset, until })
    host.flushSoon(this)
    return until.promise
  }

  /** Nobody waits any longer for what will not come. */
  giveUp(error: Error): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const { until } of waiters) until.reject(error)
  }

  /** Files were made or removed in the log's directory: the next flush syncs it too. */
  directoryChanged(): void {
    this.#isDirectoryDirty = true
  }

  beginFlush(): FlushMark {
    const { segments } = this.#log
    const files = Array.from(segments).flatMap(segment =>
      segment.unsyncedBytes > 0 ? [{ segment, sizeBytes: segment.sizeBytes }] : [],
    )
    const directory = this.#isDirectoryDirty
    this.#isDirectoryDirty = false
    this.#flushingTo = segments.endOffset
    return { endOffset: segments.endOffset, files, directory, cutCount: this.#cutCount }
  }

  async sync({ files, directory }: FlushMark): Promise<void> {
    for (const { segment } of files) if (!segment.isRemoved) await segment.file.sync()
    if (directory) await this.#log.host.env.disk.syncDirectory(this.#log.path)
  }

  async endFlush({ files, endOffset, cutCount }: FlushMark): Promise<void> {
    for (const { segment, sizeBytes } of files) segment.synced(sizeBytes)
    await this.#saveEpochs()
    if (cutCount !== this.#cutCount) return
    this.#offset = Math.min(this.#ceiling, Math.max(this.#offset, endOffset))
    const isReached = ({ offset }: { readonly offset: number }) => offset <= this.#offset
    const reached = this.#waiters.filter(isReached)
    this.#waiters = this.#waiters.filter(waiter => !isReached(waiter))
    for (const { until } of reached) until.resolve()
  }

  /** What lies at or behind `offset` is about to go: no checkpoint says any more that it is on the device. */
  beginCut(offset: number): void {
    this.#ceiling = offset
    this.#offset = Math.min(this.#offset, offset)
  }

  /** It is gone, and with it who waited for it. */
  endCut(): void {
    this.#cutCount++
    this.#flushingTo = Math.min(this.#flushingTo, this.#ceiling)
    const isGone = ({ offset }: { readonly offset: number }) => offset > this.#ceiling
    const gone = this.#waiters.filter(isGone)
    this.#waiters = this.#waiters.filter(waiter => !isGone(waiter))
    this.#ceiling = Infinity
    const error = new CutError(`${this.name} was cut before that offset was on the device`)
    for (const { until } of gone) until.reject(error)
    // The flush that the others waited for says nothing any more.
    if (this.#waiters.length > 0) this.#log.host.flushSoon(this)
  }

  /** It stays: what is on the device is found out again. */
  abandonCut(): void {
    this.#ceiling = Infinity
    this.#log.host.flushSoon(this)
  }

  abandonFlush({ directory }: FlushMark): void {
    if (directory) this.#isDirectoryDirty = true
  }

  /** Writes the leader-epoch checkpoint where it says something else than is known. @throws DiskError */
  async #saveEpochs(): Promise<void> {
    const { epochs, segments, host, path } = this.#log
    // The next start reads them from the batches.
    if (segments.isBrief && !epochs.isSaved) return
    await epochs.save(entries =>
      host.withRoom(() => writeSealed(epochPlace(host.env, path), epochBody(entries))),
    )
  }
}
