import type { Clock } from '../../../../env/clock.ts'
import { type Disk, DiskError, type DiskLock } from '../../../../env/disk.ts'
import { randomUuid, type Random } from '../../../../env/random.ts'
import { noRoom, withRoom, type MakeRoom } from '../../../../env/with-room.ts'
import { assert } from '../../../../lib/assert.ts'
import {
  type AppendOutcome,
  type Cursor,
  type MetadataStore,
  type SnapshotOutcome,
  StoreError,
  type StoredLog,
  StoreUnavailable,
} from '../../store.ts'
import { makeDirectoryDurably } from '../durable-file.ts'
import { refuseNetwork } from '../local-folder.ts'
import { Operations } from '../operations.ts'
import { storePaths } from '../read-log.ts'
import type { TenureLease } from '../../tenure-lease.ts'
import { fileLease } from './file-lease.ts'
import { append, type Kept, readAll, type SharedFolder, writeSnapshot } from './shared-log.ts'
import { isOutage, run, type Steps } from './steps.ts'

export interface SharedFilesStoreOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  /** The folder that the brokers share; made where missing. */
  readonly path: string
  readonly brokerId: number
  /** Default 512. */
  readonly snapshotIntervalMax?: number
  /** Default: 1,024 records, and an hour of them. */
  readonly kept?: Kept
  /** For a full disk. Default: there is nothing to give up. */
  readonly makeRoom?: MakeRoom
}

/**
 * The metadata log as files of one folder that the brokers of one machine share (durability.md 1.4):
 *
 *     lock.<broker>        held while that broker's process lives
 *     log/<sequence>       one record each; the name appears by link(2), so that the first writer of a sequence wins
 *     snapshot/<sequence>  the state after that record; the highest one counts
 *     lease/<counter>      who may try to be the controller; the highest one counts
 *
 * A name appears only when its content is durable, and an append is committed when its name is. What is decided is in
 * `shared-log.ts`, step by step, so that a test can put others between any two of them. A folder that is full, away or not permitted
 * is `unavailable`; any other error of a disk ends the store's life.
 */
export class SharedFilesStore implements MetadataStore {
  readonly snapshotIntervalMax: number
  readonly unsnapshottedMax = Infinity
  readonly room = { usedBytes: 0, bytesMax: Infinity }
  readonly payloadBytesMax = 16 * 1_048_576
  readonly lease: TenureLease
  readonly #disk: Disk
  readonly #clock: Clock
  readonly #folder: SharedFolder
  readonly #lock: DiskLock
  readonly #operations: Operations
  readonly #makeRoom: MakeRoom

  private constructor(options: SharedFilesStoreOptions, lock: DiskLock) {
    const { disk, clock, random, path, brokerId } = options
    this.#disk = disk
    this.#clock = clock
    this.#operations = new Operations(path)
    this.#folder = folderOf(options)
    this.#lock = lock
    this.#makeRoom = options.makeRoom ?? noRoom
    this.snapshotIntervalMax = options.snapshotIntervalMax ?? 512
    const { temporary } = this.#folder
    const incarnationId = randomUuid(random)
    this.lease = fileLease({
      disk,
      clock,
      path: `${path}/lease`,
      temporary,
      brokerId,
      incarnationId,
    })
  }

  /** @throws StoreError `unsuitable` (a network file system, no permission ...), or `locked` where the broker's id is taken */
  static async open(options: SharedFilesStoreOptions): Promise<SharedFilesStore> {
    const { disk, path, brokerId } = options
    const { log, snapshots, temporary } = folderOf(options)
    const folders = [log, snapshots, `${path}/lease`]
    try {
      for (const folder of folders) await makeDirectoryDurably(disk, folder)
      refuseNetwork(disk, path)
      refuseOwned(disk, path)
      const lock = takeLock(disk, path, brokerId)
      try {
        for (const folder of folders) removeOwnLeftovers(disk, folder, temporary)
      } catch (error) {
        lock.release()
        throw error
      }
      return new SharedFilesStore(options, lock)
    } catch (error) {
      if (error instanceof StoreError) throw error
      throw new StoreError(
        'unsuitable',
        `The metadata folder ${path} cannot be used: ${(error as Error).message}. ` +
          'Give the brokers of this machine a folder that all of them may write to.',
        { cause: error },
      )
    }
  }

  readAll(): Promise<StoredLog> {
    return this.#operations.alone(async () => {
      try {
        return await this.#run(readAll(this.#folder))
      } catch (error) {
        if (!isOutage(error)) throw error
        throw new StoreUnavailable(error.message, { cause: error })
      }
    })
  }

  append(cursor: Cursor, epoch: number, payload: Uint8Array): Promise<AppendOutcome> {
    assert(payload.length <= this.payloadBytesMax, 'a payload keeps the limit')
    return this.#unlessOut(() => append(this.#folder, cursor, { epoch, payload }))
  }

  writeSnapshot(cursor: Cursor, epoch: number, payload: Uint8Array): Promise<SnapshotOutcome> {
    const nowMs = this.#clock.now()
    return this.#unlessOut(() => writeSnapshot(this.#folder, cursor, { epoch, payload, nowMs }))
  }

  /** Waits for nothing but the lease: the caller has no operation under way. */
  async close(): Promise<void> {
    if (!this.#operations.close()) return
    await this.lease.release()
    this.#lock.release()
  }

  #run<Result>(steps: Steps<Result>): Promise<Result> {
    return run(this.#disk, steps)
  }

  #unlessOut<Outcome>(steps: () => Steps<Outcome>): Promise<Outcome | Unavailable> {
    return this.#operations.alone(async () => {
      try {
        return await withRoom(this.#makeRoom, () => this.#run(steps()))
      } catch (error) {
        if (!isOutage(error)) throw error
        return { kind: 'unavailable', reason: error.message }
      }
    })
  }
}

interface Unavailable {
  readonly kind: 'unavailable'
  readonly reason: string
}

function folderOf({ path, brokerId, kept }: SharedFilesStoreOptions): SharedFolder {
  const { log, snapshots } = storePaths(path)
  return {
    log,
    snapshots,
    temporary: `${brokerId}.tmp`,
    kept: kept ?? { recordCountMin: 1_024, ageMsMin: 3_600_000 },
  }
}

/** Whoever has a log for himself alone does not look at what others do there. */
function refuseOwned(disk: Disk, path: string): void {
  if (disk.stat(`${path}/lock`) === null) return
  throw new StoreError(
    'unsuitable',
    `The metadata folder ${path} belongs to one broker alone, which found it by log.dirs or metadata.log.dir. ` +
      'Give the brokers that are to form a cluster a folder of their own as metadata.dir.',
  )
}

function takeLock(disk: Disk, path: string, brokerId: number): DiskLock {
  try {
    return disk.lock(`${path}/lock.${brokerId}`)
  } catch (error) {
    if (!(error instanceof DiskError) || error.code !== 'ELOCKED') throw error
    throw new StoreError(
      'locked',
      `Another process holds ${path}/lock.${brokerId}: broker ${brokerId} of this cluster is running. ` +
        'Stop it first, or give this one a node.id of its own.',
      { cause: error },
    )
  }
}

/** What a crash of this broker left; others may be at work on theirs. */
function removeOwnLeftovers(disk: Disk, folder: string, temporary: string): void {
  for (const name of disk.list(folder)) {
    if (name.endsWith(`.${temporary}`)) disk.unlink(`${folder}/${name}`)
  }
}
