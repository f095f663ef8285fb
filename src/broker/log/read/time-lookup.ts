import { addInt64, type Int64 } from '../../../lib/bytes.ts'
import { hasLogAppendTime, lastOffset, readTimestamps, type BatchHeader } from '../batch/batch.ts'
import { RecordCursor, RecordError } from '../batch/records.ts'
import { openPayload } from '../batch/validate-records.ts'
import { DecompressError } from '../compression/codecs.ts'
import { findBatch, type LocatedBatch } from '../segment/lookup.ts'
import type { IndexEntry } from '../segment/segment-index.ts'
import type { Segment } from '../segment/segment.ts'
import type { LogState } from '../state/log-state.ts'
import { loadIndex } from './index-loading.ts'
import { damage, runCold } from './read.ts'

/** A record found by time (G36): its own offset, not its batch's. */
export interface TimedOffset {
  readonly offset: number
  readonly timestampMs: Int64
  readonly leaderEpoch: number
}

/**
 * The first record at or after `wantedMs` that readers may see; null where there is none. Indexes and headers know
 * times as doubles: rounding keeps their order, so that they exclude nothing wrongly; records are compared exactly.
 * @throws DiskError
 */
export async function findByTime(
  state: LogState,
  wantedMs: Int64,
  upToOffset: number,
): Promise<TimedOffset | null> {
  const timestampMs = Number(wantedMs)
  for (const segment of Array.from(state.segments)) {
    if (segment.baseOffset >= upToOffset) return null
    if (segment.isEmpty || segment.endOffset <= state.startOffset) continue
    if (segment.newest.timestampMs < timestampMs) continue
    const index = await loadIndex(state, segment)
    const byTime = index.floorTime(timestampMs)
    const byStart = index.floor(Math.max(state.startOffset, segment.baseOffset))
    let start: IndexEntry | null = byTime.offset > byStart.offset ? byTime : byStart
    while (start !== null) {
      const isCandidate = (header: BatchHeader) =>
        header.maxTimestamp >= timestampMs && lastOffset(header) >= state.startOffset
      const batch = await locate(state, segment, start, isCandidate)
      if (batch === null) break
      if (batch.header.baseOffset >= upToOffset) return null
      const found = await firstRecord(state, segment, batch, {
        isWanted: (recordMs, offset) => recordMs >= wantedMs && offset >= state.startOffset,
      })
      if (found !== null) return found.offset < upToOffset ? found : null
      start = behind(batch)
    }
  }
  return null
}

/** The record with the greatest timestamp of those that readers may see, the first one of several. @throws DiskError */
export async function findMaxTimestamp(
  state: LogState,
  upToOffset: number,
): Promise<TimedOffset | null> {
  let newest: { readonly segment: Segment; readonly batch: LocatedBatch } | null = null
  for (const segment of Array.from(state.segments)) {
    const isVisible = segment.baseOffset < upToOffset && segment.endOffset > state.startOffset
    if (segment.isEmpty || !isVisible) continue
    const greatest = newest?.batch.header.maxTimestamp ?? -Infinity
    if (segment.newest.timestampMs <= greatest) continue
    const batch = await newestBatch(state, segment, upToOffset)
    if (batch !== null && batch.header.maxTimestamp > greatest) newest = { segment, batch }
  }
  if (newest === null) return null
  const { segment, batch } = newest
  const isWanted = (recordMs: Int64, offset: number, greatestMs: Int64) =>
    recordMs === greatestMs && offset >= state.startOffset && offset < upToOffset
  return firstRecord(state, segment, batch, { isWanted })
}

/** The batch with the segment's greatest timestamp among the visible ones. */
async function newestBatch(
  state: LogState,
  segment: Segment,
  upToOffset: number,
): Promise<LocatedBatch | null> {
  const { batchOffset } = segment.newest
  const index = await loadIndex(state, segment)
  if (batchOffset >= state.startOffset && batchOffset < upToOffset) {
    const isIt = (header: BatchHeader) => header.baseOffset === batchOffset
    return locate(state, segment, index.floor(batchOffset), isIt)
  }
  let best: LocatedBatch | null = null
  await locate(
    state,
    segment,
    index.floor(Math.max(state.startOffset, segment.baseOffset)),
    (header, position) => {
      if (header.baseOffset >= upToOffset) return true
      const isVisible = lastOffset(header) >= state.startOffset
      if (isVisible && header.maxTimestamp > (best?.header.maxTimestamp ?? -Infinity))
        best = { header, position }
      return false
    },
  )
  return best
}

async function locate(
  state: LogState,
  segment: Segment,
  start: IndexEntry,
  wanted: (header: BatchHeader, position: number) => boolean,
): Promise<LocatedBatch | null> {
  const found = await runCold(segment.file, findBatch(segment, start, wanted))
  if (found === null || 'header' in found) return found
  state.availability.takeOffline(damage(segment, found))
  return null
}

function behind({ header, position }: LocatedBatch): IndexEntry {
  return { offset: lastOffset(header) + 1, position: position + header.sizeBytes }
}

/**
 * Opens a batch and looks for a record. A batch that cannot be opened (compressed batches of ordinary topics are
 * not looked into when they are appended) counts as one record, its first, with the header's timestamp.
 */
async function firstRecord(
  state: LogState,
  { file }: Segment,
  { header, position }: LocatedBatch,
  {
    isWanted,
  }: { readonly isWanted: (timestampMs: Int64, offset: number, greatestMs: Int64) => boolean },
): Promise<TimedOffset | null> {
  const { baseOffset, leaderEpoch } = header
  const bytes = new Uint8Array(header.sizeBytes)
  await file.readAsync(position, bytes)
  const { baseTimestamp, maxTimestamp } = readTimestamps(bytes, 0)
  const offset = Math.max(baseOffset, state.startOffset)
  const whole = { offset, timestampMs: maxTimestamp, leaderEpoch }
  const isWhole = (): TimedOffset | null =>
    isWanted(maxTimestamp, offset, maxTimestamp) ? whole : null
  if (hasLogAppendTime(header)) return isWhole()
  try {
    const payload = await openPayload(header, bytes, state.host.codecs)
    const cursor = new RecordCursor(payload, header.count)
    while (cursor.next()) {
      const offset = baseOffset + cursor.offsetDelta
      const timestampMs = addInt64(baseTimestamp, cursor.exactTimestampDelta)
      if (isWanted(timestampMs, offset, maxTimestamp)) return { offset, timestampMs, leaderEpoch }
    }
    return null
  } catch (error) {
    if (!(error instanceof DecompressError) && !(error instanceof RecordError)) throw error
    return isWhole()
  }
}
