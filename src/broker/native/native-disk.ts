import {
  closeSync,
  constants,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statfsSync,
  statSync,
  unlink,
  unlinkSync,
} from 'node:fs'
import { DiskError } from '../../env/disk.ts'
import type {
  Disk,
  DiskFile,
  DiskLock,
  DiskOperation,
  FileStat,
  FileSystem,
  PageCacheSource,
} from '../../env/disk.ts'
import { attempt, diskError } from '../../env/real/disk-errors.ts'
import { readFileSystem } from '../../env/real/file-system.ts'
import { errnoName } from './errno.ts'
import type { Binding } from './binding.ts'
import type { Jobs } from './jobs.ts'
import { NativeFile } from './native-file.ts'

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL } = constants
/** `create` makes a new file, `lock` makes it where it is missing. */
const openFlags = {
  read: O_RDONLY,
  write: O_RDWR,
  create: O_RDWR | O_CREAT | O_EXCL,
  lock: O_RDWR | O_CREAT,
} as const

/** The disk through the addon. Names and directories, which nobody waits for, go through `node:fs`. */
export class NativeDisk implements Disk {
  readonly kind = 'native'
  readonly pageCacheSource: PageCacheSource
  readonly #binding: Binding
  readonly #jobs: Jobs

  constructor(binding: Binding, jobs: Jobs) {
    this.#binding = binding
    this.#jobs = jobs
    this.pageCacheSource = sourceOf(binding)
  }

  open(path: string, mode: 'read' | 'write' | 'create'): DiskFile {
    return this.#open(path, mode)
  }

  list(path: string): string[] {
    return attempt('list', path, () => readdirSync(path).toSorted())
  }

  stat(path: string): FileStat | null {
    return attempt('stat', path, () => {
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
    attempt('mkdir', path, () => mkdirSync(path, { recursive: true }))
  }

  rename(from: string, to: string): void {
    attempt('rename', from, () => renameSync(from, to))
  }

  link(from: string, to: string): void {
    attempt('link', to, () => linkSync(from, to))
  }

  unlink(path: string): void {
    attempt('unlink', path, () => unlinkSync(path))
  }

  unlinkAsync(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      unlink(path, error => {
        if (error === null) resolve()
        else reject(diskError('unlink', path, error))
      })
    })
  }

  rmdir(path: string): void {
    attempt('rmdir', path, () => rmdirSync(path))
  }

  async syncDirectory(path: string): Promise<void> {
    const directory = this.#adopt('syncDirectory', path, O_RDONLY | constants.O_DIRECTORY)
    await directory.syncBy('syncDirectory')
  }

  async syncFileSystem(path: string): Promise<void> {
    const entry = this.#adopt('syncFileSystem', path, O_RDONLY)
    await entry.syncBy('syncFileSystem')
  }

  space(path: string): { readonly totalBytes: number; readonly freeBytes: number } {
    const { bsize, blocks, bavail } = attempt('space', path, () => statfsSync(path))
    return { totalBytes: bsize * blocks, freeBytes: bsize * bavail }
  }

  fileSystem(path: string): FileSystem {
    return attempt('fileSystem', path, () => readFileSystem(path))
  }

  lock(path: string): DiskLock {
    const file = this.#open(path, 'lock')
    const result = this.#binding.fileLock(file.use('lock'))
    if (result === 0) return { release: () => file.close() }
    file.close()
    const code = errnoName(result)
    throw new DiskError('lock', path, code === 'EAGAIN' || code === 'EACCES' ? 'ELOCKED' : code)
  }

  #open(path: string, mode: keyof typeof openFlags): NativeFile {
    const operation = mode === 'lock' ? mode : 'open'
    const file = this.#adopt(operation, path, openFlags[mode])
    if (!file.isDirectory) return file
    file.close()
    throw new DiskError(operation, path, 'EISDIR')
  }

  #adopt(operation: DiskOperation, path: string, flags: number): NativeFile {
    const descriptor = attempt(operation, path, () => openSync(path, flags, 0o644))
    const handle = this.#binding.fileAdopt(descriptor)
    if (handle < 0) {
      closeSync(descriptor)
      throw new DiskError(operation, path, errnoName(handle))
    }
    const { pageCacheSource } = this
    const [binding, jobs] = [this.#binding, this.#jobs]
    return new NativeFile({ binding, jobs, pageCacheSource, path, descriptor, handle })
  }
}

/** Asked once: a container's seccomp profile does not change while it runs. */
function sourceOf(binding: Binding): PageCacheSource {
  if (binding.cachestatProbe() >= 0) return 'cachestat'
  return binding.mincoreProbe() >= 0 ? 'mincore' : 'window'
}
