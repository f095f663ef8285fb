import * as fs from 'node:fs'
import { resolve } from 'node:path'
import { DiskError, type DiskFile, type DiskOperation, type Residency } from '../disk.ts'
import { assert } from '../../lib/assert.ts'
import { attempt, diskError } from './disk-errors.ts'
import type { Unsynced, UnsyncedFile } from './unsynced.ts'
import { writeParts, writePartsAsync, type WrittenFile } from './write-parts.ts'

export type OpenMode = 'read' | 'write' | 'create'

export interface OpenedFile {
  readonly path: string
  readonly fd: number
  readonly dev: number
  readonly mode: OpenMode
}

/** A file over a descriptor of `node:fs`. The descriptor closes with the last reference: owner, holds, calls in flight. */
export class NodeFile implements DiskFile, UnsyncedFile {
  readonly path: string
  readonly pageCacheSource = 'window'
  readonly dev: number
  readonly #fd: number
  readonly #mode: OpenMode
  readonly #unsynced: Unsynced
  #isOpen = true
  #references = 1

  constructor(opened: OpenedFile, unsynced: Unsynced) {
    this.path = opened.path
    this.dev = opened.dev
    this.#fd = opened.fd
    this.#mode = opened.mode
    this.#unsynced = unsynced
  }

  size(): number {
    return this.#attempt('size', () => fs.fstatSync(this.#fd).size)
  }

  write(position: number, parts: readonly Uint8Array[]): void {
    assert(Number.isSafeInteger(position) && position >= 0, 'a write has a position in the file')
    this.#checkOpen('write')
    if (parts.some(({ length }) => length > 0)) this.#unsynced.wrote(this)
    writeParts(this.#written, position, parts)
  }

  async writeAsync(position: number, parts: readonly Uint8Array[]): Promise<void> {
    assert(Number.isSafeInteger(position) && position >= 0, 'a write has a position in the file')
    await this.#during('writeAsync', async () => {
      try {
        await writePartsAsync(this.#written, position, parts)
      } finally {
        // Only now: a sync meanwhile does not cover what came after it began.
        if (this.#isOpen) this.#unsynced.wrote(this)
        else this.#leavePath()
      }
    })
  }

  read(position: number, target: Uint8Array): number {
    return this.#attempt('read', () => {
      let done = 0
      while (done < target.length) {
        const count = fs.readSync(this.#fd, target, done, target.length - done, position + done)
        if (count === 0) break
        done += count
      }
      return done
    })
  }

  readNow(): number | null {
    // Node has no preadv2(2), and knows of no page whether it is cached.
    return null
  }

  async readAsync(position: number, target: Uint8Array): Promise<number> {
    return this.#during('readAsync', async () => {
      let done = 0
      while (done < target.length) {
        const count = await this.#readOnce(position + done, target.subarray(done))
        if (count === 0) break
        done += count
      }
      return done
    })
  }

  #readOnce(position: number, target: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, target, 0, target.length, position, (error, count) => {
        if (error === null) resolve(count)
        else reject(error)
      })
    })
  }

  truncate(length: number): void {
    this.#attempt('truncate', () => fs.ftruncateSync(this.#fd, length))
    this.#unsynced.wrote(this)
  }

  async sync(): Promise<void> {
    await this.#during('sync', () => {
      this.#unsynced.files.delete(this)
      return new Promise<void>((resolve, reject) => {
        fs.fdatasync(this.#fd, error => (error === null ? resolve() : reject(error)))
      })
    })
  }

  /** Node has no sync_file_range(2): the whole file is synced, which satisfies the promise and says more. */
  async writeBack(): Promise<void> {
    if (this.#mode !== 'read') await this.sync()
  }

  residency(): Residency | null {
    return null
  }

  isResident(): boolean | null {
    return null
  }

  reserve(): boolean {
    // Node has no fallocate(2).
    return false
  }

  dropCache(): void {
    // Node has no posix_fadvise(2).
  }

  async dropCacheAsync(): Promise<void> {
    // Nor here.
  }

  hold(): () => void {
    assert(this.#references > 0, 'only a file that is still referenced can be held')
    this.#references++
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      this.#release()
    }
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    if (this.#unsynced.files.delete(this)) this.#leavePath()
    this.#release()
  }

  get #written(): WrittenFile {
    return { path: this.path, descriptor: this.#fd }
  }

  /** It is closed, and not synced. */
  #leavePath(): void {
    const path = this.#pathNow()
    if (path !== null) this.#unsynced.closed(path)
  }

  /** Where the file is now: it may have been renamed since it was opened. Null where it has no name any more. */
  #pathNow(): string | null {
    try {
      const path = fs.readlinkSync(`/proc/self/fd/${this.#fd}`)
      return fs.existsSync(path) ? path : null
    } catch {
      return resolve(this.path)
    }
  }

  #release(): void {
    this.#references--
    if (this.#references === 0) fs.closeSync(this.#fd)
  }

  /** Not closed by its owner; it may be held open by others all the same. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  #checkOpen(operation: DiskOperation): void {
    if (this.#references === 0) throw new DiskError(operation, this.path, 'EBADF')
  }

  #attempt<T>(operation: DiskOperation, act: () => T): T {
    this.#checkOpen(operation)
    return attempt(operation, this.path, act)
  }

  /** Keeps the descriptor open while a call of the thread pool uses its number. */
  async #during<T>(operation: DiskOperation, act: () => Promise<T>): Promise<T> {
    this.#checkOpen(operation)
    this.#references++
    try {
      return await act()
    } catch (error) {
      throw diskError(operation, this.path, error)
    } finally {
      this.#release()
    }
  }
}
