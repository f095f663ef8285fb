import { DiskError, type Disk } from '../../../env/env.ts'
import { closeLater, putAside } from '../leaving.ts'
import type { ProducerStates } from '../producers/states.ts'
import { SegmentIndex } from '../segment/segment-index.ts'
import {
  parseSegmentName,
  Segment,
  segmentPath,
  segmentSuffixes,
  type SegmentAge,
} from '../segment/segment.ts'
import type { LogState } from '../state/log-state.ts'

/** What takes the place of the segments that are cut. */
export interface NewTail {
  /** The first of those whose place it takes, with all behind it. */
  readonly first: Segment
  /** What stays of `first` in its file, as a segment of its own; null where nothing does, or where it is a new file. */
  readonly before: SegmentPart | null
  /** With which the log goes on. */
  readonly active: SegmentPart
  /** What the log knows of producers from now on. */
  readonly producers: ProducerStates
  /** The path under which `active` lies on the device; null where there is no file yet. */
  readonly from: string | null
}

export interface SegmentPart {
  readonly baseOffset: number
  readonly sizeBytes: number
  readonly endOffset: number
  readonly index: SegmentIndex
  /** Where nothing is in it, it begins now. */
  readonly age: SegmentAge | null
}

/** A segment with nothing in it. */
export function emptyPart(baseOffset: number): SegmentPart {
  const index = new SegmentIndex(baseOffset)
  return { baseOffset, sizeBytes: 0, endOffset: baseOffset, index, age: null }
}

/** In one turn: nobody sees a log with half of it. What the disk refuses is final; the next start finishes it. */
export function exchange(state: LogState, tail: NewTail): void {
  const { host, segments, path } = state
  const { first, before, active, from } = tail
  const { disk, clock } = host.env
  try {
    const removed = putAsideFrom(state, tail)
    if (from !== null) disk.rename(from, segmentPath(path, active.baseOffset, 'log'))
    const parts = before === null ? [active] : [before, active]
    const opened =
      from === null
        ? [Segment.create(disk, path, active.baseOffset, clock.now())]
        : parts.map(part => segmentOf(state, part))
    const gone = segments.replaceFrom(first, opened)
    for (const each of gone) {
      each.remove()
      host.forget(each)
    }
    state.producers.become(tail.producers)
    closeLater(state, gone, removed)
  } catch (error) {
    if (error instanceof DiskError) host.fail(error)
    throw error
  }
}

/** The files of the segments that go. Of one that stays in part the snapshot at its beginning is as true as before. */
function putAsideFrom(
  { host, path }: LogState,
  { first, before, active, from }: NewTail,
): string[] {
  const { disk } = host.env
  const isCut = from !== null && (before !== null || first.baseOffset === active.baseOffset)
  const removed: string[] = []
  for (const [base, suffix] of filesOf(disk, path)) {
    if (isCut && base <= first.baseOffset) continue
    const filePath = segmentPath(path, base, suffix)
    if (suffix === 'log') removed.push(...putAside(disk, filePath))
    else disk.unlink(filePath)
  }
  return removed
}

function segmentOf({ host, path: logPath }: LogState, part: SegmentPart): Segment {
  const { baseOffset, sizeBytes, endOffset, index } = part
  const { newest } = index
  const { disk, clock } = host.env
  const place = { disk, logPath, baseOffset }
  const segment = new Segment(place, null, { sizeBytes, endOffset, newest })
  const isEmpty = sizeBytes === 0 || part.age === null
  segment.dated(isEmpty ? { firstTimestampMs: null, createdMs: clock.now() } : part.age)
  segment.loaded(index)
  segment.synced(sizeBytes)
  return segment
}

function filesOf(disk: Disk, path: string) {
  return disk.list(path).flatMap(name =>
    segmentSuffixes.flatMap(suffix => {
      const base = parseSegmentName(name, suffix)
      return base === null ? [] : [[base, suffix] as const]
    }),
  )
}
