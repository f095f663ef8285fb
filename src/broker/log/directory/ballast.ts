import { DiskError, type Disk, type DiskLock, type Env } from '../../../env/env.ts'
import type { MakeRoom } from '../../../env/with-room.ts'
import { isLogDirectoryName } from '../log-id.ts'
import { isPassing } from '../shortage.ts'
import { DirectoryError } from './error.ts'
import { removeLeftovers } from './folders.ts'

const mebibyte = 1024 * 1024

/** Enough for the small files of a start, a stop and a retention run with twenty thousand logs. */
export const ballastBytesDefault = 4 * mebibyte

/** What a start writes before it can free anything, with much to spare. */
const roomBytes = mebibyte / 4
/** The ballast is made anew only where this many times its size is free. */
const plenty = 16

/**
 * A file that holds nothing but its place on the disk (durability.md 3.5). Where the disk is full it is removed, so
 * that the small files can be written without which nothing can be freed: who raised a log's start, or stops.
 */
export class Ballast {
  readonly #env: Env
  readonly #path: string
  readonly #sizeBytes: number
  #restoring: Promise<void> | null = null
  #isStopped = false

  constructor(env: Env, directory: string, sizeBytes: number) {
    this.#env = env
    this.#path = ballastPath(directory)
    this.#sizeBytes = sizeBytes
  }

  /** Takes the place again, if it was given and there is plenty now. @throws DiskError for a failed sync */
  restore(): Promise<void> {
    if (this.#sizeBytes === 0 || this.#isStopped) return Promise.resolve()
    this.#restoring ??= this.#restore().finally(() => {
      this.#restoring = null
    })
    return this.#restoring
  }

  /** Resolves when nothing is written any more. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#restoring?.catch(() => {})
  }

  async #restore(): Promise<void> {
    const { disk } = this.#env
    const temporary = `${this.#path}.tmp`
    try {
      if (disk.stat(this.#path) !== null) return
      if (disk.space(directoryOf(this.#path)).freeBytes < plenty * this.#sizeBytes) return
      if (disk.stat(temporary) !== null) disk.unlink(temporary)
      await this.#fill(temporary)
      disk.rename(temporary, this.#path)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      if (error.isOfSync && !error.isFull) throw error
      if (disk.stat(temporary) !== null) disk.unlink(temporary)
    }
  }

  /** In pieces, so that the event loop does not wait for all of it. */
  async #fill(path: string): Promise<void> {
    const { disk, clock } = this.#env
    const file = disk.open(path, 'create')
    try {
      for (let at = 0; at < this.#sizeBytes && !this.#isStopped; at += mebibyte) {
        file.write(at, [new Uint8Array(Math.min(mebibyte, this.#sizeBytes - at))])
        await new Promise<void>(resolve => clock.soon(resolve))
      }
      await file.sync()
    } finally {
      file.close()
    }
  }
}

/** Gives back the place that the ballast of a data directory holds, also before the directory is open; once, until there is plenty again. */
export function spareRoom(
  disk: Disk,
  directory: string,
  warn: (message: string, fields: Readonly<Record<string, unknown>>) => void,
): MakeRoom {
  return error => {
    if (!isPassing(error) || !release(disk, ballastPath(directory))) return false
    warn('The disk is full: released the ballast', { path: directory })
    return true
  }
}

/**
 * To be called before anything else is opened in a data directory. Where the disk is full, what earlier runs were
 * removing goes first, then the ballast. Returns whether the disk was full: then retention should run before
 * clients are served, or they would fill it again.
 * @throws DirectoryError `full` where that was not enough
 */
export async function makeRoom({ disk }: Env, path: string): Promise<boolean> {
  if (disk.stat(path) === null || hasRoom(disk, path)) return false
  const lock = lockOf(disk, path)
  // Whose it is tells who opens the directory.
  if (lock === null) return false
  try {
    if (disk.stat(`${ballastPath(path)}.tmp`) !== null) disk.unlink(`${ballastPath(path)}.tmp`)
    await removeLeftovers(disk, path)
    for (const name of disk.list(path)) {
      if (isLogDirectoryName(name)) await removeRetired(disk, `${path}/${name}`)
    }
    if (hasRoom(disk, path)) return true
    if (release(disk, ballastPath(path)) && hasRoom(disk, path)) return true
    throw full(disk, path)
  } finally {
    lock.release()
  }
}

function lockOf(disk: Disk, path: string): DiskLock | null {
  try {
    return disk.lock(`${path}/lock`)
  } catch (error) {
    if (error instanceof DiskError) return null
    throw error
  }
}

function full(disk: Disk, path: string): DirectoryError {
  const { freeBytes, totalBytes } = disk.space(path)
  const message =
    `The disk that holds the data directory ${path} is full: ${freeBytes} of ${totalBytes} bytes are free, and the ` +
    'broker has nothing left there that it may give up. Free at least 1 MiB on it, or enlarge it, and start again: ' +
    'the broker then removes what the topics need not keep (retention.ms, retention.bytes) before it serves.'
  return new DirectoryError('full', path, message)
}

/** What is free may not be ours (blocks kept for root, quotas): only a write tells. */
function hasRoom(disk: Disk, path: string): boolean {
  const probe = `${path}/room.tmp`
  try {
    if (disk.stat(probe) !== null) disk.unlink(probe)
    const file = disk.open(probe, 'create')
    try {
      file.write(0, [new Uint8Array(roomBytes)])
    } finally {
      file.close()
      disk.unlink(probe)
    }
    return true
  } catch (error) {
    // Whatever else is wrong is told by who opens the directory.
    if (error instanceof DiskError) return !error.isFull
    throw error
  }
}

/** Segments that retention had taken out of a log when the process ended. */
async function removeRetired(disk: Disk, folder: string): Promise<void> {
  for (const name of disk.list(folder)) {
    if (name.endsWith('.deleted')) await disk.unlinkAsync(`${folder}/${name}`)
  }
}

function release(disk: Disk, path: string): boolean {
  if (disk.stat(path) === null) return false
  disk.unlink(path)
  return true
}

function ballastPath(directory: string): string {
  return `${directory}/ballast`
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
