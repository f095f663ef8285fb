import { DiskError, type Disk, type DiskFile } from '../../../env/env.ts'
import { replaceFile } from '../../../env/disk.ts'
import { epochBody } from '../epoch-cache.ts'
import { dropGrowth } from './growth.ts'
import { encodeIndex } from '../segment/index-file.ts'
import type { LogState } from '../log-state.ts'
import { writeSealed, type SealedFilePlace } from '../segment/sealed-file.ts'
import { segmentPath, type Segment } from '../segment/segment.ts'
import { isPassing } from '../shortage.ts'

/** A producer snapshot: the state of everything below `offset`. */
export interface Snapshot {
  readonly offset: number
  readonly bytes: Uint8Array
}

/**
 * What a segment leaves beside it when it is closed: its indexes, and the producer snapshot for what follows.
 * Runs in the background; `state.sealing` resolves when it is done. All of it are caches, so that a full disk is
 * no error here; whatever else goes wrong is final for the directory.
 */
export function sealSegment(state: LogState, segment: Segment, snapshot: Snapshot): void {
  const before = state.sealing
  const older = state.segments.before(segment)
  state.sealing = (async () => {
    await before
    await tolerant(state, async () => {
      // Of the one that was closed now it may still be needed: its end is not durable yet.
      if (older?.unsyncedBytes === 0) dropGrowth(state.host.env.disk, older)
    })
    await tolerant(state, async () => {
      for (const file of writeIndexes(state, segment)) await syncAndClose(file)
    })
    await tolerant(state, () =>
      replaceFile(
        state.host.env.disk,
        segmentPath(state.path, snapshot.offset, 'snapshot'),
        snapshot.bytes,
      ),
    )
  })()
}

/**
 * What a quick start after a stop needs of the active segment: its indexes, and the producers at the log's end.
 * None of it is synced: what a crash tears is known by its CRC, and made anew from the batches.
 */
export async function leaveCaches(state: LogState): Promise<void> {
  const { segments, producers, endOffset, path, host } = state
  await tolerant(state, async () => {
    for (const file of writeIndexes(state, segments.active)) file.close()
    if (dropGrowth(host.env.disk, segments.active)) state.isDirectoryDirty = true
    const snapshotPath = segmentPath(path, endOffset, 'snapshot')
    // The one at an empty segment's base is durable, and must stay so.
    if (host.env.disk.stat(snapshotPath) !== null) return
    writeCache(host.env.disk, snapshotPath, producers.encode(host.env.crc32c)).close()
  })
}

/** Writes both index files of a segment as it is now; the caller closes them. @throws DiskError */
function writeIndexes(state: LogState, segment: Segment): DiskFile[] {
  const { index, baseOffset, endOffset, sizeBytes: logBytes } = segment
  if (index === null || segment.isRemoved) return []
  const { disk, crc32c } = state.host.env
  const of = { baseOffset, endOffset, logBytes }
  const offsets = encodeIndex('offsets', index, of, crc32c)
  const times = encodeIndex('times', index, of, crc32c)
  return [
    writeCache(disk, segment.pathOf('index'), offsets),
    writeCache(disk, segment.pathOf('timeindex'), times),
  ]
}

export function epochPlace(state: LogState): SealedFilePlace {
  const { disk, crc32c } = state.host.env
  return { disk, crc32c, path: `${state.path}/leader-epoch-checkpoint`, kind: 'leader-epochs' }
}

/** Writes the leader-epoch checkpoint, if epochs changed since it was written. @throws DiskError */
export async function saveEpochs(state: LogState): Promise<void> {
  if (!state.areEpochsDirty) return
  state.areEpochsDirty = false
  try {
    await state.host.withRoom(() => writeSealed(epochPlace(state), epochBody(state.epochs.entries)))
  } catch (error) {
    state.areEpochsDirty = true
    throw error
  }
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

async function tolerant(state: LogState, act: () => Promise<void>): Promise<void> {
  if (state.host.failure !== null) return
  try {
    await act()
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    if (isPassing(error)) {
      state.host.warn('Could not write an index or a snapshot', {
        log: state.name,
        error: error.message,
      })
    } else {
      state.host.fail(error)
    }
  }
}
