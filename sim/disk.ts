import {
  DiskError,
  type Disk,
  type DiskFile,
  type DiskLock,
  type FileStat,
  type FileSystem,
} from '../src/env/disk.ts'
import { assert, present } from '../src/lib/assert.ts'
import { Prng } from '../src/lib/prng.ts'
import { FileContent, type SyncCapture } from './disk-content.ts'
import { pageBytes } from './disk-content-crash.ts'
import { FaultPlan, type Fault, type OperationName, type SimOperation } from './disk-faults.ts'
import { firstBytes, SimFile, type FileHost } from './disk-file.ts'
import { DirectoryTree, type Inode } from './disk-tree.ts'
import { ThreadWrites, type ThreadWrite } from './thread-writes.ts'

export interface SimDiskOptions {
  /** Runs `act` later: when a read, a sync, a write-back ends. A microtask where left out. */
  readonly later?: (act: () => void) => void
  /** Wall clock for `modifiedMs`; always 0 where left out. */
  readonly now?: () => number
  /** Pages that fit; a write beyond them is short and fails with ENOSPC. No limit where left out. */
  readonly capacityBytes?: number
  /** What it says that its size is; nothing keeps to it. `capacityBytes`, or a TiB, where left out. */
  readonly totalBytes?: number
}

const noParts: readonly Uint8Array[] = []

/**
 * A disk in memory with two states of everything: what the process sees (the page cache), and what a machine
 * crash leaves. One SimDisk is what one process sees; a crash gives the SimDisk that the next process sees.
 * Directory entries are durable after `syncDirectory` only, of a new file as of a renamed one.
 */
export class SimDisk implements Disk {
  readonly kind = 'simulated'
  readonly pageCacheSource = 'cachestat'
  readonly #options: SimDiskOptions
  readonly #tree: DirectoryTree
  readonly #plan = new FaultPlan()
  readonly #locked = new Set<Inode>()
  readonly #handleCounts = new Map<Inode, number>()
  /** Contents are shared with clones; those that are not in `#own` are copied before they change. */
  readonly #files: Map<Inode, FileContent>
  #own = new WeakSet<FileContent>()
  readonly #threads: ThreadWrites
  /** The tree's changes at the last look for what can be forgotten; null: one more look is due. */
  #collectedAt: number | null = null
  /** Bytes that reads found outside the page cache; those of `read` blocked the event loop. */
  coldBytesSync = 0
  coldBytesAsync = 0

  constructor(
    options: SimDiskOptions = {},
    from?: { tree: DirectoryTree; files: Map<Inode, FileContent>; threads?: ThreadWrites },
  ) {
    this.#options = options
    this.#tree = from?.tree ?? new DirectoryTree()
    this.#files = from?.files ?? new Map()
    this.#threads = from?.threads ?? new ThreadWrites()
  }

  /** Counted operations so far: all that change something or sync. */
  get operationCount(): number {
    return this.#plan.operationCount
  }

  /** Writes that threads have begun and not finished. */
  get underWayCount(): number {
    return this.#threads.count
  }

  /** True once a planned crash happened, or a crash was taken of this disk. */
  get isCrashed(): boolean {
    return this.#plan.crashed
  }

  /** Calls `listener` before every counted operation: the place to `clone` the disk as a crash point. */
  onOperation(listener: ((operation: SimOperation) => void) | null): void {
    this.#plan.onOperation = listener
  }

  /**
   * After `operationCount` counted operations (since the disk was made) the next one throws SimCrash, and so
   * does everything later. A write puts its first `tornBytes` into the page cache before.
   */
  crashAfter(operationCount: number, tornBytes = 0): void {
    this.#plan.crashAfter(operationCount, tornBytes)
  }

  /** The next operation of that name on such a path fails; several faults wait for their operations independently. */
  failNext(fault: Fault): void {
    this.#plan.failNext(fault)
  }

  /** What was to fail and did not, will not. */
  forgetFaults(): void {
    this.#plan.forgetFaults()
  }

  /** The same disk in the same state, without open files, locks and planned faults. Cheap: pages are shared. */
  clone(): SimDisk {
    this.#own = new WeakSet()
    const threads = this.#threads.clone()
    const files = new Map(this.#files)
    return new SimDisk(this.#options, { tree: this.#tree.clone(), files, threads })
  }

  /** Puts the first `bytes` of a write that was about to happen into the page cache: a torn write. */
  tear(operation: SimOperation, bytes: number): void {
    if (operation.name !== 'write' && operation.name !== 'writeAsync') return
    this.#write({ ...operation, parts: firstBytes(operation.parts, bytes) })
  }

  /**
   * The process dies, the kernel lives: what was written is there. Of what a thread was writing as much is there as
   * `prng` says, or had gone in already. This disk is dead, the new one goes on.
   */
  crashProcess(prng = new Prng(0)): SimDisk {
    this.#plan.crashed = true
    const left = this.clone()
    for (const write of left.#threads.end(prng))
      if (left.#files.has(write.inode)) left.#write(write)
    return left
  }

  /** The machine dies: what was synced is there, of the rest some legal choice of `prng`. Callable repeatedly. */
  crashMachine(prng: Prng): SimDisk {
    this.#plan.crashed = true
    const last = this.#threads.count === 0 ? this : this.crashProcess(prng)
    const files = new Map<Inode, FileContent>()
    for (const [inode, content] of last.#files) files.set(inode, content.afterMachineCrash(prng))
    const left = new SimDisk(this.#options, { tree: this.#tree.afterMachineCrash(prng), files })
    left.#collect()
    return left
  }

  /** Drops every clean page from the page cache, of one file or of all. */
  evict(path?: string): void {
    const inodes =
      path === undefined ? [...this.#files.keys()] : [this.#tree.get('dropCache', path)]
    for (const inode of inodes) this.#content(inode, 'change').drop(0, Infinity)
  }

  open(path: string, mode: 'read' | 'write' | 'create'): DiskFile {
    this.#begin(mode === 'create' ? 'create' : 'open', path)
    if (mode === 'create') {
      const inode = this.#tree.create('open', path, 'file')
      const content = new FileContent()
      this.#files.set(inode, content)
      this.#own.add(content)
      return new SimFile(path, mode, this.#host(inode))
    }
    const inode = this.#tree.get('open', path)
    if (this.#tree.isDirectory(inode)) throw new DiskError('open', path, 'EISDIR')
    return new SimFile(path, mode, this.#host(inode))
  }

  list(path: string): string[] {
    this.#begin('list', path)
    return this.#tree.names(this.#tree.getDirectory('list', path))
  }

  stat(path: string): FileStat | null {
    this.#begin('stat', path)
    const inode = this.#findOrNull(path)
    if (inode === null) return null
    if (this.#tree.isDirectory(inode)) return { size: 0, isDirectory: true, modifiedMs: 0 }
    const { size, modifiedMs } = this.#content(inode, 'read')
    return { size, isDirectory: false, modifiedMs }
  }

  mkdir(path: string): void {
    this.#begin('mkdir', path)
    const names = path.split('/').filter(name => name !== '')
    for (let depth = 1; depth <= names.length; depth++) {
      const step = `/${names.slice(0, depth).join('/')}`
      const found = this.#tree.find('mkdir', step)
      if (found === null) this.#tree.create('mkdir', step, 'directory')
      else if (!this.#tree.isDirectory(found)) throw new DiskError('mkdir', path, 'EEXIST')
    }
  }

  rename(from: string, to: string): void {
    this.#begin('rename', from)
    this.#tree.rename(from, to)
  }

  link(from: string, to: string): void {
    this.#begin('link', to)
    const inode = this.#tree.get('link', from)
    if (this.#tree.isDirectory(inode)) throw new DiskError('link', to, 'EPERM')
    this.#tree.add('link', to, inode)
  }

  unlink(path: string): void {
    this.#begin('unlink', path)
    const inode = this.#tree.get('unlink', path)
    if (this.#tree.isDirectory(inode)) throw new DiskError('unlink', path, 'EISDIR')
    this.#tree.remove('unlink', path)
  }

  async unlinkAsync(path: string): Promise<void> {
    this.unlink(path)
  }

  rmdir(path: string): void {
    this.#begin('rmdir', path)
    const inode = this.#tree.getDirectory('rmdir', path)
    if (this.#tree.names(inode).length > 0) throw new DiskError('rmdir', path, 'ENOTEMPTY')
    this.#tree.remove('rmdir', path)
  }

  async syncDirectory(path: string): Promise<void> {
    const fault = this.#start('syncDirectory', path)
    const captured = this.#tree.unsynced(this.#tree.getDirectory('syncDirectory', path))
    await this.#later(() => {
      if (fault !== null) throw new DiskError('syncDirectory', path, fault.code)
      this.#tree.commit(captured)
      this.#collect()
    })
  }

  async syncFileSystem(path: string): Promise<void> {
    const fault = this.#start('syncFileSystem', path)
    this.#tree.get('syncFileSystem', path)
    const changes = this.#tree.unsynced(null)
    const captures = [...this.#files].map(
      ([inode, content]) => [inode, content.startSync()] as const,
    )
    await this.#later(() => {
      for (const [inode, capture] of captures) {
        if (this.#files.has(inode)) this.#endSync(inode, capture, fault)
      }
      if (fault !== null) throw new DiskError('syncFileSystem', path, fault.code)
      this.#tree.commit(changes)
      this.#collect()
    })
  }

  space(path: string): { readonly totalBytes: number; readonly freeBytes: number } {
    this.#plan.checkAlive()
    this.#tree.get('space', path)
    const { totalBytes = this.#options.capacityBytes ?? 2 ** 40 } = this.#options
    return { totalBytes, freeBytes: Math.max(0, totalBytes - this.#allocatedBytes()) }
  }

  fileSystem(path: string): FileSystem {
    this.#tree.get('fileSystem', path)
    return { type: 'simulated', id: 'simulated', isMemory: false, isNetwork: false }
  }

  lock(path: string): DiskLock {
    this.#begin('lock', path)
    const inode = this.#findOrNull(path) ?? this.#createForLock(path)
    if (this.#locked.has(inode)) throw new DiskError('lock', path, 'ELOCKED')
    this.#locked.add(inode)
    return { release: () => void this.#locked.delete(inode) }
  }

  #createForLock(path: string): Inode {
    this.open(path, 'create').close()
    return this.#tree.get('lock', path)
  }

  #begin(name: OperationName, path: string): void {
    const fault = this.#start(name, path)
    if (fault !== null) throw new DiskError(name === 'create' ? 'open' : name, path, fault.code)
  }

  #start(name: OperationName, path: string): Fault | null {
    const operation = { name, path, inode: 0, position: 0, parts: noParts }
    return this.#plan.begin(operation, () => {})
  }

  #host(inode: Inode): FileHost {
    this.#handleCounts.set(inode, (this.#handleCounts.get(inode) ?? 0) + 1)
    return {
      inode,
      plan: this.#plan,
      content: purpose => this.#content(inode, purpose),
      write: (position, parts) => this.#write({ inode, position, parts }),
      writeAsync: (position, parts) =>
        this.#threads.write(
          { inode, position, parts },
          write => this.#write(write),
          act => this.#later(act),
        ),
      endSync: (capture, fault) => this.#endSync(inode, capture, fault),
      later: act => this.#later(act),
      coldRead: (bytes, isAsync) => {
        if (isAsync) this.coldBytesAsync += bytes
        else this.coldBytesSync += bytes
      },
      released: () => {
        this.#handleCounts.set(inode, this.#handleCounts.get(inode)! - 1)
        this.#collect()
      },
    }
  }

  /** Writes what fits; returns the bytes that went in. */
  #write({ inode, position, parts }: ThreadWrite): number {
    const content = this.#content(inode, 'change')
    const capacity = this.#options.capacityBytes
    let done = 0
    for (const part of parts) {
      const newPagesMax =
        capacity === undefined
          ? Infinity
          : Math.floor((capacity - this.#allocatedBytes()) / pageBytes)
      const count = content.write(position + done, part, newPagesMax)
      done += count
      if (count < part.length) break
    }
    content.modifiedMs = this.#options.now?.() ?? 0
    return done
  }

  #endSync(inode: Inode, capture: SyncCapture, fault: Fault | null): void {
    const content = this.#content(inode, 'change')
    if (fault === null) content.finishSync(capture)
    else content.failSync(capture)
  }

  /** Runs `act` later, unless the process died meanwhile: then the promise fails with SimCrash. */
  #later<T>(act: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const later = this.#options.later ?? queueMicrotask
    later(() => {
      try {
        this.#plan.checkAlive()
        resolve(act())
      } catch (error) {
        reject(error as Error)
      }
    })
    return promise
  }

  #content(inode: Inode, purpose: 'read' | 'change'): FileContent {
    const content = present(this.#files.get(inode), `content of inode ${inode}`)
    if (purpose === 'read' || this.#own.has(content)) return content
    const copy = content.clone()
    this.#files.set(inode, copy)
    this.#own.add(copy)
    return copy
  }

  #findOrNull(path: string): Inode | null {
    try {
      return this.#tree.find('stat', path)
    } catch (error) {
      assert(error instanceof DiskError, 'a look-up fails with a DiskError')
      return null
    }
  }

  /** A file that lost its last name gives its pages back with its last handle, as on every file system. */
  #allocatedBytes(): number {
    const named = this.#tree.cached()
    let bytes = 0
    for (const [inode, content] of this.#files) {
      const isThere = named.has(inode) || (this.#handleCounts.get(inode) ?? 0) > 0
      if (isThere) bytes += content.allocatedBytes
    }
    return bytes
  }

  /** Forgets what has no name, no handle and no way back by a crash. */
  #collect(): void {
    if (this.#tree.changeCount === this.#collectedAt) return
    this.#collectedAt = this.#tree.changeCount
    const named = this.#tree.named()
    for (const inode of this.#files.keys()) {
      if (named.has(inode)) continue
      if ((this.#handleCounts.get(inode) ?? 0) === 0) this.#files.delete(inode)
      // Its last handle is closed later.
      else this.#collectedAt = null
    }
    for (const inode of this.#tree.directories()) {
      if (named.has(inode)) continue
      this.#tree.forget(inode)
      this.#collectedAt = null
    }
  }
}
