/**
 * SipHash-2-4 with 128 bits (Aumasson and Bernstein 2012) under a key of this run: clients choose the keys of records,
 * and must not be able to make two that count as one. In JavaScript, because a call into node:crypto costs more than
 * the sum for keys of a usual length.
 */
export class KeyHash {
  /** Of the last `sum`: 128 bits. */
  readonly words = new Int32Array(4)
  /** Key of the function, as four words in little-endian order. */
  readonly #key: Int32Array
  /** v0 to v3, each as lower and upper half. */
  readonly #state = new Int32Array(8)

  /** `seed`: 16 bytes. */
  constructor(seed: Uint8Array) {
    this.#key = Int32Array.from({ length: 4 }, (_, word) => wordAt(seed, word * 4))
  }

  /** Hashes `bytes[from, to)` into `words`. */
  sum(bytes: Uint8Array, from: number, to: number): void {
    const state = this.#state
    this.#begin()
    const length = to - from
    const whole = from + (length & ~7)
    for (let at = from; at < whole; at += 8) {
      const low = wordAt(bytes, at)
      const high = wordAt(bytes, at + 4)
      mix(state, low, high, 2)
    }
    let low = 0
    let high = length << 24
    for (let at = whole; at < to; at++) {
      const shift = (at - whole) * 8
      if (shift < 32) low |= bytes[at]! << shift
      else high |= bytes[at]! << (shift - 32)
    }
    mix(state, low, high, 2)
    this.#finish()
  }

  #begin(): void {
    const state = this.#state
    const [k0low, k0high, k1low, k1high] = this.#key as unknown as [number, number, number, number]
    state[0] = k0low ^ 0x70736575
    state[1] = k0high ^ 0x736f6d65
    state[2] = k1low ^ 0x6e646f6d ^ 0xee
    state[3] = k1high ^ 0x646f7261
    state[4] = k0low ^ 0x6e657261
    state[5] = k0high ^ 0x6c796765
    state[6] = k1low ^ 0x79746573
    state[7] = k1high ^ 0x74656462
  }

  #finish(): void {
    const state = this.#state
    state[4]! ^= 0xee
    mix(state, 0, 0, 4)
    this.words[0] = state[0]! ^ state[2]! ^ state[4]! ^ state[6]!
    this.words[1] = state[1]! ^ state[3]! ^ state[5]! ^ state[7]!
    state[2]! ^= 0xdd
    mix(state, 0, 0, 4)
    this.words[2] = state[0]! ^ state[2]! ^ state[4]! ^ state[6]!
    this.words[3] = state[1]! ^ state[3]! ^ state[5]! ^ state[7]!
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

/** Takes in a word of 64 bits: `rounds` SipRounds between the two additions. */
function mix(state: Int32Array, low: number, high: number, rounds: number): void {
  let [a, A, b, B, c, C, d, D] = [
    state[0]!,
    state[1]!,
    state[2]!,
    state[3]!,
    state[4]!,
    state[5]!,
    state[6]! ^ low,
    state[7]! ^ high,
  ]
  for (let round = 0; round < rounds; round++) {
    // a += b; b = b <<< 13 ^ a; a <<<= 32
    let sum = (a >>> 0) + (b >>> 0)
    A = (A + B + (sum > 0xffff_ffff ? 1 : 0)) | 0
    a = sum | 0
    let turned = (b << 13) | (B >>> 19)
    B = ((B << 13) | (b >>> 19)) ^ A
    b = turned ^ a
    turned = a
    a = A
    A = turned
    // c += d; d = d <<< 16 ^ c
    sum = (c >>> 0) + (d >>> 0)
    C = (C + D + (sum > 0xffff_ffff ? 1 : 0)) | 0
    c = sum | 0
    turned = (d << 16) | (D >>> 16)
    D = ((D << 16) | (d >>> 16)) ^ C
    d = turned ^ c
    // a += d; d = d <<< 21 ^ a
    sum = (a >>> 0) + (d >>> 0)
    A = (A + D + (sum > 0xffff_ffff ? 1 : 0)) | 0
    a = sum | 0
    turned = (d << 21) | (D >>> 11)
    D = ((D << 21) | (d >>> 11)) ^ A
    d = turned ^ a
    // c += b; b = b <<< 17 ^ c; c <<<= 32
    sum = (c >>> 0) + (b >>> 0)
    C = (C + B + (sum > 0xffff_ffff ? 1 : 0)) | 0
    c = sum | 0
    turned = (b << 17) | (B >>> 15)
    B = ((B << 17) | (b >>> 15)) ^ C
    b = turned ^ c
    turned = c
    c = C
    C = turned
  }
  state[0] = a ^ low
  state[1] = A ^ high
  state[2] = b
  state[3] = B
  state[4] = c
  state[5] = C
  state[6] = d
  state[7] = D
}
