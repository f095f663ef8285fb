import type { LogConfig } from '../log-config.ts'
import type { LogHost } from '../log-host.ts'
import type { LogId } from '../log-id.ts'
import type { ProducerStates } from '../producers/states.ts'
import type { SegmentList } from '../segment/segment.ts'
import { Availability } from './availability.ts'
import { Cleaned, type FoundCleaned } from './cleaned.ts'
import { Durability } from './durability.ts'
import type { EpochCache } from './epoch-cache.ts'
import { StartOffset } from './start-offset.ts'

/** A log as recovery found it. */
export interface FoundState {
  readonly id: LogId
  /** Name and path of the log's directory. */
  readonly name: string
  readonly path: string
  readonly host: LogHost
  readonly config: LogConfig
  readonly segments: SegmentList
  readonly epochs: EpochCache
  readonly producers: ProducerStates
  /** Invariant: startOffset <= the end of the segments, and so is durableOffset. */
  readonly startOffset: number
  readonly durableOffset: number
  readonly cleaned: FoundCleaned
  /** The log's directory has entries that were never synced. */
  readonly isDirectoryDirty: boolean
  /** Why the log cannot be served; null where it can. */
  readonly damage: string | null
}

/**
 * The front door of the room: what the rooms of one log share; append, read, retention and flush all work on this. Every part that changes is
 * an object that alone writes its fields; the others ask it, or tell it what happened. Who moves an offset:
 * - the end: the appender, with each batch whose write returned (`Segment.noteAppended`), and back: a truncation, by
 *   another last segment (`SegmentList.replaceFrom`);
 * - the start: retention and DeleteRecords, when its new place is durable (`StartOffset.raise`), and a truncation that
 *   leaves nothing (`StartOffset.restart`);
 * - the durable offset: the flush scheduler, at the end of a flush (`Durability.endFlush`), and back with the end
 *   (`Durability.beginCut`);
 * - how far it was cleaned: the log cleaner, when that is durable (`Cleaned`); and how far it may have gaps: the appender of
 *   a follower too.
 * Invariants: startOffset <= endOffset, durableOffset <= endOffset.
 */
export class LogState {
  readonly id: LogId
  readonly name: string
  readonly path: string
  readonly host: LogHost
  readonly segments: SegmentList
  readonly epochs: EpochCache
  /** Of everything appended and staged. */
  readonly producers: ProducerStates
  readonly availability: Availability
  readonly start: StartOffset
  readonly durability: Durability
  readonly cleaned: Cleaned
  #config: LogConfig
  /** What was told last; in force, or about to be. */
  #wanted: LogConfig

  constructor(found: FoundState) {
    this.id = found.id
    this.name = found.name
    this.path = found.path
    this.host = found.host
    this.segments = found.segments
    this.epochs = found.epochs
    this.producers = found.producers
    this.#config = found.config
    this.#wanted = found.config
    this.availability = new Availability(this, found.damage)
    this.start = new StartOffset(this, found.startOffset)
    const { durableOffset: offset, isDirectoryDirty } = found
    this.durability = new Durability(this, { offset, isDirectoryDirty })
    this.cleaned = new Cleaned(this, found.cleaned)
  }

  get config(): LogConfig {
    return this.#config
  }

  /** The first offset that may be read; never falls. */
  get startOffset(): number {
    return this.start.offset
  }

  /** Batches below are written: visible to readers. */
  get endOffset(): number {
    return this.segments.endOffset
  }

  /** Below it offsets may be missing. */
  get sparseTo(): number {
    return this.cleaned.sparseTo
  }

  /**
   * New settings for everything that happens from now on; only that the log acknowledges what is not flushed may come
   * later. `inForce` is called when all of it is.
   */
  configure(config: LogConfig, inForce: () => void = () => {}): void {
    this.#wanted = config
    const left = config.flushPolicy === 'ack' ? null : this.host.leaveAcks()
    this.#take(left === null ? config : { ...config, flushPolicy: 'ack' })
    if (left === null) return inForce()
    const take = (): void => {
      if (this.#wanted !== config) return
      this.#take(config)
      inForce()
    }
    // What the disk fails at, the directory tells; the log goes on as it was.
    left.then(take, () => {})
  }

  #take(config: LogConfig): void {
    this.#config = config
    const { producerIdExpirationMs: expirationMs, producerIdCountMax: countMax } = config
    this.producers.configure({ expirationMs, countMax })
    this.host.flushPolicyChanged(this.durability)
    this.host.mayBeDirty(this.name)
  }
}
