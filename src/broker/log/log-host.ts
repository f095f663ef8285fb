import type { DiskError, Env } from '../../env/env.ts'
import type { Codecs } from './compression/codecs.ts'
import type { Segment } from './segment/segment.ts'

/** What a log needs of the directory that it lies in. Unit tests give a small one of their own. */
export interface LogHost {
  readonly env: Env
  readonly codecs: Codecs
  /** A growth record is written whenever the active segment has grown by this much. */
  readonly growthStepBytes: number
  /** Set once an fsync or a write failed: nothing of the directory is served any more (durability.md 3.4). */
  readonly failure: DiskError | null
  /** A failed fsync or write-back, or a failed write that could not be taken back: final for the directory. */
  fail(error: DiskError): void
  /** Bytes `[from, from + length)` of a segment were written and are in the page cache. */
  wrote(log: Flushable, write: SegmentWrite): void
  /** Somebody waits for durability, or a segment was closed: flush the log without waiting for its age. */
  flushSoon(log: Flushable): void
  /** The log's flush policy or interval is another one. */
  flushPolicyChanged(log: Flushable): void
  /**
   * A log is about to acknowledge what was not flushed: it may when this resolves, and null is at once. Then a crash of the
   * machine counts as one that lost something (durability.md 3.1).
   */
  leaveAcks(): Promise<void> | null
  /** A segment's file leaves the log: nothing of it needs to be flushed any more. */
  forget(segment: Segment): void
  /** The log of that name wants to begin at `offset`: resolves when that is durable. @throws DiskError */
  saveStartOffset(logName: string, offset: number): Promise<void>
  /** The log of that name wants to begin at `offset`, wherever it began: resolves when that is durable. @throws DiskError */
  resetStartOffset(logName: string, offset: number): Promise<void>
  /** Writes down how far the logs are durable: resolves when none counts for more than it does now. @throws DiskError */
  saveRecoveryPoints(): Promise<void>
  /** Resolves when nobody cleans the log of that name; nobody does until the function returned is called. */
  holdCleaning(logName: string): Promise<() => void>
  /** The log of that name was cleaned up to `offset`: resolves when that is durable. @throws DiskError */
  saveCleanedOffset(logName: string, offset: number): Promise<void>
  /** Below `offset` the log of that name may have gaps: resolves when that is durable. @throws DiskError */
  saveSparseOffset(logName: string, offset: number): Promise<void>
  /** A segment of the log was closed, or its configs are others: there may be something to clean, or no longer. */
  mayBeDirty(logName: string): void
  /** Writes something small; on a full disk the place that was kept for such things is given up for it. */
  withRoom(write: () => Promise<void>): Promise<void>
  /** Something worth a line in the log: constant message, fields. */
  warn(message: string, fields: Readonly<Record<string, unknown>>): void
}

export interface SegmentWrite {
  readonly segment: Segment
  readonly from: number
  readonly length: number
  /** How long the kernel made the event loop wait for it, where that was a stall; else 0. */
  readonly stalledMs: number
  /** A thread wrote it, and the loop did not wait. */
  readonly inThread: boolean
}

/** A log as the flush scheduler sees it. */
export interface Flushable {
  /** Name of the log's directory. */
  readonly name: string
  readonly flushMs: number
  readonly flushPolicy: 'interval' | 'ack' | 'os'
  /** So many records are not covered by a flush, finished or under way, that one should begin now. */
  readonly hasFlushMessages: boolean
  /** Files that a flush would sync. */
  readonly dirtyFileCount: number
  /** What is written now, to be told to `endFlush` when it is durable. */
  beginFlush(): FlushMark
  /** Makes it durable, file by file. @throws DiskError */
  sync(mark: FlushMark): Promise<void>
  /** It is durable, by `sync` or by a flush of the whole file system. */
  endFlush(mark: FlushMark): Promise<void>
  /** It is not known to be durable, and is flushed again. */
  abandonFlush(mark: FlushMark): void
}

export interface FlushMark {
  readonly endOffset: number
  readonly files: readonly { readonly segment: Segment; readonly sizeBytes: number }[]
  /** Directory entries were made that are not known to be durable. */
  readonly directory: boolean
  /** How often the log's end had been cut. */
  readonly cutCount: number
}
