import { DiskError, type Disk } from '../../env/env.ts'
import { replaceFile } from '../../env/disk.ts'
import { epochBody } from './epoch-cache.ts'
import { encodeIndex } from './index-file.ts'
import type { LogState } from './log-state.ts'
import { writeSealed, type SealedFilePlace } from './sealed-file.ts'
import { segmentPath, type Segment } from './segment.ts'

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
  state.sealing = (async () => {
    await before
    await tolerant(state, () => writeIndexes(state, segment))
    await tolerant(state, () => writeSnapshot(state, snapshot))
  })()
}

/** Writes both index files of a segment as it is now, durably. @throws DiskError */
export async function writeIndexes(state: LogState, segment: Segment): Promise<void> {
  const { index, baseOffset, endOffset, sizeBytes: logBytes } = segment
  if (index === null || segment.isRemoved) return
  const { disk, crc32c } = state.host.env
  const of = { baseOffset, endOffset, logBytes }
  const offsets = encodeIndex('offsets', index, of, crc32c)
  const times = encodeIndex('times', index, of, crc32c)
  await writeCache(disk, segment.pathOf('index'), offsets)
  await writeCache(disk, segment.pathOf('timeindex'), times)
  state.isDirectoryDirty = true
}

/** @throws DiskError */
export async function writeSnapshot(state: LogState, { offset, bytes }: Snapshot): Promise<void> {
  await replaceFile(state.host.env.disk, segmentPath(state.path, offset, 'snapshot'), bytes)
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
    await writeSealed(epochPlace(state), epochBody(state.epochs.entries))
  } catch (error) {
    state.areEpochsDirty = true
    throw error
  }
}

/** In place, without a rename: a torn cache is known by its CRC. */
async function writeCache(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  if (disk.stat(path) !== null) disk.unlink(path)
  const file = disk.open(path, 'create')
  try {
    file.write(0, [bytes])
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
    if (error.operation !== 'sync' && (error.code === 'ENOSPC' || error.code === 'EDQUOT')) {
      state.host.warn('Could not write an index or a snapshot', {
        log: state.name,
        error: error.message,
      })
    } else {
      state.host.fail(error)
    }
  }
}
