import { assert } from '../../../lib/assert.ts'

/** Of the many logs that have no entry yet. */
const nothing = new Uint32Array(0)

/** Bytes of one entry, in memory and on disk. */
export const offsetEntryBytes = 8

/** Where some batches of a segment begin. Both columns rise strictly; the first batch needs no entry. */
export class OffsetIndex {
  #relativeOffsets: Uint32Array
  #positions: Uint32Array
  #count: number

  constructor(relativeOffsets = nothing, positions = nothing) {
    assert(relativeOffsets.length === positions.length, 'an index has as many offsets as positions')
    this.#relativeOffsets = relativeOffsets
    this.#positions = positions
    this.#count = relativeOffsets.length
  }

  get count(): number {
    return this.#count
  }

  get sizeBytes(): number {
    return this.#count * offsetEntryBytes
  }

  relativeOffsetAt(at: number): number {
    return this.#relativeOffsets[at]!
  }

  positionAt(at: number): number {
    return this.#positions[at]!
  }

  push(relativeOffset: number, position: number): void {
    if (this.#count === this.#positions.length) this.#grow()
    this.#relativeOffsets[this.#count] = relativeOffset
    this.#positions[this.#count] = position
    this.#count++
  }

  /** The last entry whose batch begins at or before `relativeOffset`; -1 where only the first batch does. */
  byOffset(relativeOffset: number): number {
    return lastAtMost(this.#relativeOffsets, this.#count, relativeOffset)
  }

  /** The last entry whose batch begins at or before byte `position`; -1 where only the first batch does. */
  byPosition(position: number): number {
    return lastAtMost(this.#positions, this.#count, position)
  }

  #grow(): void {
    const capacity = Math.max(16, this.#count * 2)
    this.#relativeOffsets = grown(this.#relativeOffsets, capacity)
    this.#positions = grown(this.#positions, capacity)
  }
}

/** Index of the last of the first `count` rising values that is <= `limit`, or -1. */
function lastAtMost(values: Uint32Array | Float64Array, count: number, limit: number): number {
  return lastThat(count, at => values[at]! <= limit)
}

/** Index of the last of the first `count` rising values that is < `limit`, or -1. */
export function lastBelow(values: Float64Array, count: number, limit: number): number {
  return lastThat(count, at => values[at]! < limit)
}

/** Index of the last of `count` places at which `holds` does, or -1; it holds up to some place, and not behind. */
function lastThat(count: number, holds: (at: number) => boolean): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(middle)) low = middle + 1
    else high = middle
  }
  return low - 1
}

function grown(values: Uint32Array, capacity: number): Uint32Array {
  const larger = new Uint32Array(capacity)
  larger.set(values)
  return larger
}
