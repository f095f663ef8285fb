import type { BatchHeader } from '../batch/batch.ts'
import { OffsetIndex, offsetEntryBytes } from './offset-index.ts'
import { TimeIndex } from './time-index.ts'

/** Both indexes of one segment, and what keeps them in step with its batches. */
export class SegmentIndex {
  readonly offsets: OffsetIndex
  readonly times: TimeIndex
  readonly #baseOffset: number
  #bytesSinceEntry = 0
  #maxTimestamp = -1
  #maxTimestampOffset = -1

  constructor(
    baseOffset: number,
    from: {
      readonly offsets: OffsetIndex
      readonly times: TimeIndex
      readonly newest: NewestTime
      /** Of the segment that they speak of. */
      readonly logBytes: number
    } | null = null,
  ) {
    this.#baseOffset = baseOffset
    this.offsets = from?.offsets ?? new OffsetIndex()
    this.times = from?.times ?? new TimeIndex()
    if (from === null) return
    this.#maxTimestamp = from.newest.timestampMs
    this.#maxTimestampOffset = from.newest.batchOffset
    this.#bytesSinceEntry = from.logBytes - this.floorPosition(from.logBytes).position
  }

  /** The greatest batch timestamp of the segment and the first batch that has it; -1 and -1 where none has one. */
  get newest(): NewestTime {
    return { timestampMs: this.#maxTimestamp, batchOffset: this.#maxTimestampOffset }
  }

  /** Bytes in memory. */
  get sizeBytes(): number {
    return this.offsets.sizeBytes + this.times.count * 12
  }

  /** Must be told every batch of the segment, in order. */
  note(header: BatchHeader, position: number, intervalBytes: number): void {
    const relativeOffset = header.baseOffset - this.#baseOffset
    if (position > 0 && this.#bytesSinceEntry > intervalBytes) {
      this.offsets.push(relativeOffset, position)
      if (this.#maxTimestamp >= 0) this.times.push(this.#maxTimestamp, relativeOffset)
      this.#bytesSinceEntry = 0
    }
    this.#bytesSinceEntry += header.sizeBytes
    if (header.maxTimestamp > this.#maxTimestamp) {
      this.#maxTimestamp = header.maxTimestamp
      this.#maxTimestampOffset = header.baseOffset
    }
  }

  /** Whether one more entry would pass `segment.index.bytes`: then the segment is closed. */
  isFull(indexBytesMax: number): boolean {
    return this.offsets.sizeBytes + offsetEntryBytes > indexBytesMax
  }

  /** Where to begin the search for `offset`: a batch at `position` that begins with exactly `offset`. */
  floor(offset: number): IndexEntry {
    return this.#entry(this.offsets.byOffset(offset - this.#baseOffset))
  }

  /** The last indexed batch that begins at or before byte `position`. */
  floorPosition(position: number): IndexEntry {
    return this.#entry(this.offsets.byPosition(position))
  }

  /** Where to begin the search for the first batch with `timestampMs` or later. */
  floorTime(timestampMs: number): IndexEntry {
    return this.floor(this.#baseOffset + this.times.floor(timestampMs))
  }

  /** Where the entry after the one at `position` begins, or `end`. */
  positionAfter(position: number, end: number): number {
    const next = this.offsets.byPosition(position) + 1
    return next < this.offsets.count ? this.offsets.positionAt(next) : end
  }

  #entry(at: number): IndexEntry {
    if (at < 0) return { offset: this.#baseOffset, position: 0 }
    return {
      offset: this.#baseOffset + this.offsets.relativeOffsetAt(at),
      position: this.offsets.positionAt(at),
    }
  }
}

export interface NewestTime {
  readonly timestampMs: number
  readonly batchOffset: number
}

export interface IndexEntry {
  readonly offset: number
  readonly position: number
}
