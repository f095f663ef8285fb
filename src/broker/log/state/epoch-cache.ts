import type { Env } from '../../../env/env.ts'
import { assert } from '../../../lib/assert.ts'
import type { SealedFilePlace } from '../segment/sealed-file.ts'

export interface EpochEntry {
  readonly epoch: number
  /** The first offset that the epoch's leader wrote, or would have written. */
  readonly startOffset: number
}

/**
 * Which leader epoch begins at which offset, and whether the checkpoint file knows it. Epochs rise strictly, start
 * offsets never fall. Appends assign, a start that moves cuts, recovery reads, flushes save.
 */
export class EpochCache {
  /** Replaced whole by every change. */
  #entries: readonly EpochEntry[]
  /** What the checkpoint says, as far as is known; null where nothing that counts. */
  #saved: readonly EpochEntry[] | null = null

  constructor(entries: readonly EpochEntry[] = []) {
    this.#entries = []
    for (const { epoch, startOffset } of entries) this.assign(epoch, startOffset)
  }

  get entries(): readonly EpochEntry[] {
    return this.#entries
  }

  /** The newest epoch, -1 where none is known. */
  get latest(): number {
    return this.#entries.at(-1)?.epoch ?? -1
  }

  /**
   * Epoch `epoch` begins at `startOffset`; older news change nothing. An earlier epoch that would begin there
   * or behind has no records and goes, as in Kafka. Returns whether anything changed.
   */
  assign(epoch: number, startOffset: number): boolean {
    if (epoch <= this.latest) return false
    assert(epoch >= 0 && startOffset >= 0, 'epochs and offsets are not negative')
    const kept = this.#entries.filter(entry => entry.startOffset < startOffset)
    this.#entries = [...kept, { epoch, startOffset }]
    return true
  }

  /** Puts back what `entries` was before an append that failed. */
  restore(entries: readonly EpochEntry[]): void {
    this.#entries = entries
  }

  /** The epoch of the record at `offset`; -1 where it is below everything known. */
  epochAt(offset: number): number {
    return this.#entries.findLast(entry => entry.startOffset <= offset)?.epoch ?? -1
  }

  /** G38: up to where the asked epoch's records, or those of the epoch before it, can be. */
  endOf(asked: number, endOffset: number): { epoch: number; endOffset: number } {
    const first = this.#entries[0]
    if (first === undefined || asked === -1 || asked > this.latest) {
      return { epoch: -1, endOffset: -1 }
    }
    if (asked === this.latest) return { epoch: asked, endOffset }
    const next = this.#entries.findIndex(entry => entry.epoch > asked)
    const found = this.#entries[next - 1]
    // The next epoch may begin behind what is written: after what is being written.
    const { startOffset } = this.#entries[next]!
    return { epoch: found?.epoch ?? asked, endOffset: Math.min(startOffset, endOffset) }
  }

  /** The log now begins at `startOffset`: the epoch there begins there too, and older ones are forgotten. */
  cutBefore(startOffset: number): void {
    const kept = this.#entries.filter(entry => entry.startOffset >= startOffset)
    const holder = this.#entries.findLast(entry => entry.startOffset < startOffset)
    if (holder === undefined) return
    const isEmpty = kept[0]?.startOffset === startOffset
    this.#entries = isEmpty ? kept : [{ epoch: holder.epoch, startOffset }, ...kept]
  }

  /** The log now ends at `endOffset`: an epoch that began there or behind is no longer of it. */
  cutFrom(endOffset: number): void {
    this.#entries = this.#entries.filter(entry => entry.startOffset < endOffset)
  }

  /** The log begins anew. */
  clear(): void {
    this.#entries = []
  }

  /** The checkpoint says something that counts. */
  get isSaved(): boolean {
    return this.#saved !== null
  }

  /** The checkpoint was read, and says `entries`; null where it is missing or not believed. */
  foundSaved(entries: readonly EpochEntry[] | null): void {
    this.#saved = entries
  }

  /** Has `write` replace the checkpoint, where it does not say what is known here. Rejects with what `write` throws. */
  async save(write: (entries: readonly EpochEntry[]) => Promise<void>): Promise<void> {
    const entries = this.#entries
    if (this.#saved !== null && areEqual(this.#saved, entries)) return
    this.#saved = entries
    try {
      await write(entries)
    } catch (error) {
      this.#saved = null
      throw error
    }
  }
}

function areEqual(some: readonly EpochEntry[], others: readonly EpochEntry[]): boolean {
  return (
    some === others ||
    (some.length === others.length &&
      some.every(({ epoch, startOffset }, at) => {
        const other = others[at]!
        return epoch === other.epoch && startOffset === other.startOffset
      }))
  )
}

/** The file in which a log keeps its leader epochs (FORMAT.md). */
export const epochFile = 'leader-epoch-checkpoint'

export function epochPlace(
  { disk, crc32c }: Pick<Env, 'disk' | 'crc32c'>,
  logPath: string,
): SealedFilePlace {
  return { disk, crc32c, path: `${logPath}/${epochFile}`, kind: 'leader-epochs' }
}

/** The body of `leader-epoch-checkpoint`, believed only if it is what `epochBody` writes. */
export function readEpochs(body: unknown): EpochEntry[] | null {
  const entries = (body as { entries?: unknown } | null)?.entries
  if (!Array.isArray(entries)) return null
  const read: EpochEntry[] = []
  for (const [epoch, startOffset] of entries as [unknown, unknown][]) {
    if (!isCount(epoch) || !isCount(startOffset)) return null
    const before = read.at(-1)
    if (before !== undefined && (epoch <= before.epoch || startOffset <= before.startOffset)) {
      return null
    }
    read.push({ epoch, startOffset })
  }
  return read
}

export function epochBody(entries: readonly EpochEntry[]): object {
  return { entries: entries.map(({ epoch, startOffset }) => [epoch, startOffset]) }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
