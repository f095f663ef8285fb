import { DiskError, type Disk } from '../../../env/env.ts'
import { closeLater, putAside } from '../leaving.ts'
import type { ProducerStates } from '../producers/states.ts'
import type { SegmentIndex } from '../segment/segment-index.ts'
import { parseSegmentName, Segment, segmentPath, segmentSuffixes } from '../segment/segment.ts'
import type { LogState } from '../state/log-state.ts'

/** The segment with which a log goes on that was cut. */
export interface NewTail {
  /** The first of those whose place it takes, with all behind it. */
  readonly first: Segment
  readonly baseOffset: number
  readonly sizeBytes: number
  readonly endOffset: number
  readonly index: SegmentIndex
  /** As of a `Segment`. */
  readonly firstAppendMs: number | null
  /** What the log knows of producers from now on. */
  readonly producers: ProducerStates
  /** The path under which it lies on the device; null where there is no file yet. */
  readonly from: string | null
}

/** In one turn: nobody sees a log with half of it. What the disk refuses is final; the next start finishes it. */
export function exchange(state: LogState, tail: NewTail): void {
  const { host, segments } = state
  try {
    const removed = putAsideFrom(state, tail)
    const segment = openTail(state, tail)
    const gone = segments.replaceFrom(tail.first, segment)
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

/** The files of the segments that go. The snapshot at the beginning of the one that is cut is as true as before. */
function putAsideFrom({ host, path }: LogState, { first, baseOffset, from }: NewTail): string[] {
  const { disk } = host.env
  const isCut = from !== null && first.baseOffset === baseOffset
  const removed: string[] = []
  for (const [base, suffix] of filesOf(disk, path)) {
    if (isCut && base <= baseOffset) continue
    const filePath = segmentPath(path, base, suffix)
    if (suffix === 'log') removed.push(...putAside(disk, filePath))
    else disk.unlink(filePath)
  }
  return removed
}

function openTail({ host, path: logPath }: LogState, tail: NewTail): Segment {
  const { disk } = host.env
  const { baseOffset, sizeBytes, endOffset, index, from } = tail
  const place = { disk, logPath, baseOffset }
  const logFile = segmentPath(logPath, baseOffset, 'log')
  if (from === null) return Segment.create(disk, logPath, baseOffset)
  disk.rename(from, logFile)
  const { newest } = index
  const firstAppendMs = sizeBytes === 0 ? null : tail.firstAppendMs
  const segment = new Segment(place, null, { sizeBytes, endOffset, newest, firstAppendMs })
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
