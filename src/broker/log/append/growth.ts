import { DiskError, type Disk } from '../../../env/env.ts'
import { present } from '../../../lib/assert.ts'
import { encodeGrowth } from '../segment/growth-file.ts'
import type { GrowthMark, Segment } from '../segment/segment.ts'
import { isPassing } from '../shortage.ts'
import type { LogState } from '../state/log-state.ts'

/**
 * The growth file of the active segment says, a step at a time, what a walk would find in it: index entries and
 * producers. A start after a crash reads it up to the recovery point and walks only what lies behind. It is a
 * cache, never synced: a torn end is known by its CRC, and what is missing is walked.
 */

/** To be called when nothing is staged: the producers are those of the written batches. */
export function noteGrowth(state: LogState): void {
  const { segments, host } = state
  const { grown, sizeBytes } = segments.active
  if (sizeBytes - grown.position < host.growthStepBytes || host.failure !== null) return
  try {
    writeGrowth(state, segments.active)
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    // On a full disk the next step says more; whatever else goes wrong with a write is final.
    if (!isPassing(error)) host.fail(error)
  }
}

/** The mark of a segment whose index files, or whose growth file, speak of everything up to its end. */
export function markAtEnd({ index, endOffset, sizeBytes }: Segment, fileBytes: number): GrowthMark {
  const { offsets, times } = present(index, 'an index that is in memory')
  return {
    offset: endOffset,
    position: sizeBytes,
    offsetCount: offsets.count,
    timeCount: times.count,
    fileBytes,
  }
}

/** Removes a growth file that nobody needs any more; tells whether it was there. @throws DiskError */
export function dropGrowth(disk: Disk, segment: Pick<Segment, 'pathOf'>): boolean {
  const path = segment.pathOf('growth')
  if (disk.stat(path) === null) return false
  disk.unlink(path)
  return true
}

function writeGrowth({ host, producers }: LogState, segment: Segment): void {
  const { grown, endOffset, sizeBytes } = segment
  const { disk, crc32c } = host.env
  const bytes = encodeGrowth(
    {
      from: grown,
      to: { offset: endOffset, position: sizeBytes },
      index: present(segment.index, 'a growing segment has its index in memory'),
      producers: producers.since(grown.offset),
    },
    crc32c,
  )
  const path = segment.pathOf('growth')
  const file = disk.open(path, disk.stat(path) === null ? 'create' : 'write')
  try {
    file.write(grown.fileBytes, [bytes])
  } finally {
    file.close()
  }
  segment.noteGrown(markAtEnd(segment, grown.fileBytes + bytes.length))
}
