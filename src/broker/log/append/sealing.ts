import { replaceFile } from '../../../env/disk.ts'
import { DiskError, type Disk, type DiskFile } from '../../../env/env.ts'
import { encodeIndex } from '../segment/index-file.ts'
import { segmentPath, type Segment } from '../segment/segment.ts'
import { isPassing } from '../shortage.ts'
import type { LogState } from '../state/log-state.ts'
import { dropGrowth } from './growth.ts'

const settled = Promise.resolve()

/** A producer snapshot: the state of everything below `offset`. */
export interface Snapshot {
  readonly offset: number
  readonly bytes: Uint8Array
}

/**
 * What a log leaves beside its segments for a quick start: indexes, and producer snapshots for what follows. All of
 * it are caches, so that a full disk is no error here; whatever else goes wrong is final for the directory.
 */
export class Sealer {
  readonly #state: LogState
  #settled = settled

  constructor(state: LogState) {
    this.#state = state
  }

  /** Resolves when the index and snapshot files of all closed segments are written. */
  settled(): Promise<void> {
    return this.#settled
  }

  /** A segment was closed: writes its indexes and the snapshot, in the background, after those of earlier ones. */
  seal(segment: Segment, snapshot: Snapshot): void {
    const before = this.#settled
    const older = this.#state.segments.before(segment)
    this.#settled = (async () => {
      await before
      await this.#sealNow(segment, older, snapshot)
    })()
  }

  /**
   * What a quick start after a stop needs of the active segment: its indexes, and the producers at the log's end; of
   * a brief log only what its batches do not say. None of it is synced: what a crash tears is known by its CRC, and
   * made anew from the batches.
   */
  async leaveCaches(): Promise<void> {
    const { segments, producers, endOffset, path, host, durability } = this.#state
    const { isBrief, active } = segments
    const { disk, crc32c } = host.env
    await this.#tolerant(async () => {
      if (!isBrief && !areIndexesCurrent(active)) {
        for (const { path: at, bytes } of this.#indexesOf(active))
          writeCache(disk, at, bytes).close()
      }
      if (active.grown.fileBytes > 0 && dropGrowth(disk, active)) {
        durability.directoryChanged()
      }
      if (isBrief && producers.size === 0) return
      const snapshotPath = segmentPath(path, endOffset, 'producers')
      // The one at an empty segment's base is durable, and must stay so.
      if (disk.stat(snapshotPath) !== null) return
      writeCache(disk, snapshotPath, producers.encode(crc32c)).close()
    })
  }

  async #sealNow(
    segment: Segment,
    older: Segment | null,
    { offset, bytes }: Snapshot,
  ): Promise<void> {
    const { path, host } = this.#state
    const { disk } = host.env
    await this.#tolerant(async () => {
      // Of the one that was closed now it may still be needed: its end is not durable yet.
      if (older?.unsyncedBytes === 0) dropGrowth(disk, older)
    })
    await this.#tolerant(async () => segment.giveBackRest())
    await this.#tolerant(async () => {
      for (const { path: at, bytes: content } of this.#indexesOf(segment)) {
        await syncAndClose(writeCache(disk, at, content))
      }
    })
    await this.#tolerant(() => replaceFile(disk, segmentPath(path, offset, 'producers'), bytes))
  }

  /** Both index files of a segment as it is now. Of one that left nothing is written. */
  #indexesOf(segment: Segment): { readonly path: string; readonly bytes: Uint8Array }[] {
    const { index, baseOffset, endOffset, sizeBytes: logBytes } = segment
    if (index === null || segment.isRemoved) return []
    const { crc32c } = this.#state.host.env
    const of = { baseOffset, endOffset, logBytes }
    return (['offsets', 'times'] as const).map(kind => ({
      path: segment.pathOf(kind),
      bytes: encodeIndex(kind, index, of, crc32c),
    }))
  }

  async #tolerant(act: () => Promise<void>): Promise<void> {
    const { host, name } = this.#state
    if (host.failure !== null) return
    try {
      await act()
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      if (!isPassing(error)) return host.fail(error)
      const fields = { log: name, error: error.message }
      host.warn('Could not finish what a closed segment leaves', fields)
    }
  }
}

/** The index files were found to speak of all of it, and it has not grown since. */
function areIndexesCurrent({ grown, sizeBytes, isEmpty }: Segment): boolean {
  return !isEmpty && grown.fileBytes === 0 && grown.position === sizeBytes
}

/** In place, without a rename: a torn cache is known by its CRC. */
function writeCache(disk: Disk, path: string, bytes: Uint8Array): DiskFile {
  if (disk.stat(path) !== null) disk.unlink(path)
  const file = disk.open(path, 'create')
  try {
    file.write(0, [bytes])
    return file
  } catch (error) {
    file.close()
    throw error
  }
}

async function syncAndClose(file: DiskFile): Promise<void> {
  try {
    await file.sync()
  } finally {
    file.close()
  }
}
