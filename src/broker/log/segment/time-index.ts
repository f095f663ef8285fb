import { assert } from '../../../lib/assert.ts'
import { lastBelow } from './offset-index.ts'

/** Of the many logs that have no entry yet. */
const noTimes = new Float64Array(0)
const noOffsets = new Uint32Array(0)

/** Bytes of one entry, on disk. */
export const timeEntryBytes = 12

/**
 * How the batches' greatest timestamp rises through a segment: entry i says that every batch *before* the one at
 * `relativeOffset` has a timestamp of at most `timestamp`. Timestamps rise strictly, offsets too.
 */
export class TimeIndex {
  #timestamps: Float64Array
  #relativeOffsets: Uint32Array
  #count: number

  constructor(timestamps = noTimes, relativeOffsets = noOffsets) {
    assert(timestamps.length === relativeOffsets.length, 'an index has as many times as offsets')
    this.#timestamps = timestamps
    this.#relativeOffsets = relativeOffsets
    this.#count = timestamps.length
  }

  get count(): number {
    return this.#count
  }

  timestampAt(at: number): number {
    return this.#timestamps[at]!
  }

  relativeOffsetAt(at: number): number {
    return this.#relativeOffsets[at]!
  }

  /** Adds an entry, if `timestamp` rose over the last one's. */
  push(timestamp: number, relativeOffset: number): void {
    if (this.#count > 0 && this.#timestamps[this.#count - 1]! >= timestamp) return
    if (this.#count === this.#timestamps.length) this.#grow()
    this.#timestamps[this.#count] = timestamp
    this.#relativeOffsets[this.#count] = relativeOffset
    this.#count++
  }

  /** A relative offset before which no batch has a timestamp of `timestamp` or more. */
  floor(timestamp: number): number {
    const at = lastBelow(this.#timestamps, this.#count, timestamp)
    return at < 0 ? 0 : this.#relativeOffsets[at]!
  }

  #grow(): void {
    const capacity = Math.max(16, this.#count * 2)
    const timestamps = new Float64Array(capacity)
    timestamps.set(this.#timestamps)
    this.#timestamps = timestamps
    const relativeOffsets = new Uint32Array(capacity)
    relativeOffsets.set(this.#relativeOffsets)
    this.#relativeOffsets = relativeOffsets
  }
}
