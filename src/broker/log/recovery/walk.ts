import type { BatchHeader } from '../batch/batch.ts'
import { isCompacted } from '../log-config.ts'
import { dropIndexFiles } from '../read/index-loading.ts'
import { parseSegmentName, Segment, segmentPath } from '../segment/segment.ts'
import type { WalkEnd } from '../segment/walk.ts'
import type { Recovery } from './context.ts'

/**
 * Walks the segments that may be torn, and cuts at the first broken rule; later segments go, whatever they hold.
 * A rule broken below the recovery point is damage: then nothing is touched. `resumed` is the first of them as far
 * as its caches told it.
 */
export async function walkTail(
  recovery: Recovery,
  bases: readonly number[],
  resumed: Segment | null,
): Promise<void> {
  const { path, recoveryPoint, steps } = recovery
  for (const [at, base] of bases.entries()) {
    const expected = recovery.segments.at(-1)?.endOffset ?? base
    const isInPlace = base === expected || (base > expected && base <= recovery.sparseTo)
    if (!isInPlace && !isOldGap(recovery, expected, base)) {
      if (expected < recoveryPoint)
        return blame(
          recovery,
          segmentPath(path, base, 'log'),
          0,
          `it begins where ${expected} is missing`,
        )
      return removeFrom(
        recovery,
        bases.slice(at),
        `a segment begins at ${base} where ${expected} goes on`,
      )
    }
    noteGap(recovery, expected, base)
    const segment = at === 0 && resumed !== null ? resumed : openSegment(recovery, base)
    const { file } = segment
    const end = await steps.walkSegment(recovery, segment, bases[at + 1] ?? Infinity)
    if (end.violation === null) continue
    if (end.offset < recoveryPoint) return blame(recovery, file.path, end.position, end.violation)
    const isLast = at === bases.length - 1
    if (
      recovery.trust === 'process-died' &&
      (!isLast || (await isFollowedByBatch(recovery, segment, end)))
    ) {
      recovery.surprise = `${file.path}, byte ${end.position}: ${end.violation}, and batches follow`
    }
    await steps.cut(recovery, segment, end)
    return removeFrom(recovery, bases.slice(at + 1), 'an earlier segment was cut')
  }
}

/**
 * A segment ends at `expected` and the next one begins at `base`, and no checkpoint has the log: nobody knows how far it was durable, nor
 * whether it was compacted. A dying process tears no segment but the last. A machine that dies does, and index files do not tell: one
 * that a stop left may speak of just the part that stayed.
 */
function isOldGap(
  { config, trust, isRecoveryPointKnown }: Recovery,
  expected: number,
  base: number,
): boolean {
  if (isRecoveryPointKnown || base < expected || trust === 'machine-died') return false
  return isCompacted(config)
}

/** Offsets are missing before `to`, as compaction leaves them, and no tail that was torn. */
function noteGap(recovery: Recovery, from: number, to: number): void {
  if (to > from) recovery.sparseTo = Math.max(recovery.sparseTo, to)
}

function openSegment({ host, path }: Recovery, baseOffset: number): Segment {
  const { disk } = host.env
  const file = disk.open(segmentPath(path, baseOffset, 'log'), 'write')
  return new Segment({ disk, logPath: path, baseOffset }, file, null)
}

/** Reads what is not known of a segment into memory: index, epochs, producers. The segment is in the list afterwards. */
export async function walkSegment(
  recovery: Recovery,
  segment: Segment,
  upToOffset: number,
): Promise<WalkEnd> {
  const { host, config, epochs, steps, sparseTo, isRecoveryPointKnown } = recovery
  const { crc32c, clock } = host.env
  const nowMs = clock.now()
  const sizeBytes = segment.file.size()
  const visit = (header: BatchHeader): void => {
    noteGap(recovery, segment.endOffset, header.baseOffset)
    epochs.assign(header.leaderEpoch, header.baseOffset)
    steps.noteProducer(recovery, header, nowMs)
    segment.noteAppended(header, config.indexIntervalBytes)
  }
  const end = await steps.walkBatches(
    segment.file,
    {
      sizeBytes,
      fromOffset: segment.endOffset,
      fromPosition: segment.sizeBytes,
      fromEpoch: epochs.latest,
      upToOffset,
      isStarting: true,
      sparseTo: isRecoveryPointKnown ? sparseTo : Infinity,
      crc32c,
    },
    visit,
  )
  recovery.segments.push(segment)
  if (segment.endOffset <= recovery.recoveryPoint) segment.synced(segment.sizeBytes)
  segment.coolTo(segment.sizeBytes)
  return end
}

/** Cuts the file behind its last valid batch, durably: nothing may come back behind what is written next. */
export async function cut(
  recovery: Recovery,
  segment: Segment,
  { position, violation }: WalkEnd,
): Promise<void> {
  const { host, name } = recovery
  const sizeBytes = segment.file.size()
  recovery.truncatedBytes += sizeBytes - position
  host.warn('Cut a torn segment', {
    log: name,
    segment: segment.baseOffset,
    position,
    bytes: sizeBytes - position,
    reason: violation,
  })
  // Those of a clean stop speak of what stays: a growth file goes on from them.
  const areOfStop = recovery.resumedFrom !== null && recovery.resumedFrom > segment.baseOffset
  if (!areOfStop) dropIndexFiles(host.env.disk, segment)
  segment.file.truncate(position)
  await segment.file.sync()
  segment.synced(position)
}

/** Removes the segments behind the cut, and producer snapshots of what is no longer there. */
async function removeFrom(
  recovery: Recovery,
  bases: readonly number[],
  why: string,
): Promise<void> {
  const { host, path, name } = recovery
  const { disk } = host.env
  for (const base of bases) {
    const file = disk.open(segmentPath(path, base, 'log'), 'write')
    host.warn('Removed a segment behind a cut', {
      log: name,
      segment: base,
      bytes: file.size(),
      reason: why,
    })
    recovery.truncatedBytes += file.size()
    new Segment({ disk, logPath: path, baseOffset: base }, file, null).unlink()
  }
  const endOffset = recovery.segments.at(-1)?.endOffset ?? 0
  for (const fileName of disk.list(path)) {
    const offset = parseSegmentName(fileName, 'producers')
    if (offset !== null && offset > endOffset) disk.unlink(`${path}/${fileName}`)
  }
  await disk.syncDirectory(path)
}

function blame(recovery: Recovery, filePath: string, position: number, what: string): void {
  recovery.damage = `${filePath} is damaged at byte ${position}, below the recovery point ${recovery.recoveryPoint}: ${what}.`
}

/** Whether a valid batch stands right behind the broken one: no kill of a process does that. */
async function isFollowedByBatch(
  { host, steps }: Recovery,
  { file }: Segment,
  { position }: WalkEnd,
): Promise<boolean> {
  const sizeBytes = file.size()
  const length = new Uint8Array(12)
  if ((await file.readAsync(position, length)) < length.length) return false
  const fromPosition = position + 12 + new DataView(length.buffer).getInt32(8)
  if (fromPosition <= position || fromPosition >= sizeBytes) return false
  let found = false
  const options = {
    sizeBytes,
    fromOffset: 0,
    fromEpoch: -1,
    sparseTo: Infinity,
    crc32c: host.env.crc32c,
  }
  await steps.walkBatches(file, { ...options, fromPosition }, () => {
    found = true
  })
  return found
}
