const bits = 13

/**
 * Where a word of four bytes was seen last in what is being compressed, plus one; 0: nowhere. One table for all:
 * who compresses a block empties it first, and is done with it before anybody else can begin.
 */
export const places = new Uint32Array(1 << bits)

/** The place in the table of the four bytes at `at`. */
export function slotOf(bytes: Uint8Array, at: number): number {
  const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
  return Math.imul(word, 0x9e3779b1) >>> (32 - bits)
}

export function isSameWord(bytes: Uint8Array, a: number, b: number): boolean {
  return (
    bytes[a] === bytes[b] &&
    bytes[a + 1] === bytes[b + 1] &&
    bytes[a + 2] === bytes[b + 2] &&
    bytes[a + 3] === bytes[b + 3]
  )
}
