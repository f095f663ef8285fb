import type { Segment } from '../segment/segment.ts'

/** A write smaller than this joins the one before it of the same segment. */
const chunkBytesMax = 256 * 1024

/**
 * The bytes that this process appended last, over all logs of a directory: taken for resident where the kernel
 * cannot be asked (durability.md Q3). Keeps `hotFrom` of the segments.
 */
export class HotWindow {
  readonly #bytesMax: number
  readonly #chunks: Chunk[] = []
  /** Chunks before it have left the window. */
  #first = 0
  readonly #newest = new WeakMap<Segment, Chunk>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  wrote(segment: Segment, length: number): void {
    const newest = this.#newest.get(segment)
    this.#bytes += length
    if (newest !== undefined && !newest.hasLeft && newest.bytes + length <= chunkBytesMax) {
      newest.bytes += length
      newest.end = segment.sizeBytes
    } else {
      const chunk = { segment, bytes: length, end: segment.sizeBytes, hasLeft: false }
      this.#chunks.push(chunk)
      this.#newest.set(segment, chunk)
    }
    while (this.#bytes > this.#bytesMax && this.#first < this.#chunks.length) this.#drop()
  }

  #drop(): void {
    const chunk = this.#chunks[this.#first++]!
    chunk.hasLeft = true
    chunk.segment.coolTo(chunk.end)
    this.#bytes -= chunk.bytes
    if (this.#first > 1024 && this.#first * 2 > this.#chunks.length) {
      this.#chunks.splice(0, this.#first)
      this.#first = 0
    }
  }
}

interface Chunk {
  readonly segment: Segment
  bytes: number
  /** Position behind it. */
  end: number
  hasLeft: boolean
}
