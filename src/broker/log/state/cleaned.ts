import type { LogHost } from '../log-host.ts'

/** What it is the offset of. */
interface CleanedLog {
  readonly name: string
  readonly host: LogHost
}

/** As the checkpoints have it. */
export interface FoundCleaned {
  /** Null where the log was never cleaned to an end. */
  readonly dirtyFrom: number | null
  readonly sparseTo: number
}

/**
 * How far a log was cleaned, in two offsets:
 * - below `dirtyFrom` each key has one record: it moves when a cleaning has come to its end;
 * - below `sparseTo` offsets may be missing between two batches: it moves before a cleaning begins, or before a follower
 *   writes what its leader has cleaned, and never falls, whatever the topic's policy becomes. Behind it every gap is a loss, and a start sees it as one.
 */
export class Cleaned {
  readonly #log: CleanedLog
  #dirtyFrom: number | null
  #sparseTo: number

  constructor(log: CleanedLog, { dirtyFrom, sparseTo }: FoundCleaned) {
    this.#log = log
    this.#dirtyFrom = dirtyFrom
    this.#sparseTo = sparseTo
  }

  get dirtyFrom(): number | null {
    return this.#dirtyFrom
  }

  get sparseTo(): number {
    return this.#sparseTo
  }

  /** Gaps may come up to `offset`; durable when it resolves. @throws DiskError */
  async beginTo(offset: number): Promise<void> {
    if (offset <= this.#sparseTo) return
    await this.#log.host.saveSparseOffset(this.#log.name, offset)
    this.#sparseTo = Math.max(this.#sparseTo, offset)
  }

  /** It was cleaned up to `offset`; durable when it resolves. @throws DiskError */
  async endAt(offset: number): Promise<void> {
    await this.#log.host.saveCleanedOffset(this.#log.name, offset)
    this.#dirtyFrom = offset
  }

  /** The log's end is about to fall to `offset`: what will come behind it is dirty. Durable when it resolves. @throws DiskError */
  async cutTo(offset: number): Promise<void> {
    if (this.#dirtyFrom === null || this.#dirtyFrom <= offset) return
    await this.endAt(offset)
  }
}
