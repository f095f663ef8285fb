import { assert } from '../../../lib/assert.ts'
import { equal, fromUtf8, utf8 } from '../../../lib/bytes.ts'
import { type Disk, DiskError, type DiskLock, readWhole, replaceFile } from '../../../env/disk.ts'
import { noRoom, withRoom, type MakeRoom } from '../../../env/with-room.ts'
import { chainHash } from '../chain.ts'
import {
  type AppendOutcome,
  type Cursor,
  type Lease,
  type MetadataStore,
  type SnapshotOutcome,
  StoreError,
  type StoredLog,
} from '../store.ts'
import { isShortage, makeDirectoryDurably, writeDurably } from './durable-file.ts'
import { refuseNetwork } from './local-folder.ts'
import { Operations } from './operations.ts'
import { decodeRecordFile, encodeRecordFile, encodeSnapshotFile } from './log-file.ts'
import { fileName, readLog, sequenceOf, type StorePaths, storePaths } from './read-log.ts'

/** Records that stay below the snapshot: what a broker that is behind, or a human, may still want to read. */
const keptRecordCountMin = 1_024

export interface FilesStoreOptions {
  readonly disk: Disk
  /** The metadata directory; made where missing. */
  readonly path: string
  /** Default 512. */
  readonly snapshotIntervalMax?: number
  /** For a full disk. Default: there is nothing to give up. */
  readonly makeRoom?: MakeRoom
}

/**
 * The front door of the room: the metadata log as files of one directory, for one process on one machine (durability.md 1.4). For
 * those who share a folder there is `shared/`.
 *
 *     lock                 held while the process lives
 *     log/<sequence>       one record each; the name appears by link(2), so that the first writer of a sequence wins
 *     snapshot/<sequence>  the state after that record; the one that counts, and the one before
 *     snapshot.seq         the sequence of the snapshot that counts
 *
 * A name appears only when its content is durable, and an append is committed when its name is. Every fsync is
 * off the event loop. Full disks are `unavailable`; any other error of a write or fsync ends the store's life.
 */
export class FilesStore implements MetadataStore {
  readonly snapshotIntervalMax: number
  readonly unsnapshottedMax = Infinity
  readonly room = { usedBytes: 0, bytesMax: Infinity }
  readonly payloadBytesMax = 16 * 1_048_576
  readonly lease: Lease
  readonly #disk: Disk
  readonly #paths: StorePaths
  readonly #lock: DiskLock
  readonly #operations: Operations
  readonly #makeRoom: MakeRoom

  private constructor(options: FilesStoreOptions, lock: DiskLock) {
    this.#disk = options.disk
    this.#paths = storePaths(options.path)
    this.snapshotIntervalMax = options.snapshotIntervalMax ?? 512
    this.#lock = lock
    this.#makeRoom = options.makeRoom ?? noRoom
    this.#operations = new Operations(options.path)
    this.lease = leaseOfOneProcess()
  }

  /** @throws StoreError `unsuitable` (a network file system, no permission ...) or `locked` */
  static async open(options: FilesStoreOptions): Promise<FilesStore> {
    const { disk, path } = options
    const paths = storePaths(path)
    try {
      await makeDirectoryDurably(disk, paths.log)
      await makeDirectoryDurably(disk, paths.snapshots)
      refuseNetwork(disk, path)
      refuseShared(disk, path)
      const lock = takeLock(disk, paths.lock)
      try {
        for (const directory of [path, paths.log, paths.snapshots]) removeLeftovers(disk, directory)
      } catch (error) {
        lock.release()
        throw error
      }
      return new FilesStore(options, lock)
    } catch (error) {
      if (error instanceof StoreError) throw error
      throw new StoreError(
        'unsuitable',
        `The metadata directory ${path} cannot be used: ${(error as Error).message}. ` +
          'Give the broker a directory that it may write to.',
        { cause: error },
      )
    }
  }

  readAll(): Promise<StoredLog> {
    return this.#operations.alone(() => Promise.resolve(readLog(this.#disk, this.#paths)))
  }

  append(cursor: Cursor, epoch: number, payload: Uint8Array): Promise<AppendOutcome> {
    assert(payload.length <= this.payloadBytesMax, 'a payload keeps the limit')
    return this.#operations.alone(() => this.#append(cursor, epoch, payload))
  }

  writeSnapshot(cursor: Cursor, epoch: number, payload: Uint8Array): Promise<SnapshotOutcome> {
    return this.#operations.alone(() => this.#writeSnapshot(cursor, epoch, payload))
  }

  /** Waits for nothing: the caller has no operation under way. */
  close(): Promise<void> {
    if (this.#operations.close()) this.#lock.release()
    return Promise.resolve()
  }

  async #append(cursor: Cursor, epoch: number, payload: Uint8Array): Promise<AppendOutcome> {
    const { nextSequence: sequence, lastHash: previousHash } = cursor
    const link = { previousHash, sequence, epoch, payload }
    const content = encodeRecordFile(link)
    const temporary = `${this.#paths.log}/append.tmp`
    const final = `${this.#paths.log}/${fileName(sequence)}`
    let isNew: boolean
    try {
      isNew = await withRoom(this.#makeRoom, async () => {
        await writeDurably(this.#disk, temporary, content)
        return this.#link(temporary, final)
      })
    } catch (error) {
      if (isShortage(error)) return { kind: 'unavailable', reason: error.message }
      throw error
    }
    if (!isNew && !this.#holds(final, content)) return { kind: 'lost' }
    await this.#disk.syncDirectory(this.#paths.log)
    // A writer that slept since before the log was trimmed has made an old name a second time.
    if (isNew && sequence <= this.#snapshotSequence()) {
      this.#disk.unlink(final)
      return { kind: 'lost' }
    }
    return {
      kind: 'committed',
      cursor: { nextSequence: sequence + 1, lastHash: chainHash(link) },
    }
  }

  async #writeSnapshot(
    cursor: Cursor,
    epoch: number,
    payload: Uint8Array,
  ): Promise<SnapshotOutcome> {
    const sequence = cursor.nextSequence - 1
    const name = fileName(sequence)
    const path = `${this.#paths.snapshots}/${name}`
    if (this.#isOvertaken(cursor)) return { kind: 'lost' }
    const content = encodeSnapshotFile({ sequence, epoch, hash: cursor.lastHash, payload })
    try {
      await withRoom(this.#makeRoom, () => writeDurably(this.#disk, `${path}.tmp`, content))
      this.#disk.rename(`${path}.tmp`, path)
      await this.#disk.syncDirectory(this.#paths.snapshots)
      assert(this.#holds(path, content), 'a snapshot reads as it was written')
      const before = this.#snapshotSequence()
      await replaceFile(this.#disk, this.#paths.snapshotSequence, utf8(`${sequence}\n`))
      this.#trim(sequence, before)
    } catch (error) {
      if (isShortage(error)) return { kind: 'unavailable', reason: error.message }
      throw error
    }
    return { kind: 'written', cursor }
  }

  /** Not durable, and need not be: names at or below the snapshot are never read again. */
  #trim(sequence: number, sequenceBefore: number): void {
    const { log, snapshots } = this.#paths
    for (const name of this.#disk.list(snapshots)) {
      const at = sequenceOf(name)
      if (at !== null && at !== sequence && at !== sequenceBefore) {
        this.#disk.unlink(`${snapshots}/${name}`)
      }
    }
    for (const name of this.#disk.list(log)) {
      const at = sequenceOf(name)
      if (at !== null && at <= sequence - keptRecordCountMin) this.#disk.unlink(`${log}/${name}`)
    }
  }

  /** False: the name is taken. */
  #link(from: string, to: string): boolean {
    try {
      this.#disk.link(from, to)
      return true
    } catch (error) {
      if (error instanceof DiskError && error.code === 'EEXIST') return false
      throw error
    }
  }

  #holds(path: string, content: Uint8Array): boolean {
    const found = readWhole(this.#disk, path)
    return found !== null && equal(found, content)
  }

  /** True where somebody else wrote past `cursor`, or its record is not the one that the caller means. */
  #isOvertaken({ nextSequence, lastHash }: Cursor): boolean {
    const { log } = this.#paths
    if (this.#disk.stat(`${log}/${fileName(nextSequence)}`) !== null) return true
    const path = `${log}/${fileName(nextSequence - 1)}`
    const last = readWhole(this.#disk, path)
    return last === null || decodeRecordFile(path, last).hash !== lastHash
  }

  #snapshotSequence(): number {
    const content = readWhole(this.#disk, this.#paths.snapshotSequence)
    return content === null ? 0 : Number(fromUtf8(content))
  }
}

function takeLock(disk: Disk, path: string): DiskLock {
  try {
    return disk.lock(path)
  } catch (error) {
    if (!(error instanceof DiskError) || error.code !== 'ELOCKED') throw error
    throw new StoreError(
      'locked',
      `Another process holds ${path}: a broker with this data directory is running. ` +
        'Stop it first, or give this one a directory of its own.',
      { cause: error },
    )
  }
}

/** A log that several brokers write is none that one may take for his own. */
function refuseShared(disk: Disk, path: string): void {
  if (!disk.list(path).some(name => /^lock\.\d+$/.test(name))) return
  throw new StoreError(
    'unsuitable',
    `The metadata directory ${path} is shared by the brokers of a cluster. Name it as metadata.dir to be one of ` +
      'them, or give this broker a directory of its own.',
  )
}

/** What a crash left half-written. Records and snapshots have their final name only when they are whole. */
function removeLeftovers(disk: Disk, directory: string): void {
  for (const name of disk.list(directory)) {
    if (name.endsWith('.tmp')) disk.unlink(`${directory}/${name}`)
  }
}

/** The lock of the directory is the lease: whoever opened the store holds it until the process ends, and there is nobody else to ask who. */
function leaseOfOneProcess(): Lease {
  return {
    observe: () => Promise.resolve({ isHeld: true, isMine: true, holder: null }),
    acquire: () => Promise.resolve(true),
    renew: () => Promise.resolve(true),
    release: () => Promise.resolve(),
  }
}
