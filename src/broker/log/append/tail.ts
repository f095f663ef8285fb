import { readUint32 } from '../../../lib/bytes.ts'
import { lastOffset, type BatchHeader } from '../batch/batch.ts'
import { isCompacted } from '../log-config.ts'
import type { LogState } from '../state/log-state.ts'
import type { Roll } from './stage.ts'

/** Relative offsets are 32 bits in the index, and signed in Kafka's. */
const segmentOffsetsMax = 0x7fff_ffff

/** The segment that an append goes into, with everything that is staged; it says when it is full. */
export class Tail {
  readonly #state: LogState
  #baseOffset = 0
  #sizeBytes = 0
  #firstAppendMs: number | null = null
  /** In [0, 1), how much of `segment.jitter.ms` it is closed earlier; null as long as nobody asked. */
  #jitter: number | null = null

  constructor(state: LogState) {
    this.#state = state
    this.reset()
  }

  /** Nothing is staged: it is the active segment. */
  reset(): void {
    const { baseOffset, sizeBytes, firstAppendMs } = this.#state.segments.active
    this.#begin(baseOffset, sizeBytes, firstAppendMs)
  }

  /** Decides, before a batch counts, whether it begins a new segment; then the batch is part of it. */
  rollBefore(header: BatchHeader, nowMs: number): Roll | null {
    const { producers, host } = this.#state
    const { baseOffset, sizeBytes } = header
    const isTooFar = lastOffset(header) - this.#baseOffset > segmentOffsetsMax
    const isDue = isTooFar || this.#isFull(sizeBytes, nowMs)
    if (isDue) this.#begin(baseOffset, 0, null)
    this.#sizeBytes += sizeBytes
    this.#firstAppendMs ??= nowMs
    return isDue ? { baseOffset, snapshot: producers.encode(host.env.crc32c) } : null
  }

  #begin(baseOffset: number, sizeBytes: number, firstAppendMs: number | null): void {
    this.#baseOffset = baseOffset
    this.#sizeBytes = sizeBytes
    this.#firstAppendMs = firstAppendMs
    this.#jitter = null
  }

  #isFull(moreBytes: number, nowMs: number): boolean {
    const { config, segments } = this.#state
    if (this.#sizeBytes === 0) return false
    if (this.#sizeBytes + moreBytes > config.segmentBytes) return true
    if (nowMs - (this.#firstAppendMs ?? nowMs) >= this.#ageMax()) return true
    const { baseOffset, index } = segments.active
    return baseOffset === this.#baseOffset && (index?.isFull(config.segmentIndexBytes) ?? false)
  }

  /**
   * How old a segment becomes: `segment.ms`, or by chance a little less. More than 0. A compacted log's not older than its records may
   * wait for compaction, which takes closed segments only.
   */
  #ageMax(): number {
    const { config, host } = this.#state
    const segmentMs = isCompacted(config)
      ? Math.min(config.segmentMs, config.maxCompactionLagMs)
      : config.segmentMs
    if (config.segmentJitterMs === 0) return segmentMs
    this.#jitter ??= readUint32(host.env.random.bytes(4), 0) / 2 ** 32
    return segmentMs - this.#jitter * Math.min(config.segmentJitterMs, segmentMs)
  }
}
