import { DiskError } from '../../../env/env.ts'
import type { Segment } from '../segment/segment.ts'

export interface DirtyLedgerOptions {
  /** Dirty bytes above which producers are not read. */
  readonly budgetBytes: number
  /** Write-back of a segment is started whenever it has grown by this much. */
  readonly stepBytes: number
  onPressure(over: boolean): void
  /** A write-back failed: what the kernel took is lost (durability.md 3.4). */
  onFailure(error: DiskError): void
}

/** Write-backs that may run at once because the total is high; those for a full step come on top. */
const reliefCountMax = 4

/**
 * What was written and has not left the page cache for the device (durability.md Q5): starts write-back early, so
 * that the kernel never has to stop a writer, and tells when the budget is spent. Kept from completed ranges.
 */
export class DirtyLedger {
  readonly #options: DirtyLedgerOptions
  readonly #entries = new Map<Segment, Entry>()
  #dirtyBytes = 0
  #isOver = false
  #reliefCount = 0

  constructor(options: DirtyLedgerOptions) {
    this.#options = options
  }

  get dirtyBytes(): number {
    return this.#dirtyBytes
  }

  /** Stays true until the total has fallen to three quarters of the budget. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Bytes `[from, end)` of a segment are in the page cache now. */
  wrote(segment: Segment, from: number, end: number): void {
    let entry = this.#entries.get(segment)
    if (entry === undefined) {
      entry = { segment, cleanTo: from, end: from, isWritingBack: false }
      this.#entries.set(segment, entry)
    }
    this.#add(end - entry.end)
    entry.end = end
    if (entry.end - entry.cleanTo >= this.#options.stepBytes) this.#writeBack(entry)
    this.#relieve()
  }

  /** An fsync made `[0, end)` clean. */
  flushed(segment: Segment, end: number): void {
    const entry = this.#entries.get(segment)
    if (entry !== undefined) this.#clean(entry, end)
  }

  /** The segment is gone, with what was dirty of it. */
  forget(segment: Segment): void {
    const entry = this.#entries.get(segment)
    if (entry === undefined) return
    this.#entries.delete(segment)
    this.#add(entry.cleanTo - entry.end)
  }

  /** Above half the budget the largest unflushed files go, although none of them has a whole step. */
  #relieve(): void {
    while (this.#dirtyBytes > this.#options.budgetBytes / 2 && this.#reliefCount < reliefCountMax) {
      let largest: Entry | null = null
      for (const entry of this.#entries.values()) {
        if (entry.isWritingBack) continue
        if (largest === null || dirtyOf(entry) > dirtyOf(largest)) largest = entry
      }
      if (largest === null || dirtyOf(largest) === 0) return
      this.#reliefCount++
      this.#writeBack(largest, () => {
        this.#reliefCount--
        this.#relieve()
      })
    }
  }

  /** One write-back a segment at a time, of all that is dirty in it; the next begins where it ended. `then`: it ended, however. */
  #writeBack(entry: Entry, then: () => void = () => {}): void {
    if (entry.isWritingBack) return then()
    entry.isWritingBack = true
    void this.#writeBackNow(entry).then(then)
  }

  async #writeBackNow(entry: Entry): Promise<void> {
    const { segment, cleanTo, end } = entry
    try {
      await segment.file.writeBack(cleanTo, end - cleanTo)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      // Of one that is gone nobody needs what was lost; what failed of another is never tried again.
      if (!segment.isRemoved) this.#options.onFailure(error)
      return
    }
    entry.isWritingBack = false
    this.#clean(entry, end)
    const isThere = this.#entries.get(segment) === entry
    if (isThere && dirtyOf(entry) >= this.#options.stepBytes) this.#writeBack(entry)
  }

  #clean(entry: Entry, end: number): void {
    if (!this.#entries.has(entry.segment)) return
    const cleanTo = Math.max(entry.cleanTo, Math.min(end, entry.end))
    this.#add(entry.cleanTo - cleanTo)
    entry.cleanTo = cleanTo
    if (dirtyOf(entry) === 0 && !entry.isWritingBack) this.#entries.delete(entry.segment)
  }

  #add(bytes: number): void {
    this.#dirtyBytes += bytes
    const { budgetBytes } = this.#options
    const isOver = this.#dirtyBytes > (this.#isOver ? budgetBytes * 0.75 : budgetBytes)
    if (isOver === this.#isOver) return
    this.#isOver = isOver
    this.#options.onPressure(isOver)
  }
}

/** `[cleanTo, end)` of the segment is dirty, or being written back. */
interface Entry {
  readonly segment: Segment
  cleanTo: number
  end: number
  isWritingBack: boolean
}

function dirtyOf({ cleanTo, end }: Entry): number {
  return end - cleanTo
}
