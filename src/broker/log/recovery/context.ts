import type { BatchHeader } from '../batch/batch.ts'
import type { LogConfig } from '../log-config.ts'
import type { LogHost } from '../log-host.ts'
import type { LogId } from '../log-id.ts'
import type { ProducerState } from '../producers/state.ts'
import type { ProducerStates } from '../producers/states.ts'
import type { ReadRecord, SegmentPoint } from '../segment/growth-file.ts'
import type { Segment } from '../segment/segment.ts'
import type { walkBatches, WalkEnd } from '../segment/walk.ts'
import type { FoundCleaned } from '../state/cleaned.ts'
import type { EpochCache } from '../state/epoch-cache.ts'

/** What the clean marker says of a log (FORMAT.md). */
export interface CleanLine {
  readonly endOffset: number
  readonly lastEpoch: number
  readonly activeBase: number
  readonly activeBytes: number
}

/** How much of what is on disk may be believed (durability.md 3.1): class A, B, C. */
export type Trust = 'clean' | 'process-died' | 'machine-died'

export interface RecoveryOptions {
  readonly id: LogId
  readonly name: string
  readonly path: string
  readonly host: LogHost
  readonly config: LogConfig
  readonly trust: Trust
  readonly cleanLine: CleanLine | null
  /** Everything below was durable. Null where nobody knows: the checkpoint does not have the log. */
  readonly recoveryPoint: number | null
  /** As the checkpoint has it. */
  readonly startOffset: number
  /** How far the log was cleaned, as the checkpoints have it. */
  readonly cleaned: FoundCleaned
  /** What the directory already knows to be wrong with the log; null where nothing is. */
  readonly knownDamage: string | null
}

/** One log on its way from files to a `LogState`: what its steps share. */
export interface Recovery extends Omit<RecoveryOptions, 'trust' | 'recoveryPoint'> {
  readonly steps: RecoverySteps
  /**
   * Names in the log's directory, as they were when what others had begun was finished: no other is there, and some of
   * them may be gone since.
   */
  files: ReadonlySet<string>
  /** Falls to `machine-died` where the clean marker does not fit. */
  trust: Trust
  readonly epochs: EpochCache
  producers: ProducerStates
  /** Below it the producers know everything already. */
  producersUpTo: number
  /** Where the growth file of the segment began in which the walk began; null where it began at a segment. */
  resumedFrom: number | null
  /** Where segments begin that lie wholly below the log's start, in order: nobody looks at them, and they go where nothing is wrong. */
  leaving: readonly number[]
  /** Those whose batches are sound, in order. */
  readonly segments: Segment[]
  /** Everything below was durable; 0 where that is not known. */
  readonly recoveryPoint: number
  readonly isRecoveryPointKnown: boolean
  /** Below it offsets may be missing: as it was known, or where they were found to be. */
  sparseTo: number
  /** What is wrong below the recovery point; then the log stays out of service. */
  damage: string | null
  /** A process that died leaves a torn tail and nothing else; this says what else was found. */
  surprise: string | null
  truncatedBytes: number
}

/** A segment up to a point at or below the recovery point, as its caches tell it: the walk begins there. */
export interface Resume {
  readonly segment: Segment
  /** Producers at this offset come from a snapshot, or from the segments below. */
  readonly producersFrom: number
  /** What came to them from there to the segment's end as it is now, step by step. */
  readonly producers: readonly (readonly ProducerState[])[]
}

/**
 * The steps in which a recovery decides what to believe and what to keep; what lies between them only finds the
 * way through the files. Each is given what it needs and has a place of its own, so that it can be read, and
 * exchanged, by itself.
 */
export interface RecoverySteps {
  /** Batches one after the other, up to the first broken rule. */
  walkBatches: typeof walkBatches
  /** Of a growth file's records those that are still true of a segment of `sizeBytes`, one after the other from `from`. */
  growthRecords(
    recovery: Recovery,
    records: readonly ReadRecord[],
    from: SegmentPoint,
    sizeBytes: number,
  ): ReadRecord[]
  /** Whether a segment's batches are what its caches said. */
  confirmCaches(recovery: Recovery, segment: Segment): Promise<boolean>
  /**
   * Reads what the caches did not say of a segment into memory: index, epochs, producers. It is in the list afterwards. It
   * ends before `upToOffset`, where the next one begins.
   */
  walkSegment(recovery: Recovery, segment: Segment, upToOffset: number): Promise<WalkEnd>
  /** Ends a segment behind its last sound batch, durably. */
  cut(recovery: Recovery, segment: Segment, end: WalkEnd): Promise<void>
  /** The producers as they were at `walkedFrom`. */
  restoreProducers(recovery: Recovery, walkedFrom: number): Promise<void>
  /** From where a growth file began to where the walk does. */
  advanceProducers(recovery: Recovery, resume: Resume): void
  /** One batch of the walk. */
  noteProducer(recovery: Recovery, header: BatchHeader, nowMs: number): void
}
