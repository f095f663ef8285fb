import { readUint32 } from '../../../lib/bytes.ts'
import { lastOffset, type BatchHeader } from '../batch/batch.ts'
import { isCompacted } from '../log-config.ts'
import type { SegmentAge } from '../segment/segment.ts'
import type { LogState } from '../state/log-state.ts'
import type { Roll } from './stage.ts'

/** Relative offsets are 32 bits in the index, and signed in Kafka's. */
const segmentOffsetsMax = 0x7fff_ffff

/** The segment that an append goes into, with everything that is staged; it says when it is full. */
export class Tail {
  readonly #state: LogState
  #baseOffset = -1
  #sizeBytes = 0
  #age: SegmentAge = { firstTimestampMs: null, createdMs: 0 }
  /** How much earlier it is closed by its age, by chance; drawn when it begins. */
  #jitterMs = 0

  constructor(state: LogState) {
    this.#state = state
    this.reset()
  }

  /** Nothing is staged: it is the active segment. */
  reset(): void {
    const { baseOffset, sizeBytes, age } = this.#state.segments.active
    if (baseOffset !== this.#baseOffset) this.#jitterMs = this.#drawJitter()
    this.#baseOffset = baseOffset
    this.#sizeBytes = sizeBytes
    this.#age = age
  }

  /** Decides, before a batch counts, whether it begins a new segment; then the batch is part of it. */
  rollBefore(header: BatchHeader, nowMs: number): Roll | null {
    const { producers, host } = this.#state
    const { baseOffset, sizeBytes } = header
    const isTooFar = lastOffset(header) - this.#baseOffset > segmentOffsetsMax
    const isDue = isTooFar || this.#isFull(header, nowMs)
    if (isDue) this.#begin(baseOffset, nowMs)
    if (this.#sizeBytes === 0) this.#age = { ...this.#age, firstTimestampMs: header.maxTimestamp }
    this.#sizeBytes += sizeBytes
    return isDue ? { baseOffset, snapshot: producers.encode(host.env.crc32c) } : null
  }

  #begin(baseOffset: number, nowMs: number): void {
    this.#baseOffset = baseOffset
    this.#sizeBytes = 0
    this.#age = { firstTimestampMs: null, createdMs: nowMs }
    this.#jitterMs = this.#drawJitter()
  }

  #isFull(header: BatchHeader, nowMs: number): boolean {
    const { config, segments } = this.#state
    if (this.#sizeBytes === 0) return false
    if (this.#sizeBytes + header.sizeBytes > config.segmentBytes) return true
    if (this.#ageMs(header, nowMs) > this.#ageMax() - this.#jitterMs) return true
    const { baseOffset, index } = segments.active
    return baseOffset === this.#baseOffset && (index?.isFull(config.segmentIndexBytes) ?? false)
  }

  /**
   * By the records' time, as in Kafka: what is copied from elsewhere, or comes late, expires as it would have there. Only a
   * segment whose first batch has no timestamp goes by the clock. A batch from before the first one makes it no older.
   */
  #ageMs({ maxTimestamp }: BatchHeader, nowMs: number): number {
    const { firstTimestampMs, createdMs } = this.#age
    if (firstTimestampMs !== null && firstTimestampMs >= 0) return maxTimestamp - firstTimestampMs
    return nowMs - createdMs
  }

  /**
   * How old a segment becomes: `segment.ms`. A compacted log's not older than its records may wait for compaction, which
   * takes closed segments only.
   */
  #ageMax(): number {
    const { config } = this.#state
    return isCompacted(config)
      ? Math.min(config.segmentMs, config.maxCompactionLagMs)
      : config.segmentMs
  }

  /** Less than the age itself, also where compaction makes that shorter: or each batch would begin a segment. */
  #drawJitter(): number {
    const { config, host } = this.#state
    if (config.segmentJitterMs === 0) return 0
    const chance = readUint32(host.env.random.bytes(4), 0) / 2 ** 32
    return Math.floor(chance * Math.min(config.segmentJitterMs, this.#ageMax()))
  }
}
