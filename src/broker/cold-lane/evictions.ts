import type { DiskFile } from '../../env/env.ts'
import type { Reader } from '../insight/readers.ts'
import type { SentRange } from './drop-behind.ts'

/**
 * What was served from memory so lately counts as hot. In milliseconds.
 * @internal
 */
export const hotMs = 60_000
/** Hot or not is remembered of so many bytes together. */
const chunkBytes = 1024 * 1024

/** A range that its reader was given by the cold lane; what the device had to do with it is known by its next one. */
interface Given {
  readonly range: SentRange
  readonly atMs: number
  /** Bytes of it that were hot then. */
  readonly hotBytes: number
  /** What the device had delivered to the reader's stream before. */
  readonly deliveredBefore: number
}

/**
 * Counts the bytes that were served from memory within the last minute and then had to come from the device, while
 * somebody else read old data: what a scan took away from others, by drop-behind or by pressing on the page cache.
 */
export class Evictions {
  /** When each chunk of a file was last served from memory. */
  readonly #served = new WeakMap<DiskFile, number[]>()
  readonly #given = new WeakMap<Reader, Given>()
  /** The last two who were given something by the cold lane, and when. */
  #scans: readonly { readonly reader: Reader; readonly atMs: number }[] = []
  #bytes: number | null = 0

  /** Since the start of the process; null once something could not be measured. */
  get bytes(): number | null {
    return this.#bytes
  }

  /** `reader` gets `range` next. `delivered()`: what the device delivered to its stream until now, null where unknown. */
  sent(
    reader: Reader,
    range: SentRange,
    at: { nowMs: number; delivered: () => number | null },
  ): void {
    const { nowMs } = at
    const given = this.#given.get(reader)
    if (given === undefined && !range.cold) return this.#serve(range, nowMs)
    const delivered = at.delivered()
    if (delivered === null) {
      this.#bytes = null
      return
    }
    if (given !== undefined) this.#settle(reader, given, delivered)
    if (!range.cold) {
      this.#given.delete(reader)
      return this.#serve(range, nowMs)
    }
    const hotBytes = this.#hotBytes(range, nowMs)
    this.#given.set(reader, { range, atMs: nowMs, hotBytes, deliveredBefore: delivered })
    const others = this.#scans.filter(scan => scan.reader !== reader)
    this.#scans = [{ reader, atMs: nowMs }, ...others].slice(0, 2)
  }

  #settle(
    reader: Reader,
    { range, atMs, hotBytes, deliveredBefore }: Given,
    delivered: number,
  ): void {
    const missed = delivered - deliveredBefore
    if (missed === 0) return this.#serve(range, atMs)
    const isScanned = this.#scans.some(scan => scan.reader !== reader && atMs - scan.atMs < hotMs)
    if (isScanned && this.#bytes !== null) this.#bytes += Math.min(missed, hotBytes)
  }

  #serve({ file, position, length }: SentRange, nowMs: number): void {
    let chunks = this.#served.get(file)
    if (chunks === undefined) this.#served.set(file, (chunks = []))
    const last = Math.floor((position + length - 1) / chunkBytes)
    while (chunks.length <= last) chunks.push(-Infinity)
    for (let at = Math.floor(position / chunkBytes); at <= last; at++) chunks[at] = nowMs
  }

  #hotBytes({ file, position, length }: SentRange, nowMs: number): number {
    const chunks = this.#served.get(file) ?? []
    let bytes = 0
    for (let from = position; from < position + length;) {
      const at = Math.floor(from / chunkBytes)
      const to = Math.min(position + length, (at + 1) * chunkBytes)
      if (nowMs - (chunks[at] ?? -Infinity) < hotMs) bytes += to - from
      from = to
    }
    return bytes
  }
}
