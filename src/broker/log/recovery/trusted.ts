import { lastOffset } from '../batch/batch.ts'
import { markAtEnd } from '../append/growth.ts'
import { loadIndex, readIndex, readIndexHead, speaksOf } from '../read/index-loading.ts'
import { findBatch } from '../segment/lookup.ts'
import { runCold } from '../read/read.ts'
import { Segment, segmentName, segmentPath } from '../segment/segment.ts'
import { SegmentIndex } from '../segment/segment-index.ts'
import type { CleanLine, Recovery } from './context.ts'

/**
 * Opens the segments that need no walk: all below the recovery point, in a clean log all. Returns how many of
 * `bases` that were. Their indexes are loaded when they are needed; what stands in the heads is enough here.
 */
export async function openTrusted(recovery: Recovery, bases: readonly number[]): Promise<number> {
  const { cleanLine } = recovery
  if (recovery.trust === 'clean' && cleanLine !== null && bases.length > 0) {
    if (await openClean(recovery, bases, cleanLine)) return bases.length
    recovery.trust = 'machine-died'
    recovery.host.warn('The clean marker does not fit the files: recovering', {
      log: recovery.name,
    })
    for (const segment of recovery.segments.splice(0)) segment.close()
  }
  for (const [at, base] of bases.entries()) {
    const next = bases[at + 1]
    if (next === undefined || next > recovery.recoveryPoint) return at
    const segment = await openClosed(recovery, base, { endOffset: next, isActive: false })
    if (segment === null) return at
    segment.synced(segment.sizeBytes)
    recovery.segments.push(segment)
  }
  return bases.length
}

/** True where the files are what the marker says. */
async function openClean(
  recovery: Recovery,
  bases: readonly number[],
  line: CleanLine,
): Promise<boolean> {
  const active = bases.at(-1)!
  const { disk } = recovery.host.env
  if (active !== line.activeBase) return false
  if (disk.stat(segmentPath(recovery.path, active, 'log'))?.size !== line.activeBytes) return false
  for (const [at, base] of bases.entries()) {
    const endOffset = bases[at + 1] ?? line.endOffset
    const segment = await openClosed(recovery, base, { endOffset, isActive: base === active })
    if (segment === null) return false
    segment.synced(segment.sizeBytes)
    recovery.segments.push(segment)
  }
  return endsAsMarked(recovery, line)
}

/** Looks at the last batch of the active segment, whose index is then in memory. */
async function endsAsMarked(recovery: Recovery, line: CleanLine): Promise<boolean> {
  const segment = recovery.segments.at(-1)!
  const kept = segment.index === null ? await readIndex(recovery, segment) : null
  if (kept !== null) {
    segment.loaded(kept)
    segment.noteGrown(markAtEnd(segment, 0))
  }
  // Without index files the growth is told from the segment's first byte on.
  const index = kept ?? (await loadIndex(recovery, segment))
  if (segment.isEmpty) return line.endOffset === segment.baseOffset
  const start = index.floorPosition(segment.sizeBytes)
  const isLast = (end: number) => end === segment.endOffset - 1
  const last = await runCold(
    segment.file,
    findBatch(segment, start, header => isLast(lastOffset(header))),
  )
  return last !== null && 'header' in last && last.header.leaderEpoch <= line.lastEpoch
}

/**
 * A segment that ends at `endOffset`; null, with the damage noted, where it does not. Behind its end the file of one that is
 * not the active one may hold what was cut off (FORMAT.md).
 */
async function openClosed(
  recovery: Recovery,
  base: number,
  { endOffset, isActive }: { readonly endOffset: number; readonly isActive: boolean },
): Promise<Segment | null> {
  const { host, path, config, files, sparseTo } = recovery
  const { disk, crc32c } = host.env
  const segmentPlace = { disk, logPath: path, baseOffset: base }
  const logPath = segmentPath(path, base, 'log')
  const fileBytes = disk.stat(logPath)?.size ?? 0
  const name = segmentName(base, 'offsets')
  const place = { path: `${path}/${name}` }
  const head = files.has(name) ? readIndexHead(disk, place, 'offsets', crc32c) : null
  // Where offsets may be missing, they may be between this segment and the next.
  const mayEndBefore = endOffset <= sparseTo
  const lastEnd = mayEndBefore && head !== null ? Math.min(head.endOffset, endOffset) : endOffset
  const hasDeadEnd = !isActive && head !== null && head.logBytes < fileBytes
  const sizeBytes = hasDeadEnd ? head.logBytes : fileBytes
  const known = { baseOffset: base, endOffset: lastEnd, sizeBytes }
  if (head !== null && speaksOf(head, known)) {
    const { newest } = head
    return new Segment(segmentPlace, null, { ...known, newest })
  }
  const file = disk.open(logPath, 'write')
  const index = new SegmentIndex(base)
  const end = await recovery.steps.walkBatches(
    file,
    {
      sizeBytes: fileBytes,
      fromOffset: base,
      fromEpoch: -1,
      upToOffset: isActive ? Infinity : endOffset,
      sparseTo,
      crc32c: null,
      isStarting: true,
    },
    (header, position) => index.note(header, position, config.indexIntervalBytes),
  )
  const isWhole = end.offset === endOffset || (mayEndBefore && end.offset < endOffset)
  if (end.violation !== null || !isWhole) {
    const what = end.violation ?? `it ends at offset ${end.offset}, not ${endOffset}`
    recovery.damage = `${logPath} is damaged at byte ${end.position}, below the recovery point: ${what}.`
    file.close()
    return null
  }
  const { offset, position } = end
  const state = {
    sizeBytes: position,
    endOffset: offset,
    newest: index.newest,
  }
  const segment = new Segment(segmentPlace, file, state)
  segment.loaded(index)
  return segment
}
