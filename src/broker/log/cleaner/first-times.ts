import { batchOverheadBytes, readBatchHeader } from '../batch/batch.ts'
import type { Segment } from '../segment/segment.ts'

/** The first batch's greatest timestamp of closed segments, read once. */
const times = new WeakMap<Segment, number>()

/** -1 where it was not read, or there is none. */
export function firstTimeOf(segment: Segment): number {
  return times.get(segment) ?? -1
}

/** Reads it of those of which it is not known. @throws DiskError */
export async function learnFirstTimes(segments: readonly Segment[]): Promise<void> {
  for (const segment of segments) {
    if (times.has(segment) || segment.isEmpty || segment.isRemoved) continue
    const bytes = new Uint8Array(batchOverheadBytes)
    const count = await segment.file.readAsync(0, bytes)
    times.set(segment, count < bytes.length ? -1 : readBatchHeader(bytes, 0).maxTimestamp)
  }
}
