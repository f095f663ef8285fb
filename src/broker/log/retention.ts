import { DiskError } from '../../env/env.ts'
import type { Appender } from './append/appender.ts'
import type { Flushable } from './log-host.ts'
import type { LogState } from './log-state.ts'
import { segmentSuffixes, type Segment } from './segment/segment.ts'
import { isPassing } from './shortage.ts'

/** What retention works on. */
export interface RetentionTarget {
  readonly log: Flushable
  readonly state: LogState
  readonly appender: Appender
  /** Nothing at or above may go: not every replica has it. */
  readonly upToOffset: number
}

/**
 * Removes what the topic's config no longer keeps, by whole segments from the oldest on: expired ones, those
 * beyond the size, those below the log start offset. A log that is expired as a whole gets a new active segment.
 * Compacted topics keep everything above their start offset until compaction exists.
 * @throws DiskError where the start offset could not be saved; then nothing is removed
 */
export async function applyRetention(target: RetentionTarget, nowMs: number): Promise<void> {
  const { state } = target
  state.producers.expire(nowMs)
  const doomed = doomedSegments(target, nowMs)
  const last = doomed.at(-1)
  if (last !== undefined) {
    if (last === state.segments.active) target.appender.rollNow()
    await moveStart(target, last.endOffset)
  }
  await removeBelowStart(target)
}

/** The log begins at `offset` from now on; durable when this resolves, and visible then. Never goes back (G35). */
export async function moveStart({ log, state }: RetentionTarget, offset: number): Promise<void> {
  if (offset <= state.startOffset) return
  await state.host.saveStartOffset(log, offset)
  state.startOffset = Math.max(state.startOffset, offset)
  if (state.epochs.cutBefore(state.startOffset)) state.areEpochsDirty = true
}

/** Segments wholly below the log's start go, when the producers' state at the first that stays is safe. */
export async function removeBelowStart({ state, appender }: RetentionTarget): Promise<void> {
  const { segments } = state
  const isAllBelow = () =>
    !segments.active.isEmpty && segments.active.endOffset <= state.startOffset
  if (isAllBelow() && appender.stagedEndOffset === state.endOffset) appender.rollNow()
  const isNothingBelow = () => segments.count === 1 || segments.first.endOffset > state.startOffset
  if (isNothingBelow()) return
  await state.sealing
  let count = 0
  for (const segment of segments) {
    if (segment === segments.active || segment.endOffset > state.startOffset) break
    count++
  }
  for (const segment of segments.shift(count)) retire(state, segment)
  state.isDirectoryDirty = true
}

/** The oldest segments that may go, without a gap. */
function doomedSegments({ state, upToOffset }: RetentionTarget, nowMs: number): Segment[] {
  const { segments, config } = state
  if (!config.cleanupPolicy.includes('delete')) return []
  const doomed: Segment[] = []
  let sizeBytes = segments.sizeBytes
  for (const segment of segments) {
    const isExpired = config.retentionMs >= 0 && nowMs - ageOf(state, segment) > config.retentionMs
    const isBeyond =
      config.retentionBytes >= 0 &&
      segment !== segments.active &&
      sizeBytes - segment.sizeBytes >= config.retentionBytes
    const mayGo = !segment.isEmpty && segment.endOffset <= upToOffset
    if (!mayGo || !(isExpired || isBeyond)) break
    doomed.push(segment)
    sizeBytes -= segment.sizeBytes
  }
  return doomed
}

/** The segment's newest timestamp; where it has none, when its file was written. */
function ageOf({ host }: LogState, segment: Segment): number {
  const { timestampMs } = segment.newest
  if (timestampMs >= 0) return timestampMs
  return host.env.disk.stat(segment.pathOf('log'))?.modifiedMs ?? Infinity
}

/** Renames a segment's files out of the way at once, and removes them when no fetch can be using them any more. */
function retire(state: LogState, segment: Segment): void {
  const { disk, clock } = state.host.env
  segment.isRemoved = true
  state.host.forget(segment)
  const paths = segmentSuffixes.map(each => segment.pathOf(each))
  const renamed = paths.filter(path => disk.stat(path) !== null)
  try {
    for (const path of renamed) disk.rename(path, `${path}.deleted`)
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    if (!isPassing(error)) state.host.fail(error)
    return
  }
  clock.after(state.config.fileDeleteDelayMs, () => {
    segment.close()
    void removeFiles(state, renamed)
  })
}

/** One after the other, off the event loop. What is left over goes at the next start. */
async function removeFiles(state: LogState, paths: readonly string[]): Promise<void> {
  try {
    for (const path of paths) {
      if (state.isClosed) return
      await state.host.env.disk.unlinkAsync(`${path}.deleted`)
    }
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    state.host.warn('Could not remove a retired segment', {
      log: state.name,
      error: error.message,
    })
  }
}
