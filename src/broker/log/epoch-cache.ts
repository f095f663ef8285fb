import { assert } from '../../lib/assert.ts'

export interface EpochEntry {
  readonly epoch: number
  /** The first offset that the epoch's leader wrote, or would have written. */
  readonly startOffset: number
}

/** Which leader epoch begins at which offset. Epochs rise strictly, start offsets never fall. */
export class EpochCache {
  #entries: EpochEntry[]

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
    this.#entries = this.#entries.filter(entry => entry.startOffset < startOffset)
    this.#entries.push({ epoch, startOffset })
    return true
  }

  /** Puts back what `entries` was before an append that failed. */
  restore(entries: readonly EpochEntry[]): void {
    this.#entries = [...entries]
  }

  /** The epoch of the record at `offset`; -1 where it is below everything known. */
  epochAt(offset: number): number {
    return this.#entries.findLast(entry => entry.startOffset <= offset)?.epoch ?? -1
  }

  /** G38: up to where the asked epoch's records, or those of the epoch before it, can be. */
  endOf(asked: number, endOffset: number): { epoch: number; endOffset: number } {
    const first = this.#entries[0]
    if (first === undefined || asked < 0 || asked > this.latest) return { epoch: -1, endOffset: -1 }
    if (asked === this.latest) return { epoch: asked, endOffset }
    const next = this.#entries.findIndex(entry => entry.epoch > asked)
    const found = this.#entries[next - 1]
    return { epoch: found?.epoch ?? asked, endOffset: this.#entries[next]!.startOffset }
  }

  /** The log now begins at `startOffset`: the epoch there begins there too, and older ones are forgotten. */
  cutBefore(startOffset: number): boolean {
    const kept = this.#entries.filter(entry => entry.startOffset >= startOffset)
    const holder = this.#entries.findLast(entry => entry.startOffset < startOffset)
    if (holder === undefined) return false
    const isEmpty = kept[0]?.startOffset === startOffset
    this.#entries = isEmpty ? kept : [{ epoch: holder.epoch, startOffset }, ...kept]
    return true
  }
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
