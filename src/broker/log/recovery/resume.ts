import { DiskError, readWhole } from '../../../env/disk.ts'
import { dropGrowth } from '../append/growth.ts'
import { decodeGrowth, type ReadRecord, type SegmentPoint } from '../segment/growth-file.ts'
import {
  decodeIndexHead,
  decodeOffsets,
  decodeTimes,
  indexHeadBytes,
} from '../segment/index-file.ts'
import { OffsetIndex } from '../segment/offset-index.ts'
import { SegmentIndex, type NewestTime } from '../segment/segment-index.ts'
import { Segment, segmentName, segmentPath } from '../segment/segment.ts'
import { isPassing } from '../shortage.ts'
import { TimeIndex } from '../segment/time-index.ts'
import type { Recovery, Resume } from './context.ts'
import { hasSnapshot } from './producers.ts'

/**
 * Brings the segment in which the recovery point lies into memory up to there, without reading its batches: from
 * the index files that the last clean stop left, and the growth file. Null where these say nothing, or are in doubt.
 * Bytes below the recovery point were on the device, and nothing was ever cut there, so that what the caches say
 * of them is still true. What they say beyond belongs to a tail that may be another one now: it goes, before
 * anything is appended, and durably before the recovery point moves, because that takes a sync of the directory.
 */
export async function resumeSegment(recovery: Recovery, base: number): Promise<Resume | null> {
  const { host, path, files } = recovery
  const { disk } = host.env
  const told = (['offsets', 'growth'] as const).some(each => files.has(segmentName(base, each)))
  if (!told) return null
  const file = disk.open(segmentPath(path, base, 'log'), 'write')
  const segment = new Segment({ disk, logPath: path, baseOffset: base }, file, null)
  try {
    const resume = await resumeOpened(recovery, segment)
    if (resume !== null) return resume
    dropGrowth(disk, segment)
  } catch (error) {
    segment.close()
    throw error
  }
  segment.close()
  return null
}

async function resumeOpened(recovery: Recovery, segment: Segment): Promise<Resume | null> {
  const { disk, crc32c } = recovery.host.env
  const { file, baseOffset: base } = segment
  const left = leftByCleanStop(recovery, segment)
  const bytes = readWhole(disk, segment.pathOf('growth')) ?? new Uint8Array(0)
  const from = left?.to ?? { offset: base, position: 0 }
  const written = decodeGrowth(bytes, crc32c)
  const records = recovery.steps.growthRecords(recovery, written, from, file.size())
  const fileBytes = records.at(-1)?.endsAt ?? 0
  const to = records.at(-1)?.to ?? from
  // At the segment's beginning the batches below it tell them, at the worst.
  const isKnown = to.position > 0 && (from.offset === base || hasSnapshot(recovery, from.offset))
  if (isKnown) {
    fill(segment, { left, records, to, fileBytes })
    if (await recovery.steps.confirmCaches(recovery, segment)) {
      if (bytes.length > fileBytes) keepOnly(recovery, segment, bytes.subarray(0, fileBytes))
      const producers = records.map(each => each.producers)
      return { segment, producersFrom: from.offset, producers }
    }
    recovery.host.warn('The caches of a segment do not fit it: walking all of it', {
      log: recovery.name,
      segment: base,
    })
  }
  return null
}

/** What is known of a segment up to `to`. */
interface Caches {
  readonly offsets: OffsetIndex
  readonly times: TimeIndex
  readonly newest: NewestTime
  readonly to: SegmentPoint
}

/** The index files, if they speak of a state at or below the recovery point. */
function leftByCleanStop({ host, recoveryPoint }: Recovery, segment: Segment): Caches | null {
  const { disk, crc32c } = host.env
  const offsetBytes = readWhole(disk, segment.pathOf('offsets'))
  const head =
    offsetBytes && decodeIndexHead('offsets', offsetBytes.subarray(0, indexHeadBytes), crc32c)
  if (offsetBytes === null || head === null || head.endOffset > recoveryPoint) return null
  const timeBytes = readWhole(disk, segment.pathOf('times'))
  const timeHead = timeBytes && decodeIndexHead('times', timeBytes, crc32c)
  const isOne =
    head.baseOffset === segment.baseOffset &&
    head.logBytes <= segment.file.size() &&
    timeHead?.endOffset === head.endOffset &&
    timeHead.logBytes === head.logBytes
  if (timeBytes === null || !isOne) return null
  const offsets = decodeOffsets(offsetBytes, crc32c)
  const times = decodeTimes(timeBytes, crc32c)
  if (offsets === null || times === null) return null
  const to = { offset: head.endOffset, position: head.logBytes }
  return { offsets, times, newest: head.newest, to }
}

/** The records that go on one after the other from `from`, up to the recovery point. */
export function growthRecords(
  { recoveryPoint }: Recovery,
  records: readonly ReadRecord[],
  from: SegmentPoint,
  sizeBytes: number,
): ReadRecord[] {
  const found: ReadRecord[] = []
  let end = from
  for (const record of records) {
    const isNext = record.from.offset === end.offset && record.from.position === end.position
    const isBelow = record.to.offset <= recoveryPoint && record.to.position <= sizeBytes
    if (!isNext || !isBelow) break
    found.push(record)
    end = record.to
  }
  return found
}

function fill(
  segment: Segment,
  known: {
    readonly left: Caches | null
    readonly records: readonly ReadRecord[]
    readonly to: SegmentPoint
    readonly fileBytes: number
  },
): void {
  const { left, records, to, fileBytes } = known
  const offsets = left?.offsets ?? new OffsetIndex()
  const times = left?.times ?? new TimeIndex()
  for (const record of records) {
    for (const [relativeOffset, position] of record.offsets) offsets.push(relativeOffset, position)
    for (const [timestampMs, relativeOffset] of record.times)
      times.push(timestampMs, relativeOffset)
  }
  const newest = records.at(-1)?.newest ?? left!.newest
  const index = new SegmentIndex(segment.baseOffset, {
    offsets,
    times,
    newest,
    logBytes: to.position,
  })
  const counts = { offsetCount: offsets.count, timeCount: times.count }
  segment.resume(index, { ...to, ...counts, fileBytes })
}

/** The batches from the last index entry on are sound, and end exactly where the caches say. */
export async function confirmCaches(
  { host, steps, sparseTo }: Recovery,
  segment: Segment,
): Promise<boolean> {
  const { sizeBytes, endOffset, index } = segment
  const entry = index!.floorPosition(sizeBytes - 1)
  let firstOffset = -1
  const end = await steps.walkBatches(
    segment.file,
    {
      sizeBytes,
      fromOffset: entry.offset,
      fromPosition: entry.position,
      fromEpoch: -1,
      sparseTo,
      crc32c: host.env.crc32c,
    },
    ({ baseOffset }, position) => {
      if (position === entry.position) firstOffset = baseOffset
    },
  )
  const isAtEntry =
    firstOffset === entry.offset || (entry.position === 0 && firstOffset <= sparseTo)
  return end.violation === null && end.offset === endOffset && isAtEntry
}

/** A new file with what was used of the old one: an old record must not come back behind a new tail. */
function keepOnly({ host }: Recovery, segment: Segment, bytes: Uint8Array): void {
  const { disk } = host.env
  dropGrowth(disk, segment)
  if (bytes.length === 0) return
  try {
    const file = disk.open(segment.pathOf('growth'), 'create')
    try {
      file.write(0, [bytes])
    } finally {
      file.close()
    }
  } catch (error) {
    if (!(error instanceof DiskError) || !isPassing(error)) throw error
    // On a full disk it goes on without; the next crash walks the segment.
    dropGrowth(disk, segment)
    segment.noteGrown({ ...segment.grown, fileBytes: 0 })
  }
}
