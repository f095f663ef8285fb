import { lookUpBytesMax } from '../../../env/env.ts'
import {
  batchMagic,
  batchOverheadBytes,
  lastOffset,
  readBatchHeader,
  type BatchHeader,
} from '../batch/batch.ts'
import type { SegmentIndex } from './segment-index.ts'
import type { Segment } from './segment.ts'

/**
 * Finds byte ranges in a segment by its index and a few headers. Written as generators that ask for bytes, so
 * that one algorithm serves both lanes: hot, where the bytes are read at once, and cold, off the event loop.
 */
export type Lookup<T> = Generator<ReadWish, T, Uint8Array>

/** Give me these bytes of the segment; fewer come only at the end of the file. */
export interface ReadWish {
  readonly position: number
  readonly length: number
}

export interface RangeWish {
  readonly fromOffset: number
  readonly maxBytes: number
  /** No batch that reaches this offset or beyond. */
  readonly upToOffset: number
  /** The first batch comes whole, however large (G29). */
  readonly minOneBatch: boolean
}

/** `mismatch`: the bytes are not what index and segment said. The index is wrong, or the segment is damaged. */
export type Range =
  | {
      readonly kind: 'range'
      readonly position: number
      readonly length: number
      /** Behind its last batch. */
      readonly endOffset: number
    }
  | { readonly kind: 'empty' }
  | { readonly kind: 'mismatch'; readonly position: number; readonly reason: string }

/** Headers are read in pieces of this size: small batches come many at a time. */
export const headerReadBytes = lookUpBytesMax

/** Thrown inside a lookup, caught at its top. */
class Mismatch extends Error {
  readonly position: number

  constructor(position: number, reason: string) {
    super(reason)
    this.position = position
  }
}

/** The whole batches of `segment` from the one that contains `fromOffset` (G28), as many as the wish allows. */
export function* findRange(segment: Segment, index: SegmentIndex, wish: RangeWish): Lookup<Range> {
  try {
    const headers = new HeaderWindow(segment)
    const first = yield* firstEndingFrom(segment, index, headers, wish.fromOffset)
    if (first === null || lastOffset(first.header) >= wish.upToOffset) return { kind: 'empty' }
    const firstEnd = first.position + first.header.sizeBytes
    if (first.header.sizeBytes > wish.maxBytes && !wish.minOneBatch) return { kind: 'empty' }
    const limit = Math.max(first.position + wish.maxBytes, firstEnd)
    const end = yield* lastEnd({
      segment,
      index,
      headers,
      limit,
      upToOffset: wish.upToOffset,
      first,
    })
    const length = end.position - first.position
    return { kind: 'range', position: first.position, length, endOffset: end.offset }
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error
    return { kind: 'mismatch', position: error.position, reason: error.message }
  }
}

export interface LocatedBatch {
  readonly position: number
  readonly header: BatchHeader
}

/** The first batch from the index entry for `start` on that `wanted` accepts; null where none does. */
export function* findBatch(
  segment: Segment,
  start: { readonly offset: number; readonly position: number },
  wanted: (header: BatchHeader, position: number) => boolean,
): Lookup<LocatedBatch | null | Extract<Range, { kind: 'mismatch' }>> {
  try {
    const headers = new HeaderWindow(segment)
    let { position, offset } = start
    while (position < segment.sizeBytes) {
      const header = yield* headers.at(position, offset)
      if (wanted(header, position)) return { position, header }
      position += header.sizeBytes
      offset = lastOffset(header) + 1
    }
    return null
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error
    return { kind: 'mismatch', position: error.position, reason: error.message }
  }
}

/** The batch that contains `offset`, or the first one behind it; null behind the last. */
function* firstEndingFrom(
  segment: Segment,
  index: SegmentIndex,
  headers: HeaderWindow,
  offset: number,
): Lookup<LocatedBatch | null> {
  const entry = index.floor(offset)
  let { position, offset: expected } = entry
  while (position < segment.sizeBytes) {
    const header = yield* headers.at(position, expected)
    if (position === entry.position && header.baseOffset !== entry.offset && entry.position > 0) {
      throw new Mismatch(
        position,
        `base offset ${header.baseOffset}, the index says ${entry.offset}`,
      )
    }
    if (lastOffset(header) >= offset) return { position, header }
    position += header.sizeBytes
    expected = lastOffset(header) + 1
  }
  return null
}

interface EndSearch {
  readonly segment: Segment
  readonly index: SegmentIndex
  readonly headers: HeaderWindow
  /** No batch may end behind this byte. */
  readonly limit: number
  readonly upToOffset: number
  readonly first: LocatedBatch
}

/** Where, and at what offset, the last batch ends that is within `limit` and `upToOffset`; the first one is. */
function* lastEnd({
  segment,
  index,
  headers,
  limit,
  upToOffset,
  first,
}: EndSearch): Lookup<{ readonly position: number; readonly offset: number }> {
  const isAllVisible = upToOffset >= segment.endOffset
  if (isAllVisible && segment.sizeBytes <= limit) {
    return { position: segment.sizeBytes, offset: segment.endOffset }
  }
  const byBytes = index.floorPosition(limit)
  const byOffset = isAllVisible ? byBytes : index.floor(upToOffset)
  const entry = byOffset.position < byBytes.position ? byOffset : byBytes
  let position = first.position + first.header.sizeBytes
  let expected = lastOffset(first.header) + 1
  if (entry.position > position) ({ position, offset: expected } = entry)
  while (position < segment.sizeBytes) {
    const header = yield* headers.at(position, expected)
    if (position + header.sizeBytes > limit || lastOffset(header) >= upToOffset) break
    position += header.sizeBytes
    expected = lastOffset(header) + 1
  }
  return { position, offset: expected }
}

const nothing = new Uint8Array(0)

/** Reads headers through one small window, and believes none that does not fit its place. */
class HeaderWindow {
  readonly #segment: Segment
  #bytes: Uint8Array = nothing
  #start = 0

  constructor(segment: Segment) {
    this.#segment = segment
  }

  /** The header of the batch at `position`, whose base offset must be `expected`, or higher where offsets were compacted away. */
  *at(position: number, expected: number): Lookup<BatchHeader> {
    const { sizeBytes, endOffset } = this.#segment
    const isInside =
      position >= this.#start && position + batchOverheadBytes <= this.#start + this.#bytes.length
    if (!isInside) {
      const length = Math.min(headerReadBytes, sizeBytes - position)
      if (length < batchOverheadBytes)
        throw new Mismatch(position, 'the segment ends inside a header')
      this.#bytes = yield { position, length }
      this.#start = position
      if (this.#bytes.length < batchOverheadBytes)
        throw new Mismatch(position, 'the file is shorter than the segment')
    }
    const header = readBatchHeader(this.#bytes, position - this.#start)
    const isSound =
      header.magic === batchMagic &&
      header.sizeBytes >= batchOverheadBytes &&
      position + header.sizeBytes <= sizeBytes &&
      header.lastOffsetDelta >= 0 &&
      header.baseOffset >= expected &&
      lastOffset(header) < endOffset
    if (!isSound) throw new Mismatch(position, `no batch of offset ${expected} begins there`)
    return header
  }
}
