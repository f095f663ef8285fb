import { changed } from '../../sim/changed.ts'
import { DiskError, type Disk, type DiskFile } from '../../src/env/disk.ts'
import type { Log } from '../../src/broker/log/log.ts'

/** What a segment's file does instead of what it should. */
type Lie = (file: DiskFile) => Partial<DiskFile>

/** `disk` with segments that lie about what threads write: as an engine would seem that does not wait for them. */
export function lyingDisk(disk: Disk, lie: Lie): Disk {
  const open: Disk['open'] = (path, mode) => {
    const file = disk.open(path, mode)
    return changed(file, path.endsWith('.log') ? lie(file) : {})
  }
  return changed(disk, { open })
}

/** A write is done as soon as it has begun. */
export const answersEarly: Lie = file => ({
  writeAsync: async (position, parts) => quietly(file, position, parts),
})

/** Every third write is said to have failed, and its bytes go in all the same: behind whoever cuts the file now. */
export function failsEarly(): Lie {
  let count = 0
  return file => ({
    writeAsync: async (position, parts) => {
      if (++count % 3 !== 0) return file.writeAsync(position, parts)
      quietly(file, position, parts)
      throw new DiskError('writeAsync', file.path, 'ENOSPC')
    },
  })
}

/** The sync that follows a write is one that began before it. */
export const syncsBefore: Lie = file => {
  let before: Promise<void> | null = null
  return {
    writeAsync: async (position, parts) => {
      before = file.sync()
      before.catch(() => {})
      await file.writeAsync(position, parts)
    },
    sync: () => {
      const stale = before
      before = null
      return stale ?? file.sync()
    },
  }
}

/** `log`, but every fifth append is overtaken by the next one of its turn. */
export function overtaking(log: Log): Log {
  let count = 0
  const append: Log['append'] = (...of) => {
    if (++count % 5 === 0) queueMicrotask(() => log.append(...of))
    else log.append(...of)
  }
  return changed(log, { append })
}

/** As a thread goes on of which nobody knows any more. */
function quietly(file: DiskFile, position: number, parts: readonly Uint8Array[]): void {
  file.writeAsync(position, parts).catch(() => {})
}
