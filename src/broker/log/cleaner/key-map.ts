import { assert } from '../../../lib/assert.ts'
import { KeyHash } from './key-hash.ts'

/** Bytes that one key takes: its hash of 128 bits, and an offset. */
export const keySlotBytes = 24

const slotWords = keySlotBytes / 4
const twoTo32 = 0x1_0000_0000

export interface KeyMapOptions {
  /** Places for keys; what they take is taken at once. */
  readonly slots: number
  /** Keys that are taken: fewer than places, so that a search ends soon. */
  readonly keysMax: number
  /** 16 bytes by chance: see `KeyHash`. */
  readonly seed: Uint8Array
}

/**
 * The offset of the last record of each key, in one piece of memory of a bounded size. Keys are known by their hash
 * of 128 bits: among 2^32 of them two are the same by chance once in 2^65 logs. Open addressing; the second half of the hash says how
 * far the next place lies, which reaches all of them because their number is a prime.
 */
export class KeyMap {
  readonly #hash: KeyHash
  readonly #slots: number
  readonly #keysMax: number
  /** Of each place four words of hash, then the offset + 1 as upper and lower half: 0 and 0 where it is free. */
  readonly #words: Uint32Array
  #size = 0

  constructor({ slots, keysMax, seed }: KeyMapOptions) {
    assert(slots >= 2 && keysMax >= 1, 'a key map has room for a key')
    this.#hash = new KeyHash(seed)
    this.#slots = primeUpTo(slots)
    this.#keysMax = Math.min(keysMax, this.#slots - 1)
    this.#words = new Uint32Array(this.#slots * slotWords)
  }

  /** Keys that it holds. */
  get size(): number {
    return this.#size
  }

  /** Share of the keys that it takes, 0 to 1. */
  get utilization(): number {
    return this.#size / this.#keysMax
  }

  /** Notes that the key in `bytes[from, to)` has a record at `offset`, later than any before; false where no key fits any more. */
  put(bytes: Uint8Array, from: number, to: number, offset: number): boolean {
    const at = this.#find(bytes, from, to)
    const words = this.#words
    if (this.#isFree(at)) {
      if (this.#size >= this.#keysMax) return false
      this.#size++
      words.set(this.#hash.words, at)
    }
    words[at + 4] = Math.floor((offset + 1) / twoTo32)
    words[at + 5] = offset + 1
    return true
  }

  /** The offset of the key's last record; -1 where it has none. */
  get(bytes: Uint8Array, from: number, to: number): number {
    const at = this.#find(bytes, from, to)
    return this.#words[at + 4]! * twoTo32 + this.#words[at + 5]! - 1
  }

  /** Where the key stands, or would. */
  #find(bytes: Uint8Array, from: number, to: number): number {
    const { words: sum } = this.#hash
    this.#hash.sum(bytes, from, to)
    let slot = (sum[0]! >>> 0) % this.#slots
    const step = 1 + ((sum[1]! >>> 0) % (this.#slots - 1))
    for (;;) {
      const at = slot * slotWords
      if (this.#isFree(at) || this.#isOf(at)) return at
      slot = (slot + step) % this.#slots
    }
  }

  #isFree(at: number): boolean {
    return this.#words[at + 4] === 0 && this.#words[at + 5] === 0
  }

  #isOf(at: number): boolean {
    const words = this.#words
    const [a, b, c, d] = this.#hash.words as unknown as [number, number, number, number]
    return (
      words[at] === a >>> 0 &&
      words[at + 1] === b >>> 0 &&
      words[at + 2] === c >>> 0 &&
      words[at + 3] === d >>> 0
    )
  }
}

function primeUpTo(number: number): number {
  let candidate = Math.max(2, Math.floor(number))
  while (!isPrime(candidate)) candidate--
  return candidate
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) {
    if (number % divisor === 0) return false
  }
  return true
}
