import {
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statfsSync,
  statSync,
  unlink,
  unlinkSync,
} from 'node:fs'
import { DiskError } from '../../env/disk.ts'
import type { Disk, DiskFile, DiskLock, FileStat, FileSystem } from '../../env/disk.ts'
import { readFileSystem } from '../../env/real/file-system.ts'
import { errnoName } from './errno.ts'
import { openModes } from './binding.ts'
import type { Binding } from './binding.ts'
import type { Jobs } from './jobs.ts'
import { NativeFile } from './native-file.ts'

/** The disk through the addon. Names and directories, which nobody waits for, go through `node:fs`. */
export class NativeDisk implements Disk {
  readonly kind = 'native'
  readonly #binding: Binding
  readonly #jobs: Jobs

  constructor(binding: Binding, jobs: Jobs) {
    this.#binding = binding
    this.#jobs = jobs
  }

  open(path: string, mode: 'read' | 'write' | 'create'): DiskFile {
    const handle = this.#binding.fileOpen(path, openModes[mode])
    if (handle < 0) throw new DiskError('open', path, errnoName(handle))
    return new NativeFile({ binding: this.#binding, jobs: this.#jobs, path, handle })
  }

  list(path: string): string[] {
    return named('list', path, () => readdirSync(path).toSorted())
  }

  stat(path: string): FileStat | null {
    return named('stat', path, () => {
      const entry = statSync(path, { throwIfNoEntry: false })
      if (entry === undefined) return null
      return {
        size: entry.size,
        isDirectory: entry.isDirectory(),
        modifiedMs: Math.floor(entry.mtimeMs),
      }
    })
  }

  mkdir(path: string): void {
    named('mkdir', path, () => mkdirSync(path, { recursive: true }))
  }

  rename(from: string, to: string): void {
    named('rename', from, () => renameSync(from, to))
  }

  link(from: string, to: string): void {
    named('link', to, () => linkSync(from, to))
  }

  unlink(path: string): void {
    named('unlink', path, () => unlinkSync(path))
  }

  unlinkAsync(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      unlink(path, error => {
        if (error === null) resolve()
        else reject(new DiskError('unlink', path, error.code ?? 'EIO'))
      })
    })
  }

  rmdir(path: string): void {
    named('rmdir', path, () => rmdirSync(path))
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#jobs.run(
      job => this.#binding.pathSyncDirectory(path, job),
      errno => new DiskError('sync', path, errnoName(errno)),
    )
  }

  async syncFileSystem(path: string): Promise<void> {
    await this.#jobs.run(
      job => this.#binding.pathSyncFileSystem(path, job),
      errno => new DiskError('sync', path, errnoName(errno)),
    )
  }

  space(path: string): { readonly totalBytes: number; readonly freeBytes: number } {
    const { bsize, blocks, bavail } = named('statfs', path, () => statfsSync(path))
    return { totalBytes: bsize * blocks, freeBytes: bsize * bavail }
  }

  fileSystem(path: string): FileSystem {
    return named('statfs', path, () => readFileSystem(path))
  }

  lock(path: string): DiskLock {
    const handle = this.#binding.fileOpen(path, openModes.lock)
    if (handle < 0) {
      const code = errnoName(handle)
      throw new DiskError('lock', path, code === 'EAGAIN' || code === 'EACCES' ? 'ELOCKED' : code)
    }
    return new NativeLock(this.#binding, handle)
  }
}

class NativeLock implements DiskLock {
  readonly #binding: Binding
  readonly #handle: number
  #isHeld = true

  constructor(binding: Binding, handle: number) {
    this.#binding = binding
    this.#handle = handle
  }

  release(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#binding.fileClose(this.#handle)
  }
}

/** Runs a call of `node:fs` and gives its failure the port's shape. */
function named<T>(operation: string, path: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO'
    throw new DiskError(operation, path, code)
  }
}
