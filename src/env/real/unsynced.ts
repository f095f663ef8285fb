import { statSync } from 'node:fs'
import { dirname } from 'node:path'

/** An open file that was written to. */
export interface UnsyncedFile {
  readonly dev: number
  /** Not closed by its owner. */
  readonly isOpen: boolean
  /** Makes it durable, and takes it off the list. */
  sync(): Promise<void>
}

type SyncPath = (path: string, expected: 'any' | 'directory') => Promise<void>

/**
 * What was changed through a NodeDisk and not synced since: the stand-in for syncfs(2). A file closed unsynced
 * is remembered by its path, which follows renames; an fsync of any descriptor of a file syncs all of it.
 */
export class Unsynced {
  readonly files = new Set<UnsyncedFile>()
  readonly #closedPaths = new Set<string>()
  readonly directories = new Set<string>()

  wrote(file: UnsyncedFile): void {
    this.files.add(file)
  }

  closed(path: string): void {
    this.#closedPaths.add(path)
  }

  renamed(from: string, to: string): void {
    this.directories.add(dirname(from)).add(dirname(to))
    this.#closedPaths.delete(to)
    for (const paths of [this.#closedPaths, this.directories]) {
      for (const path of Array.from(paths)) {
        if (path !== from && !path.startsWith(`${from}/`)) continue
        paths.delete(path)
        paths.add(to + path.slice(from.length))
      }
    }
  }

  removed(path: string): void {
    this.directories.add(dirname(path))
    this.directories.delete(path)
    this.#closedPaths.delete(path)
  }

  /** Syncs what lies on device `dev`. What fails stays on the lists: it was not made durable. */
  async sync(dev: number, syncPath: SyncPath): Promise<void> {
    for (const file of Array.from(this.files)) {
      // One that was closed meanwhile is synced by its path, below.
      if (file.dev === dev && file.isOpen) await file.sync()
    }
    await this.#syncPaths(this.#closedPaths, 'any', { dev, syncPath })
    await this.#syncPaths(this.directories, 'directory', { dev, syncPath })
  }

  async #syncPaths(
    paths: Set<string>,
    expected: 'any' | 'directory',
    by: { readonly dev: number; readonly syncPath: SyncPath },
  ): Promise<void> {
    for (const path of Array.from(paths)) {
      const stat = statSync(path, { throwIfNoEntry: false })
      if (stat === undefined) paths.delete(path)
      if (stat?.dev !== by.dev) continue
      await by.syncPath(path, expected)
      paths.delete(path)
    }
  }
}
