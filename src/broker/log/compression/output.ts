import { DecompressError } from './decompress-error.ts'

/** Collects what a codec gives block by block, and stops it at the limit. */
export class Output {
  readonly #bytesMax: number
  readonly #parts: Uint8Array[] = []
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytesLeft(): number {
    return this.#bytesMax - this.#bytes
  }

  /** @throws DecompressError */
  add(part: Uint8Array): void {
    if (part.length > this.bytesLeft) throw DecompressError.tooLarge(this.#bytesMax)
    this.#bytes += part.length
    this.#parts.push(part)
  }

  /** The last `bytes`, or all where there are fewer: what a block may refer back to. */
  tail(bytes: number): Uint8Array {
    const parts: Uint8Array[] = []
    let missing = Math.min(bytes, this.#bytes)
    for (let at = this.#parts.length - 1; missing > 0; at--) {
      const part = this.#parts[at]!
      const taken = part.subarray(Math.max(0, part.length - missing))
      parts.unshift(taken)
      missing -= taken.length
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }

  /** Everything in one piece. */
  whole(): Uint8Array {
    return this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts)
  }
}
