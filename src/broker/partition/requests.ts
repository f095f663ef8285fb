import type { DiskFile } from '../../env/env.ts'
import type { ErrorName } from '../wire/errors.ts'

/** What is asked of a partition, and what it answers: the words of whoever acts on one. */
export { UnwrittenBatches } from '../log/log.ts'
export type { AppendResult, TimedOffset } from '../log/log.ts'

export interface PartitionAppend {
  /** -1: all in-sync replicas, 1: the leader, 0: nobody waits. */
  readonly acks: number
  /** How long an acks=-1 append waits for the in-sync set before REQUEST_TIMED_OUT; the data stays (G16). */
  readonly timeoutMs: number
  readonly origin: 'client' | 'coordinator'
  /** False where the client's version of Produce knows no zstd (KIP-110); true where left out. */
  readonly allowsZstd?: boolean
  /** As in `AppendOptions`. */
  readonly awaitedSequence?: number | null
}

/** Who reads: consumers see what is committed, followers all that there is (durability.md R12). */
export type PartitionReader = { readonly kind: 'consumer' } | FollowerReader

export interface FollowerReader {
  readonly kind: 'follower'
  readonly brokerId: number
  /** Of the start that reads; another than the registered one is refused (KIP-903). */
  readonly brokerEpoch: number
  /** Where the follower's own log begins, -1 where it does not tell. */
  readonly logStartOffset: number
  /** The fetch was looked at before: it tells nothing new of the follower. */
  readonly isRepeated: boolean
}

export interface PartitionRead {
  /** A consumer, where left out. */
  readonly reader?: PartitionReader
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
  /** Up to where this reader may read for now: the high watermark, or a follower the end; -1 with an error. */
  readonly readableOffset: number
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
  /** From here on the file was appended lately: no reader but the tail's is done with it. */
  readonly hotFrom: number
}

/**
 * Whom a partition tells its news, in the turn in which it happens: consumers of what is committed, followers of what is
 * appended.
 */
export interface PartitionWatcher {
  /** `bytes` more can be read; 0 where nobody knows how many. */
  grew(bytes: number): void
  /** Another leader, deletion, failure: what a reader is told of at once (G30). */
  changed(): void
  /**
   * The log begins later; to a follower also: more is committed. Nobody waits for that, but who is told only what is new
   * has to be told.
   */
  startMoved(): void
}

/** Where a follower reads on. */
export interface FetchPosition {
  /** The end of what is written. */
  readonly offset: number
  /** Epoch of the record before it; -1 where there is none. */
  readonly lastFetchedEpoch: number
}

/** What a leader says beside its records. */
export interface LeaderTold {
  /** The epoch that the fetch was sent for. */
  readonly leaderEpoch: number
  /** What the fetch asked for: it is still where our log ends, or nothing is appended. Left out: not checked. */
  readonly fetchOffset?: number
  readonly highWatermark: number
  readonly logStartOffset: number
}

/** What became of fetched records. */
export type FetchedResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly error: ErrorName; readonly message: string }

/** An offset, and the leader epoch that holds there; -1 where that is not known. */
export interface OffsetAndEpoch {
  readonly offset: number
  readonly leaderEpoch: number
}

/** What deleting gave: an error, or the first offset that is still there, -1 with an error. */
export interface Deletion {
  readonly error: ErrorName
  readonly lowWatermark: number
}

/** What a reader has before it: records up to the high watermark, the others estimated from indexes in memory. */
export interface PartitionBacklog {
  readonly records: number
  readonly bytes: number
  /** About when the first of the records was made, in milliseconds since 1970; null where nothing tells. */
  readonly timestampMs: number | null
}

/** What a follower lacks of a leader's log. */
export interface PartitionFollowerLag {
  readonly brokerId: number
  readonly bytes: number
  /** Since it last lacked nothing; null where it has not been seen in the present leader epoch. */
  readonly seconds: number | null
}

/** How far a partition's log reaches. Invariant: startOffset <= highWatermark <= endOffset. */
export interface Extent {
  readonly startOffset: number
  readonly highWatermark: number
  readonly endOffset: number
  /** The newest leader epoch in it; -1 in a log that never had one. */
  readonly latestEpoch: number
  readonly sizeBytes: number
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
