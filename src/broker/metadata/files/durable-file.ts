import { type Disk, DiskError } from '../../../env/disk.ts'

/** Writes a new file, over a left-over of that name, and returns when its content is durable; its name is not yet. */
export async function writeDurably(disk: Disk, path: string, content: Uint8Array): Promise<void> {
  if (disk.stat(path) !== null) disk.unlink(path)
  const file = disk.open(path, 'create')
  try {
    file.write(0, [content])
    await file.sync()
  } finally {
    file.close()
  }
}

/**
 * Makes a directory and its parents; all of their names, and those in it, are durable when this resolves. So are
 * the names that were there before: whoever made them may have died before it could sync them.
 */
export async function makeDirectoryDurably(disk: Disk, path: string): Promise<void> {
  disk.mkdir(path)
  for (let at: string | null = path; at !== null; at = parentOf(at)) await syncOurs(disk, at)
}

/** A directory that we may not open, or not sync, is not one that we have made. */
async function syncOurs(disk: Disk, path: string): Promise<void> {
  try {
    await disk.syncDirectory(path)
  } catch (error) {
    if (!(error instanceof DiskError) || !foreign.has(error.code)) throw error
  }
}

const foreign = new Set(['EACCES', 'EPERM', 'EROFS', 'EINVAL'])

/** True where the file system is full or the process has no descriptor left: nothing is broken, try again. */
export function isShortage(error: unknown): error is DiskError {
  if (!(error instanceof DiskError)) return false
  return error.isFull || error.isOutOfDescriptors || error.code === 'ENOMEM'
}

/** null for the root, and for the working directory. */
function parentOf(path: string): string | null {
  if (path === '/' || path === '.') return null
  const slash = path.lastIndexOf('/')
  if (slash === 0) return '/'
  return slash < 0 ? '.' : path.slice(0, slash)
}
