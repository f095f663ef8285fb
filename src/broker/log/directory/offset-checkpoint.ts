import { readSealed, writeSealed, type SealedFilePlace } from '../segment/sealed-file.ts'

/** One file that holds an offset for each log of a directory (FORMAT.md). */
export class OffsetCheckpoint {
  readonly #place: SealedFilePlace
  readonly #directoryId: string
  /** What the file says, as far as this process knows. */
  #offsets: Readonly<Record<string, number>>
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

  /** What the file said when it was read, or was last written. */
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
      await writeSealed(this.#place, { directoryId: this.#directoryId, offsets })
      this.#offsets = offsets
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
