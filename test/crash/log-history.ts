import { lastOffset, readBatchHeader } from '../../src/broker/log/batch/batch.ts'
import type { LogId } from '../../src/broker/log/log-id.ts'
import type { LogConfig } from '../../src/broker/log/log-config.ts'
import { equal } from '../../src/lib/bytes.ts'

/** A batch that was given to a log. Times are counts of disk operations. */
export interface OfferedBatch {
  readonly offeredAt: number
  /** As it was stamped; null until it was answered, and for one that never got an offset. */
  bytes: Uint8Array | null
  baseOffset: number
  answeredAt: number
  isKept: boolean
}

/** Everything that happened to one log, as its user saw it. */
export class LogHistory {
  readonly id: LogId
  readonly config: LogConfig
  readonly #offered: OfferedBatch[] = []
  /** Behind the last batch that was answered with success. */
  answeredEnd = 0
  /** Answers that did not come in the order of the offers, and offsets that did not go on where the last ended (G14). */
  readonly disorder: string[] = []
  #answeredCount = 0

  constructor(id: LogId, config: LogConfig) {
    this.id = id
    this.config = config
  }

  offer(at: number): OfferedBatch {
    const batch = {
      offeredAt: at,
      bytes: null,
      baseOffset: -1,
      answeredAt: Infinity,
      isKept: false,
    }
    this.#offered.push(batch)
    return batch
  }

  /** `bytes` are the batch's own, after the log has stamped them. */
  answer(batch: OfferedBatch, bytes: Uint8Array, isKept: boolean, at: number): void {
    const copy = bytes.slice()
    const header = readBatchHeader(copy, 0)
    batch.bytes = copy
    batch.baseOffset = header.baseOffset
    batch.answeredAt = at
    batch.isKept = isKept
    if (!isKept) return
    const number = this.#offered.indexOf(batch) + 1
    if (number <= this.#answeredCount || header.baseOffset !== this.answeredEnd) {
      const before = `append ${this.#answeredCount} ended at ${this.answeredEnd}`
      this.disorder.push(`append ${number} begins at ${header.baseOffset}; before it, ${before}`)
    }
    this.#answeredCount = number
    this.answeredEnd = Math.max(this.answeredEnd, lastOffset(header) + 1)
  }

  /** Whether these bytes may stand at their offset in a log that crashed before disk operation `at`. */
  explains(bytes: Uint8Array, baseOffset: number, at: number): boolean {
    return this.#offered.some(
      batch =>
        batch.baseOffset === baseOffset &&
        batch.offeredAt <= at &&
        (batch.isKept || batch.answeredAt >= at) &&
        batch.bytes !== null &&
        equal(batch.bytes, bytes),
    )
  }

  /** The batches that the log kept below `offset`, in order. */
  keptBelow(offset: number): Uint8Array[] {
    return this.#offered
      .filter(({ isKept, baseOffset }) => isKept && baseOffset < offset)
      .toSorted((a, b) => a.baseOffset - b.baseOffset)
      .map(({ bytes }) => bytes!)
  }
}
