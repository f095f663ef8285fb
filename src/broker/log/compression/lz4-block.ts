import { copyBack, copyLiterals, shortBytes, type Place } from './copying.ts'
import { DecompressError } from './decompress-error.ts'
import { isSameWord, places, slotOf } from './match-table.ts'
import { type BlockCursor } from './work-meter.ts'

/*
 * LZ4 blocks (the block format's description): sequences of a token, literals, and a match, which is a distance back
 * and a length; the last has literals only. A block is measured first, so that nothing is allocated for one that lies.
 */

export interface Lz4Bounds {
  /** How much stands before the block that it may refer to. */
  readonly before: number
  readonly outputBytesMax: number
}

/**
 * Reads on for about `bytesMax`, and counts in `cursor.to` how much the block becomes; gives the bytes read. Of a
 * block that was measured to its end `openLz4Block` believes everything.
 * @throws DecompressError where it is no LZ4 block, or becomes more than it may.
 */
export function measureLz4Block(
  block: Uint8Array,
  cursor: BlockCursor,
  { before, outputBytesMax }: Lz4Bounds,
  bytesMax: number,
): number {
  const began = cursor.at
  let { at, to: made } = cursor
  while (!cursor.isDone && at < began + bytesMax) {
    const token = byteOf(block, at++)
    let literals = token >> 4
    if (literals === 15) {
      for (let more = 255; more === 255; literals += more) {
        more = byteOf(block, at++)
        if (literals > outputBytesMax) throw DecompressError.tooLarge(outputBytesMax)
      }
    }
    at += literals
    made += literals
    if (at > block.length) throw malformed('ends within its literals')
    if (at === block.length) {
      cursor.isDone = true
    } else {
      const distance = byteOf(block, at) | (byteOf(block, at + 1) << 8)
      at += 2
      if (distance === 0 || distance > before + made) {
        throw malformed(`refers ${distance} bytes back where ${before + made} are`)
      }
      let length = token & 15
      if (length === 15) {
        for (let more = 255; more === 255; length += more) {
          more = byteOf(block, at++)
          if (length > outputBytesMax) throw DecompressError.tooLarge(outputBytesMax)
        }
      }
      made += length + matchBytesMin
    }
    if (made > outputBytesMax) throw DecompressError.tooLarge(outputBytesMax)
  }
  cursor.at = at
  cursor.to = made
  return at - began
}

/** Writes on at `cursor.to` for about `bytesMax`; gives the bytes written. */
export function openLz4Block(
  block: Uint8Array,
  cursor: BlockCursor,
  out: Uint8Array,
  bytesMax: number,
): number {
  const began = cursor.to
  let { at, to } = cursor
  while (!cursor.isDone && to < began + bytesMax) {
    const token = block[at++]!
    let literals = token >> 4
    if (literals === 15) {
      for (let more = 255; more === 255; literals += more) more = block[at++]!
    }
    if (literals < shortBytes) {
      for (const end = to + literals; to < end;) out[to++] = block[at++]!
    } else {
      out.set(block.subarray(at, at + literals), to)
      at += literals
      to += literals
    }
    if (at < block.length) {
      const distance = block[at]! | (block[at + 1]! << 8)
      at += 2
      let length = (token & 15) + matchBytesMin
      if (length === 15 + matchBytesMin) {
        for (let more = 255; more === 255; length += more) more = block[at++]!
      }
      if (length < shortBytes) {
        for (const end = to + length; to < end; to++) out[to] = out[to - distance]!
      } else {
        copyBack(out, to, distance, length)
        to += length
      }
    } else {
      cursor.isDone = true
    }
  }
  cursor.at = at
  cursor.to = to
  return to - began
}

/** At most 64 KiB as an LZ4 block; null where it would not become smaller. */
export function makeLz4Block(plain: Uint8Array): Uint8Array | null {
  const out = new Uint8Array(plain.length + Math.ceil(plain.length / 255) + 16)
  places.fill(0)
  let [at, literalsAt, to] = [0, 0, 0]
  while (at <= plain.length - matchFromEndMin) {
    const slot = slotOf(plain, at)
    const found = places[slot]! - 1
    places[slot] = at + 1
    if (found < 0 || !isSameWord(plain, found, at)) {
      // The longer nothing matched, the faster it goes on: noise costs little.
      at += 1 + ((at - literalsAt) >> 6)
      continue
    }
    let length = matchBytesMin
    const lengthMax = plain.length - literalsInTheEnd - at
    while (length < lengthMax && plain[found + length] === plain[at + length]) length++
    const more = length - matchBytesMin
    to = putRun(plain, { at: literalsAt, length: at - literalsAt }, more, { out, to })
    out[to++] = at - found
    out[to++] = (at - found) >> 8
    to = putMore(out, to, more)
    at += length
    literalsAt = at
  }
  const rest = { at: literalsAt, length: plain.length - literalsAt }
  to = putRun(plain, rest, 0, { out, to })
  return to < plain.length ? out.subarray(0, to) : null
}

/** A token, of which `matchMore` is the lower half, and its literals. */
function putRun(
  plain: Uint8Array,
  literals: { readonly at: number; readonly length: number },
  matchMore: number,
  { out, to: start }: Place,
): number {
  let to = start
  out[to++] = (Math.min(literals.length, 15) << 4) | Math.min(matchMore, 15)
  to = putMore(out, to, literals.length)
  copyLiterals(plain, literals.at, literals.length, { out, to })
  return to + literals.length
}

/** The bytes of a number that does not fit into its four bits of the token. */
function putMore(out: Uint8Array, start: number, number: number): number {
  let to = start
  if (number < 15) return to
  let rest = number - 15
  for (; rest >= 255; rest -= 255) out[to++] = 255
  out[to++] = rest
  return to
}

function byteOf(block: Uint8Array, at: number): number {
  if (at < block.length) return block[at]!
  throw malformed('is cut short')
}

function malformed(how: string): DecompressError {
  return new DecompressError(`a block is not LZ4: it ${how}`)
}

const matchBytesMin = 4
/** No match begins in the last twelve bytes, nor reaches into the last five: the format says so. */
const matchFromEndMin = 12
const literalsInTheEnd = 5
