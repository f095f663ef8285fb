/**
 * The disk as the log engine sees it: appends are synchronous (they go to the page cache) unless the kernel makes
 * writers wait; whatever may wait for the device is asynchronous. Twins: the addon's (`broker/native`), `real/disk.ts` over `node:fs`, and
 * the simulator's, which knows what is cached and what is durable.
 */
export interface Disk {
  readonly kind: 'native' | 'node' | 'simulated'
  readonly pageCacheSource: PageCacheSource
  /**
   * Opens a file. `read`: must exist, read only. `write`: must exist, read and write. `create`: must not
   * exist, read and write.
   * @throws DiskError
   */
  open(path: string, mode: 'read' | 'write' | 'create'): DiskFile
  /** Names in a directory, sorted. @throws DiskError with code ENOENT where it does not exist. */
  list(path: string): string[]
  /** null where nothing has that path. */
  stat(path: string): FileStat | null
  /** Makes a directory and its parents; no error where it exists. */
  mkdir(path: string): void
  /** Atomically, over an existing file too. Durable only after `syncDirectory` of the parent. */
  rename(from: string, to: string): void
  /** A second name for a file. @throws DiskError with code EEXIST where `to` exists. */
  link(from: string, to: string): void
  /** Removes a file; open handles stay readable. */
  unlink(path: string): void
  /** As `unlink`, off the event loop: a large file's pages and blocks take a third of a second per GiB to free. */
  unlinkAsync(path: string): Promise<void>
  /** Removes an empty directory. */
  rmdir(path: string): void
  /** fsync of a directory: its entries are durable when this resolves. */
  syncDirectory(path: string): Promise<void>
  /** Everything written to the file system that holds `path` is durable when this resolves (syncfs(2)). */
  syncFileSystem(path: string): Promise<void>
  /** Bytes of the file system that holds `path`. */
  space(path: string): { readonly totalBytes: number; readonly freeBytes: number }
  /** What kind of file system holds `path`. */
  fileSystem(path: string): FileSystem
  /**
   * Takes an exclusive lock that the kernel drops when the process dies (F_OFD_SETLK; the fallback binds an
   * abstract socket). Creates the file where missing.
   * @throws DiskError with code ELOCKED where another process holds it.
   */
  lock(path: string): DiskLock
}

/**
 * Who seeks a range to send reads no more than this at once; who walks through a file reads more. What the device
 * delivers to a look-up is counted with the range (SendStream.hitBytes).
 */
export const lookUpBytesMax = 4096

export interface DiskLock {
  release(): void
}

export interface FileStat {
  readonly size: number
  readonly isDirectory: boolean
  readonly modifiedMs: number
}

export interface FileSystem {
  /** Name where known (`ext4`, `xfs`, `tmpfs`, `nfs` ...), else the magic number of statfs(2) in hex. */
  readonly type: string
  /** Same value means same mounted file system: device and file-system id. */
  readonly id: string
  /** Lost with the machine (tmpfs), or not ours alone (network, FUSE). */
  readonly isMemory: boolean
  readonly isNetwork: boolean
}

/**
 * An open file. Reference counted below this interface: `close` gives up the owner's reference, and a range of
 * it that is still in a socket's queue stays readable until it was sent.
 */
export interface DiskFile {
  readonly path: string
  readonly pageCacheSource: PageCacheSource
  /** Bytes, from fstat. */
  size(): number
  /**
   * Writes all parts at `position`, one after the other, and returns when every byte is in the page cache.
   * @throws DiskError, whose `written` says how many bytes went in before the failure.
   */
  write(position: number, parts: readonly Uint8Array[]): void
  /**
   * As `write`, in a thread: for where the kernel makes who writes wait. Until it resolves or rejects any part of it may
   * be in the file, and none of it after that; meanwhile the parts stay as they are, and nobody cuts or writes there.
   * @throws DiskError, as `write`
   */
  writeAsync(position: number, parts: readonly Uint8Array[]): Promise<void>
  /** Reads into `target`, synchronously; returns the bytes read, fewer than asked only at the end of the file. */
  read(position: number, target: Uint8Array): number
  /** As `read`, where the page cache has all of it; null where the device would have to deliver, or nobody can tell. */
  readNow(position: number, target: Uint8Array): number | null
  /** As `read`, but off the event loop: for whatever may have to wait for the device. */
  readAsync(position: number, target: Uint8Array): Promise<number>
  /** Cuts the file. Nobody may be reading there. */
  truncate(length: number): void
  /** fdatasync: all bytes written before the call are durable when this resolves. Never retried (durability.md 3.4). */
  sync(): Promise<void>
  /** Starts write-back of a range off the event loop and resolves when it has left the dirty and write-back state. */
  writeBack(position: number, length: number): Promise<void>
  /** What cachestat(2) says of a range; null where it cannot be asked. */
  residency(position: number, length: number): Residency | null
  /**
   * True: every page of the range is in the page cache, of a long one as far as samples tell (mincore). False: not. Null:
   * unknown. The hot path's form of `residency`.
   */
  isResident(position: number, length: number): boolean | null
  /**
   * Takes the place of `length` bytes from the beginning on the device; the file's size stays. True where it was taken:
   * then a cut to its size gives back what it does not need. False where the platform or the file system has no such thing.
   * @throws DiskError
   */
  reserve(length: number): boolean
  /** Asks the kernel to drop the pages wholly inside the range (POSIX_FADV_DONTNEED). */
  dropCache(position: number, length: number): void
  /** As `dropCache`, off the event loop: the kernel may first collect pages from every processor. */
  dropCacheAsync(position: number, length: number): Promise<void>
  /**
   * One more reference, given back by the function returned: until then reads work after `close` too. A
   * network that sends by `readAsync` holds each file of its queue so.
   */
  hold(): () => void
  close(): void
}

/**
 * What tells whether bytes are in the page cache: cachestat(2), in half a microsecond; mincore(2), where that is denied
 * (containers), in ten times as long; nothing, so that it counts as there what was appended lately.
 */
export type PageCacheSource = 'cachestat' | 'mincore' | 'window'

/** Bytes, counted in whole pages. */
export interface Residency {
  readonly cachedBytes: number
  readonly dirtyBytes: number
  readonly writebackBytes: number
}

/** What can fail, by the port's own names: the same ones for whichever twin it fails in. */
export type DiskOperation =
  | Exclude<keyof Disk, 'kind' | 'pageCacheSource' | 'unlinkAsync'>
  | Exclude<keyof DiskFile, 'path' | 'pageCacheSource' | 'hold' | 'close'>

/** A failed disk operation: which, on what, and the errno name (`ENOSPC`, `EIO`, `ELOCKED` ...). */
export class DiskError extends Error {
  override readonly name = 'DiskError'
  readonly operation: DiskOperation
  readonly path: string
  readonly code: string
  /** Bytes that went in before a failed `write`. */
  readonly written: number

  constructor(operation: DiskOperation, path: string, code: string, written = 0) {
    super(`${operation} of ${path} failed with ${code}`)
    this.operation = operation
    this.path = path
    this.code = code
    this.written = written
  }

  /** The file system has no room left, or none for us (quota). */
  get isFull(): boolean {
    return this.code === 'ENOSPC' || this.code === 'EDQUOT'
  }

  /** The process or the machine has no descriptor left. */
  get isOutOfDescriptors(): boolean {
    return this.code === 'EMFILE' || this.code === 'ENFILE'
  }

  /** Something was to be durable and may not be. */
  get isOfSync(): boolean {
    return syncs.has(this.operation)
  }
}

const syncs: ReadonlySet<DiskOperation> = new Set(['sync', 'syncDirectory', 'syncFileSystem'])

/** The whole of a small file, or null where it does not exist. Not for segments. */
export function readWhole(disk: Disk, path: string): Uint8Array | null {
  if (disk.stat(path) === null) return null
  const file = disk.open(path, 'read')
  try {
    const bytes = new Uint8Array(file.size())
    const length = file.read(0, bytes)
    return length === bytes.length ? bytes : bytes.subarray(0, length)
  } finally {
    file.close()
  }
}

/**
 * Replaces a small file as a whole: temporary file, fsync, rename, fsync of the directory.
 * A crash at any moment leaves the old content or the new.
 */
export async function replaceFile(disk: Disk, path: string, content: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`
  if (disk.stat(temporary) !== null) disk.unlink(temporary)
  const file = disk.open(temporary, 'create')
  try {
    file.write(0, [content])
    await file.sync()
  } finally {
    file.close()
  }
  disk.rename(temporary, path)
  await disk.syncDirectory(path.slice(0, path.lastIndexOf('/')))
}
