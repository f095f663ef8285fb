import type { Env } from '../../../env/env.ts'
import { present } from '../../../lib/assert.ts'
import type { Uuid } from '../../../lib/uuid.ts'
import { logDirectoryName, logIdText, logKey, topicIdOf, type LogId } from '../log-id.ts'
import { findLogs, makeLogFolder, renameLogFolder, straysOf, type FoundLog } from './folders.ts'
import { readProperties, writeProperties } from './identity.ts'
import { LogList, readLogList } from './log-list.ts'

export interface ShelfOptions {
  readonly env: Env
  readonly path: string
  /**
   * Logs that have to be there, as the metadata log says, where the directory itself cannot tell: it is empty, or its
   * list was lost. None where whoever runs the broker knows that they are not.
   */
  readonly expected: () => Iterable<LogId>
}

/** A log was here and is not any more. Made anew it would answer for records that it does not have. */
export class MissingLogError extends Error {
  override readonly name = 'MissingLogError'
}

/** A log's directory, and what is known of it. */
interface Taken {
  readonly name: string
  /** null where it was made for the occasion. */
  readonly found: FoundLog | null
}

/** The logs of a data directory by what is on disk, and by the list of what has to be there. */
export class Shelf {
  readonly #env: Env
  readonly #path: string
  readonly #found: Map<string, FoundLog>
  readonly #foundCount: number
  readonly #list: LogList
  /** Made by this process, and not served yet: there is nothing in them. */
  readonly #made = new Set<string>()
  /** Asked for, and not there, or there and not to be opened. */
  readonly #missing = new Map<string, LogId>()
  #openedCount = 0
  #strayCount: number

  private constructor(options: ShelfOptions, list: LogList, found: Map<string, FoundLog>) {
    this.#env = options.env
    this.#path = options.path
    this.#list = list
    this.#found = found
    this.#foundCount = found.size
    this.#strayCount = straysOf(options.env.disk, options.path).length
  }

  /** @throws DiskError */
  static async open(options: ShelfOptions): Promise<Shelf> {
    const { env, path, expected } = options
    const place = { disk: env.disk, path }
    const own = present(readProperties(place), 'whose directory it is was written before')
    const listed = readLogList({ ...env, path })
    const found = findLogs(env, path, name => listed?.names.has(name) ?? false)
    const names = new Set(listed?.names)
    for (const { name } of found.values()) names.add(name)
    // A directory of an older version has no list: what is missing there is made, as it always was.
    const isKnown = own.listsLogs ? listed?.isWhole === true : true
    if (!isKnown) for (const id of expected()) names.add(logDirectoryName(id))
    const list = await LogList.begin({ ...env, path }, names)
    if (!own.listsLogs) await writeProperties(place, { ...own, listsLogs: true })
    return new Shelf(options, list, found)
  }

  /** The logs on disk that are not open. */
  ids(): LogId[] {
    return Array.from(this.#found.values(), ({ id }) => id)
  }

  /** It has to be there: it is, or it is missing or set aside, and may come back. */
  isListed(name: string): boolean {
    return this.#list.has(name)
  }

  names(): string[] {
    return Array.from(this.#found.values(), ({ name }) => name)
  }

  /** Of the logs that were there at the start. */
  get progress(): { readonly logsDone: number; readonly logsTotal: number } {
    return { logsDone: this.#openedCount, logsTotal: this.#foundCount }
  }

  /** Logs that were set aside, in this run and in earlier ones. */
  get strayCount(): number {
    return this.#strayCount
  }

  /** The log's directory, made where there never was one. @throws MissingLogError, DiskError */
  async take(id: LogId): Promise<Taken> {
    const key = logKey(id)
    const found = this.#found.get(key)
    if (found !== undefined) return { name: found.name, found }
    const name = logDirectoryName(id)
    if (this.#list.has(name) && !this.#made.has(key)) {
      this.#missing.set(key, id)
      throw missing(this.#env, this.#path, id)
    }
    await makeLogFolder(this.#env, this.#path, id)
    await this.#list.add(name)
    this.#made.add(key)
    return { name, found: null }
  }

  /** Logs that were asked for, and that were here and are not any more, or cannot be opened. */
  get missing(): LogId[] {
    return [...this.#missing.values()]
  }

  /** Of topics that were deleted no log has to come back; returns the names of those that were away. One that is here has `takeAway`. */
  forgetDeleted(
    isDeleted: (topicId: Uuid) => boolean,
    isOpen: (name: string) => boolean,
  ): string[] {
    const found = new Set(this.names())
    const isGone = (name: string) => isDeleted(topicIdOf(name)) && !found.has(name) && !isOpen(name)
    const gone = [...this.#list.names].filter(isGone)
    for (const name of gone) this.#list.forget(name)
    return gone
  }

  /** It may be made anew, in spite of what the list says. */
  forgive(id: LogId): void {
    const key = logKey(id)
    this.#missing.delete(key)
    this.#made.add(key)
  }

  /** Its files cannot be opened, or read. */
  failed(id: LogId): void {
    if (this.#found.has(logKey(id))) this.#missing.set(logKey(id), id)
  }

  /** It is in service. */
  opened(id: LogId): void {
    this.#missing.delete(logKey(id))
    if (this.#found.delete(logKey(id))) this.#openedCount++
    this.#made.delete(logKey(id))
  }

  /**
   * Renames its directory out of service, durably, and returns the new path; null where it has none. One that is set aside
   * keeps its place in the list: its topic may come back, and must not begin anew beside it. @throws DiskError
   */
  async takeAway(id: LogId, suffix: 'deleted' | 'stray'): Promise<string | null> {
    const name = this.#found.get(logKey(id))?.name ?? logDirectoryName(id)
    this.#found.delete(logKey(id))
    this.#missing.delete(logKey(id))
    const exists = this.#env.disk.stat(`${this.#path}/${name}`) !== null
    const to = exists ? await renameLogFolder(this.#env.disk, this.#path, name, suffix) : null
    if (suffix === 'deleted') this.#list.forget(name)
    else if (exists) this.#strayCount++
    return to
  }

  close(): void {
    this.#list.close()
  }
}

function missing({ disk }: Env, path: string, id: LogId): MissingLogError {
  const name = logDirectoryName(id)
  const aside = straysOf(disk, path).find(stray => stray.startsWith(`${name}.`))
  const remedy =
    aside === undefined
      ? 'Restore it from a copy of this disk'
      : `It was set aside as ${aside} when the metadata did not give it to this broker: rename it back`
  return new MissingLogError(
    `${path}/${name} is missing, and this broker has held ${logIdText(id)} before: it does not begin anew under offsets ` +
      `that were given out. ${remedy} and start the broker again, or delete the topic.`,
  )
}
