import { readSealed, writeSealed, type SealedFilePlace } from '../segment/sealed-file.ts'

/** One file that holds an offset for each log of a directory (FORMAT.md). */
export class OffsetCheckpoint {
  readonly #place: SealedFilePlace
  readonly #directoryId: string
  /** What the file says, or is about to, as far as this process knows. */
  #offsets: Readonly<Record<string, number>>
  /** Lines that were taken away, and may still be in the file. */
  readonly #forgotten = new Set<string>()
  #current: Promise<void> | null = null
  #next: Promise<void> | null = null

  constructor(place: SealedFilePlace, directoryId: string) {
    this.#place = place
    this.#directoryId = directoryId
    this.#offsets = readOffsets(readSealed(place), directoryId)
  }

  /** The offset of a log, or null where none was ever saved. */
  of(name: string): number | null {
    return this.#offsets[name] ?? null
  }

  /** Takes the line of a log away. True where the file may have it still, until it is saved. */
  forget(name: string): boolean {
    const { [name]: offset, ...others } = this.#offsets
    if (offset !== undefined) {
      this.#offsets = others
      this.#forgotten.add(name)
    }
    return this.#forgotten.has(name)
  }

  /** What the file said when it was read, or was to say when it was last written. */
  get saved(): Readonly<Record<string, number>> {
    return this.#offsets
  }

  /**
   * Replaces the file by what `collect` gives when its turn comes. Calls that come while a write is under way
   * share the next one. @throws DiskError
   */
  save(collect: () => Readonly<Record<string, number>>): Promise<void> {
    if (this.#next !== null) return this.#next
    const before = this.#current
    const write = (async () => {
      await before?.catch(() => {})
      this.#current = this.#next
      this.#next = null
      const offsets = collect()
      const forgotten = [...this.#forgotten]
      // Known before it is written: a line that is taken away meanwhile is not to come back.
      this.#offsets = offsets
      await writeSealed(this.#place, { directoryId: this.#directoryId, offsets })
      for (const name of forgotten) this.#forgotten.delete(name)
    })()
    this.#next = write
    return write
  }
}

function readOffsets(body: unknown, directoryId: string): Readonly<Record<string, number>> {
  const { directoryId: found, offsets } = (body ?? {}) as {
    readonly directoryId?: unknown
    readonly offsets?: Readonly<Record<string, unknown>>
  }
  if (found !== directoryId || offsets === undefined) return {}
  const isOffset = (entry: readonly [string, unknown]): entry is [string, number] =>
    Number.isSafeInteger(entry[1]) && (entry[1] as number) >= 0
  return Object.fromEntries(Object.entries(offsets).filter(isOffset))
}
