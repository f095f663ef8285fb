import { DiskError } from '../../../env/env.ts'
import { dropGrowth } from '../append/growth.ts'
import { dropIndexFiles } from '../read/index-loading.ts'
import { closeLater, putAside } from '../leaving.ts'
import { Segment, segmentSuffixes } from '../segment/segment.ts'
import { cleanedPath, swapPath } from '../segment/swap-file.ts'
import { isPassing } from '../shortage.ts'
import type { LogState } from '../state/log-state.ts'
import type { CleanableLog } from './cleanable-log.ts'
import type { NewCaches } from './compaction.ts'
import { CleaningAborted } from './outcome.ts'

/** A segment that was written and synced under the name of `cleanedPath`. */
export interface CleanedSegment {
  /** What it is made of: neighbours. */
  readonly of: readonly Segment[]
  /** The base offset of the segment behind them. */
  readonly endOffset: number
  readonly sizeBytes: number
  readonly caches: NewCaches
}

/**
 * Puts a cleaned segment in the place of those that it is made of. From the moment at which its name says so, durably, it
 * counts, and a start finishes what is left to do (`recovery/swaps.ts`). Nothing is changed or cut: whoever reads the old
 * files, or has ranges of them in a queue, goes on with them.
 * @throws CleaningAborted where retention was faster, DiskError
 */
export async function swapIn(log: CleanableLog, cleaned: CleanedSegment): Promise<void> {
  const { state, retention, sealer } = log
  let isDone = false
  await retention.inTurn(async () => {
    await sealer.settled()
    if (cleaned.of.some(segment => segment.isRemoved))
      throw new CleaningAborted('a segment was removed')
    await commit(state, cleaned)
    exchange(state, cleaned)
    // No later swap is on the device before this one: so there is never more than one to be finished.
    await state.host.env.disk.syncDirectory(state.path)
    isDone = true
  })
  if (!isDone) throw new CleaningAborted('the log serves no longer')
}

/** Caches that speak of the old file must not be there with the new one; then the new name counts. */
async function commit(state: LogState, { of, endOffset }: CleanedSegment): Promise<void> {
  const { path, host } = state
  const { disk } = host.env
  const first = of[0]!
  const range = { baseOffset: first.baseOffset, endOffset }
  dropIndexFiles(disk, first)
  dropGrowth(disk, first)
  disk.rename(cleanedPath(path, first.baseOffset), swapPath(path, range))
  try {
    await disk.syncDirectory(path)
  } catch (error) {
    // Nothing was removed so far: as if it had not been.
    if (error instanceof DiskError && isPassing(error)) disk.unlink(swapPath(path, range))
    throw error
  }
}

/** In one turn: nobody sees a log with half of it. */
function exchange(state: LogState, cleaned: CleanedSegment): void {
  const { path, host, segments } = state
  const { disk } = host.env
  const { of, endOffset, sizeBytes, caches } = cleaned
  const first = of[0]!
  try {
    const removed = of
      .slice(1)
      .flatMap(each => segmentSuffixes.flatMap(suffix => putAside(disk, each.pathOf(suffix))))
    const { baseOffset } = first
    const place = { disk, logPath: path, baseOffset }
    const { endOffset: lastEnd, newest } = caches
    const found = { sizeBytes, endOffset: lastEnd, newest }
    const segment = new Segment(place, null, found)
    segment.synced(sizeBytes)
    for (const each of of) {
      each.remove()
      host.forget(each)
    }
    segments.replace(of, segment)
    disk.rename(swapPath(path, { baseOffset, endOffset }), segment.pathOf('log'))
    leaveIndexes(state, segment, caches)
    closeLater(state, of, removed)
  } catch (error) {
    // The next start finishes it; what this process shows may not be what lies there.
    if (error instanceof DiskError) host.fail(error)
    throw error
  }
}

/** Caches: a torn one is known by its CRC, and where there is no room they are made when they are needed. */
function leaveIndexes({ host }: LogState, segment: Segment, caches: NewCaches): void {
  const { disk } = host.env
  try {
    for (const kind of ['offsets', 'times'] as const) {
      const file = disk.open(segment.pathOf(kind), 'create')
      try {
        file.write(0, [caches[kind]])
      } finally {
        file.close()
      }
    }
  } catch (error) {
    if (!(error instanceof DiskError) || !isPassing(error)) throw error
    dropIndexFiles(disk, segment)
  }
}
