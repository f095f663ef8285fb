import type { SegmentIndex } from '../segment/segment-index.ts'
import type { Segment, SegmentList } from '../segment/segment.ts'

/** What lies between an offset and the end of the log, estimated from what is in memory, in whole numbers: brokers tell one another. */
export interface Backlog {
  readonly bytes: number
  /** About when the record at the offset was made, in milliseconds since 1970; null where nothing tells. */
  readonly timestampMs: number | null
}

/**
 * Reads nothing from the disk: a scrape asks for every partition of every group. Between two index entries, and in
 * a segment whose index is not in memory, bytes and time are taken to rise evenly with the offset.
 */
export function backlogOf(segments: SegmentList, offset: number): Backlog {
  const segment = segments.floor(offset)
  let bytes = 0
  for (let next = segments.after(segment); next !== null; next = segments.after(next)) {
    bytes += next.sizeBytes
  }
  bytes += segment.sizeBytes - positionOf(segment, offset)
  const before = previousNewestMs(segments, segment)
  const timeMs = timeOf(segment, offset, before)
  return {
    bytes: Math.max(0, Math.round(bytes)),
    timestampMs: timeMs === null ? null : Math.round(timeMs),
  }
}

interface Point {
  readonly offset: number
  readonly value: number
}

function positionOf(segment: Segment, offset: number): number {
  const { index, baseOffset, endOffset, sizeBytes } = segment
  const end = { offset: endOffset, value: sizeBytes }
  if (index === null) return between({ offset: baseOffset, value: 0 }, end, offset)
  const entry = index.floor(offset)
  const position = index.positionAfter(entry.position, sizeBytes)
  const next =
    position === sizeBytes ? end : { offset: index.floorPosition(position).offset, value: position }
  return between({ offset: entry.offset, value: entry.position }, next, offset)
}

function timeOf(segment: Segment, offset: number, beforeMs: number | null): number | null {
  const { index, baseOffset, endOffset, newest } = segment
  if (newest.timestampMs < 0) return beforeMs
  const end = { offset: endOffset, value: newest.timestampMs }
  const start = { offset: baseOffset, value: beforeMs ?? newest.timestampMs }
  if (index === null) return between(start, end, offset)
  const [low, high] = timesAround(index, baseOffset, offset)
  return between(low ?? start, high ?? end, offset)
}

/** The entries of the time index on both sides of `offset`. */
function timesAround(
  { times }: SegmentIndex,
  baseOffset: number,
  offset: number,
): [low: Point | null, high: Point | null] {
  let low = 0
  let high = times.count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (baseOffset + times.relativeOffsetAt(middle) <= offset) low = middle + 1
    else high = middle
  }
  const point = (at: number): Point | null =>
    at < 0 || at >= times.count
      ? null
      : { offset: baseOffset + times.relativeOffsetAt(at), value: times.timestampAt(at) }
  return [point(low - 1), point(low)]
}

function previousNewestMs(segments: SegmentList, segment: Segment): number | null {
  if (segment === segments.first) return null
  const { timestampMs } = segments.floor(segment.baseOffset - 1).newest
  return timestampMs < 0 ? null : timestampMs
}

function between(low: Point, high: Point, offset: number): number {
  if (high.offset <= low.offset) return high.value
  const share = Math.min(1, Math.max(0, (offset - low.offset) / (high.offset - low.offset)))
  return low.value + share * (high.value - low.value)
}
