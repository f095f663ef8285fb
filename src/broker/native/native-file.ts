import { fstatSync, ftruncateSync } from 'node:fs'
import { assert } from '../../lib/assert.ts'
import { DiskError, lookUpBytesMax } from '../../env/disk.ts'
import type { DiskFile, DiskOperation, PageCacheSource, Residency } from '../../env/disk.ts'
import { attempt } from '../../env/real/disk-errors.ts'
import { writePartsAsync } from '../../env/real/write-parts.ts'
import { errnoName } from './errno.ts'
import type { Binding } from './binding.ts'
import type { Jobs } from './jobs.ts'

const syncCalls = { syncDirectory: 'fileSyncAll', syncFileSystem: 'fileSyncFileSystem' } as const

/** A file that the addon holds open. Ranges of it in send queues and running jobs keep references of their own. */
export class NativeFile implements DiskFile {
  readonly path: string
  readonly pageCacheSource: PageCacheSource
  readonly #binding: Binding
  readonly #jobs: Jobs
  /** What the addon calls it, and the system; it is open as long as the former. */
  readonly #handle: number
  readonly #descriptor: number
  /** The owner's and each `hold`; the addon's file is closed with the last. */
  #references = 1
  #isClosed = false

  constructor(options: {
    binding: Binding
    jobs: Jobs
    pageCacheSource: PageCacheSource
    path: string
    handle: number
    descriptor: number
  }) {
    this.path = options.path
    this.pageCacheSource = options.pageCacheSource
    this.#binding = options.binding
    this.#jobs = options.jobs
    this.#handle = options.handle
    this.#descriptor = options.descriptor
  }

  /** The addon's name for it. @throws DiskError with code EBADF after the last reference was given up. */
  use(operation: DiskOperation): number {
    if (this.#references === 0) throw new DiskError(operation, this.path, 'EBADF')
    return this.#handle
  }

  size(): number {
    this.use('size')
    return attempt('size', this.path, () => fstatSync(this.#descriptor).size)
  }

  write(position: number, parts: readonly Uint8Array[]): void {
    const handle = this.use('write')
    const { partsPerCall } = this.#binding.constants
    let written = 0
    for (let at = 0; at < parts.length; at += partsPerCall) {
      const some = parts.length <= partsPerCall ? parts : parts.slice(at, at + partsPerCall)
      const result = this.#binding.fileWrite(handle, position + written, some)
      written += this.#binding.answer[0]!
      if (result < 0) throw new DiskError('write', this.path, errnoName(result), written)
    }
  }

  async writeAsync(position: number, parts: readonly Uint8Array[]): Promise<void> {
    this.use('writeAsync')
    const release = this.hold()
    try {
      await writePartsAsync({ path: this.path, descriptor: this.#descriptor }, position, parts)
    } finally {
      release()
    }
  }

  read(position: number, target: Uint8Array): number {
    const call = isLookUp(target) ? 'fileLookUp' : 'fileRead'
    return this.#check('read', this.#binding[call](this.use('read'), position, target))
  }

  readNow(position: number, target: Uint8Array): number | null {
    const handle = this.use('readNow')
    // A probe of what is not cached starts the read-ahead that it asks about (durability.md Q3).
    if (this.isResident(position, target.length) !== true) return null
    const read = this.#binding.fileLookUpNow(handle, position, target)
    return read < 0 ? null : read
  }

  async readAsync(position: number, target: Uint8Array): Promise<number> {
    const handle = this.use('readAsync')
    const call = isLookUp(target) ? 'fileLookUpLater' : 'fileReadLater'
    const submit = (job: number) => this.#binding[call](handle, job, position, target)
    return this.#run('readAsync', submit, target)
  }

  truncate(length: number): void {
    this.use('truncate')
    attempt('truncate', this.path, () => ftruncateSync(this.#descriptor, length))
  }

  async sync(): Promise<void> {
    const handle = this.use('sync')
    await this.#run('sync', job => this.#binding.fileSync(handle, job))
  }

  /** Syncs more than the contents, and closes it. */
  async syncBy(operation: keyof typeof syncCalls): Promise<void> {
    const handle = this.use(operation)
    const call = syncCalls[operation]
    try {
      await this.#run(operation, job => this.#binding[call](handle, job))
    } finally {
      this.close()
    }
  }

  get isDirectory(): boolean {
    return fstatSync(this.#descriptor).isDirectory()
  }

  async writeBack(position: number, length: number): Promise<void> {
    // To the kernel a length of 0 means the rest of the file.
    if (length <= 0) return
    const handle = this.use('writeBack')
    await this.#run('writeBack', job => this.#binding.fileWriteBack(handle, job, position, length))
  }

  residency(position: number, length: number): Residency | null {
    const handle = this.use('residency')
    if (this.pageCacheSource !== 'cachestat') return null
    if (this.#binding.fileResidency(handle, position, length) < 0) return null
    const { answer, constants } = this.#binding
    const { pageBytes } = constants
    return {
      cachedBytes: answer[0]! * pageBytes,
      dirtyBytes: answer[1]! * pageBytes,
      writebackBytes: answer[2]! * pageBytes,
    }
  }

  isResident(position: number, length: number): boolean | null {
    const handle = this.use('isResident')
    if (this.pageCacheSource !== 'cachestat') return this.#isCached(handle, position, length)
    if (this.#binding.fileResidency(handle, position, length) < 0) return null
    if (length <= 0) return true
    const { answer, constants } = this.#binding
    const { pageBytes } = constants
    const firstPage = Math.floor(position / pageBytes)
    return answer[0]! > Math.floor((position + length - 1) / pageBytes) - firstPage
  }

  #isCached(handle: number, position: number, length: number): boolean | null {
    if (this.pageCacheSource === 'window') return null
    const answer = this.#binding.fileIsCached(handle, position, length)
    return answer < 0 ? null : answer === 1
  }

  reserve(length: number): boolean {
    const answer = this.#binding.fileReserve(this.use('reserve'), length)
    if (answer < 0 && errnoName(answer) === 'ENOTSUP') return false
    this.#check('reserve', answer)
    return true
  }

  dropCache(position: number, length: number): void {
    this.#check('dropCache', this.#binding.fileDropCache(this.use('dropCache'), position, length))
  }

  async dropCacheAsync(position: number, length: number): Promise<void> {
    const handle = this.use('dropCacheAsync')
    const submit = (job: number) => this.#binding.fileDropCacheLater(handle, job, position, length)
    await this.#run('dropCacheAsync', submit)
  }

  hold(): () => void {
    assert(this.#references > 0, 'a closed file is not held')
    this.#references++
    let isHeld = true
    return () => {
      if (isHeld) this.#release()
      isHeld = false
    }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#release()
  }

  #release(): void {
    if (--this.#references === 0) this.#binding.fileClose(this.#handle)
  }

  #run(operation: DiskOperation, submit: (job: number) => number, kept?: object): Promise<number> {
    const fail = (errno: number) => new DiskError(operation, this.path, errnoName(errno))
    return this.#jobs.run(submit, fail, kept)
  }

  #check(operation: DiskOperation, answer: number): number {
    if (answer < 0) throw new DiskError(operation, this.path, errnoName(answer))
    return answer
  }
}

function isLookUp(target: Uint8Array): boolean {
  return target.length <= lookUpBytesMax
}
