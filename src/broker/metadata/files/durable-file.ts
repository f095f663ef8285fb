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

/** Makes a directory and its parents; all of their names are durable when this resolves. */
export async function makeDirectoryDurably(disk: Disk, path: string): Promise<void> {
  if (disk.stat(path)?.isDirectory === true) return
  const parent = parentOf(path)
  await makeDirectoryDurably(disk, parent)
  disk.mkdir(path)
  await disk.syncDirectory(parent)
}

/** True where the file system is full or the process has no descriptor left: nothing is broken, try again. */
export function isShortage(error: unknown): boolean {
  return error instanceof DiskError && shortages.has(error.code)
}

const shortages = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'ENOMEM'])

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  if (slash === 0) return '/'
  return slash < 0 ? '.' : path.slice(0, slash)
}
