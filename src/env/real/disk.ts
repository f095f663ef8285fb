import * as fs from 'node:fs'
import { dirname, resolve } from 'node:path'
import {
  DiskError,
  type Disk,
  type DiskFile,
  type DiskLock,
  type FileStat,
  type FileSystem,
} from '../disk.ts'
import { assert } from '../../lib/assert.ts'
import { attempt, diskError } from './disk-errors.ts'
import { NodeFile, type OpenMode } from './disk-file.ts'
import { bindLock } from './disk-lock.ts'
import { readFileSystem } from './file-system.ts'
import { Unsynced } from './unsynced.ts'

const flags: Readonly<Record<OpenMode, string>> = { read: 'r', write: 'r+', create: 'wx+' }

/**
 * The disk over `node:fs`: the oracle for the addon's. What Node cannot ask the kernel it says so:
 * residency is unknown, pages cannot be dropped, write-back is a sync.
 */
export class NodeDisk implements Disk {
  readonly kind = 'node'
  readonly pageCacheSource = 'window'
  readonly #unsynced: Unsynced

  constructor(unsynced = new Unsynced()) {
    this.#unsynced = unsynced
  }

  open(path: string, mode: OpenMode): DiskFile {
    const fd = attempt('open', path, () => fs.openSync(path, flags[mode], 0o644))
    const { dev, isDirectory } = attempt('open', path, () => openedStat(fd))
    if (isDirectory) {
      fs.closeSync(fd)
      throw new DiskError('open', path, 'EISDIR')
    }
    if (mode === 'create') this.#unsynced.directories.add(dirname(resolve(path)))
    return new NodeFile({ path, fd, dev, mode }, this.#unsynced)
  }

  list(path: string): string[] {
    return attempt('list', path, () => fs.readdirSync(path)).toSorted()
  }

  stat(path: string): FileStat | null {
    try {
      const { size, mtimeMs, ...stat } = fs.statSync(path)
      const isDirectory = (stat.mode & fs.constants.S_IFMT) === fs.constants.S_IFDIR
      return { size, isDirectory, modifiedMs: Math.floor(mtimeMs) }
    } catch (error) {
      const failure = diskError('stat', path, error)
      if (failure.code === 'ENOENT' || failure.code === 'ENOTDIR') return null
      throw failure
    }
  }

  mkdir(path: string): void {
    const first = attempt('mkdir', path, () => fs.mkdirSync(path, { recursive: true }))
    if (first === undefined) return
    for (let made = resolve(path); made.length >= first.length; made = dirname(made)) {
      this.#unsynced.directories.add(dirname(made))
    }
  }

  rename(from: string, to: string): void {
    attempt('rename', from, () => fs.renameSync(from, to))
    this.#unsynced.renamed(resolve(from), resolve(to))
  }

  link(from: string, to: string): void {
    attempt('link', to, () => fs.linkSync(from, to))
    this.#unsynced.directories.add(dirname(resolve(to)))
  }

  unlink(path: string): void {
    attempt('unlink', path, () => fs.unlinkSync(path))
    this.#unsynced.removed(resolve(path))
  }

  async unlinkAsync(path: string): Promise<void> {
    try {
      await fs.promises.unlink(path)
    } catch (error) {
      throw diskError('unlink', path, error)
    }
    this.#unsynced.removed(resolve(path))
  }

  rmdir(path: string): void {
    attempt('rmdir', path, () => fs.rmdirSync(path))
    this.#unsynced.removed(resolve(path))
  }

  async syncDirectory(path: string): Promise<void> {
    const absolute = resolve(path)
    const wasUnsynced = this.#unsynced.directories.delete(absolute)
    try {
      await syncPath(path, 'directory')
    } catch (error) {
      if (wasUnsynced) this.#unsynced.directories.add(absolute)
      throw diskError('syncDirectory', path, error)
    }
  }

  /** Without syncfs(2): fdatasync of every file written and fsync of every directory changed through this Disk. */
  async syncFileSystem(path: string): Promise<void> {
    const dev = attempt('syncFileSystem', path, () => fs.statSync(path).dev)
    try {
      await this.#unsynced.sync(dev, syncPath)
      await syncPath(path, 'any')
    } catch (error) {
      throw diskError('syncFileSystem', path, error)
    }
  }

  space(path: string): { readonly totalBytes: number; readonly freeBytes: number } {
    const { bsize, blocks, bavail } = attempt('space', path, () => fs.statfsSync(path))
    return { totalBytes: blocks * bsize, freeBytes: bavail * bsize }
  }

  fileSystem(path: string): FileSystem {
    return attempt('fileSystem', path, () => readFileSystem(path))
  }

  lock(path: string): DiskLock {
    return bindLock(path)
  }
}

/** fsync of whatever has that path; a file that is gone has nothing left to sync, a directory must be there. */
async function syncPath(path: string, expected: 'any' | 'directory'): Promise<void> {
  assert(path.length > 0, 'a path to sync is not empty')
  const directoryOnly = expected === 'directory' ? fs.constants.O_DIRECTORY : 0
  const handle = await fs.promises.open(path, fs.constants.O_RDONLY | directoryOnly)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function openedStat(fd: number): { dev: number; isDirectory: boolean } {
  const stat = fs.fstatSync(fd)
  return { dev: stat.dev, isDirectory: stat.isDirectory() }
}
