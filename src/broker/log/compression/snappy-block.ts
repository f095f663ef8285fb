import { copyBack, copyLiterals, shortBytes, type Place } from './copying.ts'
import { DecompressError } from './decompress-error.ts'
import { isSameWord, places, slotOf } from './match-table.ts'
import { type BlockCursor } from './work-meter.ts'

/*
 * Blocks of snappy (the format's description): how much they become, then elements of literals, or of a length and a
 * distance back. As with LZ4 all of them are looked at before anything is allocated.
 */

/**
 * Reads on for about `bytesMax`, and counts in `cursor.to` how much the block becomes; gives the bytes read. Of a
 * block that was measured to its end `openSnappyBlock` believes everything.
 * @throws DecompressError where it is none, or becomes more than it may.
 */
export function measureSnappyBlock(
  block: Uint8Array,
  cursor: BlockCursor,
  outputBytesMax: number,
  bytesMax: number,
): number {
  const announced = announcedBytes(block)
  if (announced > outputBytesMax) throw DecompressError.tooLarge(outputBytesMax)
  const began = cursor.at
  let { at, to: made } = cursor
  if (at === 0) at = announcedSize(block)
  while (at < block.length && at <= began + bytesMax) {
    const tag = block[at]!
    const length = lengthOf(block, at)
    const next = at + elementBytes(tag) + ((tag & 3) === literal ? length : 0)
    if (next > block.length) throw malformed('ends within an element')
    if ((tag & 3) !== literal) checkDistance(distanceOf(block, at, tag), made)
    made += length
    if (made > announced) throw malformed(`becomes more than the ${announced} bytes that it says`)
    at = next
  }
  cursor.isDone = at === block.length
  if (cursor.isDone && made < announced) {
    throw malformed(`becomes ${made} bytes and says ${announced}`)
  }
  cursor.at = at
  cursor.to = made
  return at - began
}

/** Writes on at `cursor.to` for about `bytesMax`; gives the bytes written. */
export function openSnappyBlock(
  block: Uint8Array,
  cursor: BlockCursor,
  out: Uint8Array,
  bytesMax: number,
): number {
  const began = cursor.to
  let { at, to } = cursor
  if (at === 0) at = announcedSize(block)
  while (at < block.length && to < began + bytesMax) {
    const tag = block[at]!
    const length = lengthOf(block, at)
    if ((tag & 3) === literal) {
      at += elementBytes(tag)
      if (length < shortBytes) {
        for (let index = 0; index < length; index++) out[to + index] = block[at + index]!
      } else {
        out.set(block.subarray(at, at + length), to)
      }
      at += length
    } else {
      const distance = distanceOf(block, at, tag)
      at += elementBytes(tag)
      if (length < shortBytes) {
        for (let index = to; index < to + length; index++) out[index] = out[index - distance]!
      } else {
        copyBack(out, to, distance, length)
      }
    }
    to += length
  }
  cursor.isDone = at === block.length
  cursor.at = at
  cursor.to = to
  return to - began
}

/** At most 64 KiB as a block. */
export function makeSnappyBlock(plain: Uint8Array): Uint8Array {
  const out = new Uint8Array(plain.length + Math.ceil(plain.length / 6) + 32)
  let to = putAnnounced(out, plain.length)
  places.fill(0)
  let [at, literalsAt] = [0, 0]
  while (at + wordBytes <= plain.length) {
    const slot = slotOf(plain, at)
    const found = places[slot]! - 1
    places[slot] = at + 1
    if (found < 0 || !isSameWord(plain, found, at)) {
      // The longer nothing matched, the faster it goes on: noise costs little.
      at += 1 + ((at - literalsAt) >> 5)
      continue
    }
    let length = wordBytes
    while (at + length < plain.length && plain[found + length] === plain[at + length]) length++
    to = putLiterals(plain, literalsAt, at, { out, to })
    to = putCopies(at - found, length, { out, to })
    at += length
    literalsAt = at
  }
  return out.subarray(0, putLiterals(plain, literalsAt, plain.length, { out, to }))
}

function putAnnounced(out: Uint8Array, length: number): number {
  let to = 0
  let rest = length
  for (; rest > 0x7f; rest >>>= 7) out[to++] = (rest & 0x7f) | 0x80
  out[to++] = rest
  return to
}

function putLiterals(plain: Uint8Array, from: number, end: number, place: Place): number {
  const length = end - from
  if (length === 0) return place.to
  const { out } = place
  let { to } = place
  const code = length - 1
  if (code < 60) {
    out[to++] = code << 2
  } else {
    const isLong = code > 0xff
    out[to++] = (isLong ? 61 : 60) << 2
    out[to++] = code
    if (isLong) out[to++] = code >> 8
  }
  copyLiterals(plain, from, length, { out, to })
  return to + length
}

/** An element has at most 64 bytes; four are left for the last, which the short form needs. */
function putCopies(distance: number, length: number, { out, to: start }: Place): number {
  let to = start
  let rest = length
  while (rest > 0) {
    const taken = rest > 64 ? Math.min(64, rest - wordBytes) : rest
    if (taken < 12 && distance < 2048) {
      out[to++] = copyShort | ((taken - 4) << 2) | ((distance >> 8) << 5)
    } else {
      out[to++] = copyMiddle | ((taken - 1) << 2)
      out[to++] = distance
      out[to++] = distance >> 8
      rest -= taken
      continue
    }
    out[to++] = distance
    rest -= taken
  }
  return to
}

/** The varint that a block begins with: how much it becomes. */
function announcedBytes(block: Uint8Array): number {
  let announced = 0
  for (let at = 0; at < 5; at++) {
    const byte = block[at]
    if (byte === undefined) break
    announced += (byte & 0x7f) * 128 ** at
    if (byte < 0x80) return announced
  }
  throw malformed('has no size')
}

function announcedSize(block: Uint8Array): number {
  let at = 0
  while (block[at]! >= 0x80) at++
  return at + 1
}

/** Of an element without its literals. */
function elementBytes(tag: number): number {
  switch (tag & 3) {
    case literal:
      return tag >> 2 < 60 ? 1 : (tag >> 2) - 58
    case copyShort:
      return 2
    case copyMiddle:
      return 3
    default:
      return 5
  }
}

/** How much an element becomes. Bytes that are not there count as 0; the caller looks at the end. */
function lengthOf(block: Uint8Array, at: number): number {
  const tag = block[at]!
  const code = tag >> 2
  if ((tag & 3) === copyShort) return 4 + (code & 7)
  if ((tag & 3) !== literal || code < 60) return code + 1
  let length = 0
  for (let index = code - 59; index > 0; index--) length = length * 256 + (block[at + index] ?? 0)
  return length + 1
}

function distanceOf(block: Uint8Array, at: number, tag: number): number {
  const next = block[at + 1]!
  if ((tag & 3) === copyShort) return ((tag >> 5) << 8) | next
  const low = next | (block[at + 2]! << 8)
  if ((tag & 3) === copyMiddle) return low
  return low + block[at + 3]! * 0x1_0000 + block[at + 4]! * 0x100_0000
}

function checkDistance(distance: number, made: number): void {
  if (distance > 0 && distance <= made) return
  throw malformed(`refers ${distance} bytes back where ${made} are`)
}

function malformed(how: string): DecompressError {
  return new DecompressError(`a block is not snappy: it ${how}`)
}

const literal = 0
const copyShort = 1
const copyMiddle = 2
const wordBytes = 4
