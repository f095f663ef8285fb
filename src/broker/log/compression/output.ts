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

  /** Everything in one piece. Others have their turn after every 1 MiB copied. */
  async whole(turn: () => Promise<void>): Promise<Uint8Array> {
    if (this.#parts.length === 1) return this.#parts[0]!
    const whole = Buffer.allocUnsafeSlow(this.#bytes)
    let at = 0
    let turnAt = bytesPerTurn
    for (const piece of this.#pieces()) {
      whole.set(piece, at)
      at += piece.length
      if (at < turnAt) continue
      turnAt = at + bytesPerTurn
      await turn()
    }
    return whole
  }

  /** The parts, none larger than what is copied in one turn. */
  *#pieces(): Generator<Uint8Array, void, undefined> {
    for (const part of this.#parts) {
      for (let at = 0; at < part.length; at += bytesPerTurn) {
        yield part.subarray(at, at + bytesPerTurn)
      }
    }
  }
}

const bytesPerTurn = 1024 * 1024
