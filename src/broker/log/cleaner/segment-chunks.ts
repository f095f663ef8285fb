import type { Segment } from '../segment/segment.ts'
import type { Chunk } from './chunk.ts'
import type { Damage } from './compaction.ts'
import { CleaningAborted, Uncleanable } from './outcome.ts'
import type { IoThrottle } from './throttle.ts'

interface Used {
  readonly usedBytes: number
  readonly wantedBytes: number
  readonly damage: Damage | null
}

export interface ChunkTools {
  /** Bytes that are read at once, as long as no batch is larger. */
  readonly chunkBytes: number
  readonly throttle: IoThrottle
  /** @throws CleaningAborted where it is to end */
  readonly check: () => void
}

/**
 * Reads a closed segment from its beginning in chunks that begin with a batch, and gives each to `act`, which tells how
 * much of it it used; until the end, or until it wants no more. What only this reading brought into the page cache goes again.
 * @throws Uncleanable where the segment is damaged, DiskError
 */
export async function eachChunk<T extends Used>(
  segment: Segment,
  { chunkBytes, throttle, check }: ChunkTools,
  act: (chunk: Chunk, wasCached: boolean) => Promise<T & { readonly isEnough?: boolean }>,
): Promise<void> {
  let position = 0
  let length = chunkBytes
  while (position < segment.sizeBytes) {
    if (segment.isRemoved) throw new CleaningAborted('the segment was removed')
    check()
    const leftBytes = segment.sizeBytes - position
    const { bytes, wasCached } = await readChunk(segment, position, Math.min(length, leftBytes))
    await throttle.spend(bytes.length, check)
    const chunk = { bytes, position, leftBytes, fromOffset: segment.baseOffset }
    const used = await act(chunk, wasCached)
    if (used.damage !== null) throw damaged(segment, used.damage)
    if (used.isEnough) return
    position += used.usedBytes
    length = Math.max(chunkBytes, used.wantedBytes)
  }
}

/** `wasCached`: it was in the page cache, for somebody else. */
async function readChunk(
  segment: Segment,
  position: number,
  length: number,
): Promise<{ readonly bytes: Uint8Array; readonly wasCached: boolean }> {
  const { file } = segment
  const bytes = new Uint8Array(length)
  const wasCached = file.isResident(position, length) !== false
  const count = await file.readAsync(position, bytes)
  if (!wasCached) await file.dropCacheAsync(position, length)
  if (count < length)
    throw damaged(segment, { position, reason: `the file ends after ${position + count} bytes` })
  return { bytes, wasCached }
}

function damaged(segment: Segment, { position, reason }: Damage): Uncleanable {
  return new Uncleanable(`${segment.pathOf('log')} is damaged at byte ${position}: ${reason}`)
}
