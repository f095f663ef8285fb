import { DiskError, type Disk } from '../../env/env.ts'
import type { Segment } from './segment/segment.ts'
import { isPassing } from './shortage.ts'
import type { LogState } from './state/log-state.ts'

/**
 * What becomes of the files of segments that are no longer part of a log: they have another name at once, and are removed
 * when no fetch can be using them any more, off the event loop.
 */

/** Renames a file out of the way; where there is no room for the name, it goes at once. Open ones stay readable. */
export function putAside(disk: Disk, path: string): string[] {
  if (disk.stat(path) === null) return []
  try {
    disk.rename(path, `${path}.deleted`)
    return [path]
  } catch (error) {
    if (!(error instanceof DiskError) || !isPassing(error)) throw error
    disk.unlink(path)
    return []
  }
}

/** When no fetch can be using them any more. `removed`: what `putAside` gave. */
export function closeLater(
  state: LogState,
  segments: readonly Segment[],
  removed: readonly string[],
): void {
  const { clock } = state.host.env
  clock.after(state.config.fileDeleteDelayMs, () => {
    for (const segment of segments) segment.close()
    void removeFiles(state, removed)
  })
}

/**
 * `paths` with `.deleted`, one after the other, off the event loop; one that does not go holds up no other. What is left over goes at
 * the next start.
 */
async function removeFiles(state: LogState, paths: readonly string[]): Promise<void> {
  const { host, availability, name: log } = state
  const { disk } = host.env
  let failure: DiskError | null = null
  let failureCount = 0
  for (const path of paths) {
    if (availability.isClosed) break
    try {
      // One of the same name may have left after it, and have gone with it.
      if (disk.stat(`${path}.deleted`) !== null) await disk.unlinkAsync(`${path}.deleted`)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      failure ??= error
      failureCount++
    }
  }
  if (failure === null) return
  const fields = { log, files: failureCount, error: failure.message }
  host.warn('Could not remove files of retired segments: they go at the next start', fields)
}
