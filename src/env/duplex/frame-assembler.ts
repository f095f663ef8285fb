import { readInt32 } from '../../lib/bytes.ts'
import { requestSizeMin } from '../admission.ts'

/** What a chunk completed, and what is wrong behind it; after a fault the stream has no frames any more. */
export interface Assembled {
  readonly frames: readonly Uint8Array[]
  readonly fault: string | null
}

const prefixBytes = 4
const firstCapacityBytes = 4096
const empty = new Uint8Array(0)

/**
 * Cuts a stream of chunks into frames. A frame inside one chunk is a view of it; one that spans chunks is copied
 * into a buffer that grows with what arrived, to at most twice that: a length that was only announced costs nothing.
 */
export class FrameAssembler {
  readonly #sizeMin: number
  readonly #sizeMax: number
  readonly #prefix = new Uint8Array(prefixBytes)
  #prefixFilled = 0
  /** Size of the frame that has begun; -1 while its prefix is incomplete. */
  #size = -1
  #body = empty
  #filled = 0
  /** Bytes copied because their frame came in more than one chunk, growth of the buffer included. */
  copiedBytes = 0

  constructor(sizeMax: number, sizeMin = requestSizeMin) {
    this.#sizeMin = sizeMin
    this.#sizeMax = sizeMax
  }

  /** Bytes of the frame that has begun, its prefix included; 0 between frames. */
  get partialBytes(): number {
    return this.#prefixFilled + this.#filled
  }

  /** Bytes that the frame that has begun still lacks, as far as is known. */
  get missingBytes(): number {
    return this.#size === -1 ? prefixBytes - this.#prefixFilled : this.#size - this.#filled
  }

  push(chunk: Uint8Array): Assembled {
    const frames: Uint8Array[] = []
    let at = 0
    while (at < chunk.length) {
      if (this.#size === -1) {
        at += this.#takePrefix(chunk, at)
        if (this.#prefixFilled < prefixBytes) break
        const size = readInt32(this.#prefix, 0)
        const fault = this.#faultOf(size)
        if (fault !== null) return { frames, fault }
        this.#size = size
      }
      const count = Math.min(this.#size - this.#filled, chunk.length - at)
      if (count === this.#size) frames.push(chunk.subarray(at, at + count))
      else this.#append(chunk.subarray(at, at + count))
      at += count
      if (this.#filled === this.#size) frames.push(this.#body.subarray(0, this.#size))
      if (count === this.#size || this.#filled === this.#size) this.#reset()
    }
    return { frames, fault: null }
  }

  #takePrefix(chunk: Uint8Array, at: number): number {
    const count = Math.min(prefixBytes - this.#prefixFilled, chunk.length - at)
    this.#prefix.set(chunk.subarray(at, at + count), this.#prefixFilled)
    this.#prefixFilled += count
    return count
  }

  #faultOf(size: number): string | null {
    if (size < this.#sizeMin) return `a frame of ${size} bytes is too small`
    if (size > this.#sizeMax) return `a frame of ${size} bytes is above ${this.#sizeMax}`
    return null
  }

  #append(bytes: Uint8Array): void {
    const needed = this.#filled + bytes.length
    if (needed > this.#body.length) {
      const grown = new Uint8Array(Math.min(this.#size, Math.max(firstCapacityBytes, needed * 2)))
      grown.set(this.#body.subarray(0, this.#filled))
      this.copiedBytes += this.#filled
      this.#body = grown
    }
    this.#body.set(bytes, this.#filled)
    this.copiedBytes += bytes.length
    this.#filled = needed
  }

  #reset(): void {
    this.#prefixFilled = 0
    this.#size = -1
    this.#body = empty
    this.#filled = 0
  }
}
