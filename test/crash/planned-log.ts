import { encodeBatch, lastOffset, readBatchHeader } from '../../src/broker/log/batch/batch.ts'
import type { LogConfig } from '../../src/broker/log/log-config.ts'
import type { LogId } from '../../src/broker/log/log-id.ts'
import { equal } from '../../src/lib/bytes.ts'
import { Prng } from '../../src/lib/prng.ts'
import { uuidFrom } from '../../src/lib/uuid.ts'
import { logConfig } from '../helpers/logs.ts'

/** A batch as it has to lie in its segment, stamped. */
export interface PlannedBatch {
  readonly bytes: Uint8Array
  readonly baseOffset: number
  readonly endOffset: number
  readonly leaderEpoch: number
}

/**
 * Everything that is ever appended to a log, known beforehand from a seed: whatever a power cut leaves has to be
 * a beginning of it, byte by byte, and the next life goes on where the last one was cut off.
 */
export class PlannedLog {
  readonly id: LogId
  readonly config: LogConfig
  readonly #random: Prng
  readonly #batches: PlannedBatch[] = []
  /** By base offset. */
  readonly #numbers = new Map<number, number>()
  readonly #sequences = [0, 0, 0]
  #timestampMs = 1_767_225_600_000

  constructor(seed: number, index: number) {
    this.#random = new Prng(seed * 1000 + index)
    const topicId = uuidFrom(this.#random.bytes(16))
    this.id = { topicId, topic: 'power', partition: index }
    this.config = logConfig({
      segmentBytes: [8192, 65_536, 1 << 30][index % 3]!,
      indexIntervalBytes: 512,
      flushPolicy: index % 2 === 0 ? 'interval' : 'ack',
      flushMs: 15,
      retentionMs: -1,
    })
  }

  batch(number: number): PlannedBatch {
    while (this.#batches.length <= number) this.#batches.push(this.#next())
    return this.#batches[number]!
  }

  /** The number of the batch that begins at `offset`; null where none does. */
  numberAt(offset: number): number | null {
    while ((this.#batches.at(-1)?.baseOffset ?? -1) < offset) this.batch(this.#batches.length)
    return this.#numbers.get(offset) ?? null
  }

  /** Whether a batch at an offset is the planned one. */
  explains(bytes: Uint8Array, baseOffset: number): boolean {
    const number = this.numberAt(baseOffset)
    return number !== null && equal(this.batch(number).bytes, bytes)
  }

  #next(): PlannedBatch {
    const random = this.#random
    const baseOffset = this.#batches.at(-1)?.endOffset ?? 0
    this.#numbers.set(baseOffset, this.#batches.length)
    const count = 1 + random.below(5)
    const leaderEpoch = Math.floor(this.#batches.length / 40)
    this.#timestampMs += random.below(20) - 3
    const records = Array.from({ length: count }, (_, offsetDelta) => {
      return { offsetDelta, value: random.bytes(random.below(random.chance(1, 20) ? 5000 : 300)) }
    })
    const bytes = encodeBatch({
      records,
      baseOffset,
      leaderEpoch,
      baseTimestamp: this.#timestampMs,
      ...this.#producer(count),
    })
    return { bytes, baseOffset, leaderEpoch, endOffset: lastOffset(readBatchHeader(bytes, 0)) + 1 }
  }

  /** Three idempotent producers, and batches of none. */
  #producer(count: number): { producerId?: number; producerEpoch?: number; baseSequence?: number } {
    const producerId = this.#random.below(4)
    const baseSequence = this.#sequences[producerId]
    if (baseSequence === undefined) return {}
    this.#sequences[producerId] = baseSequence + count
    return { producerId, producerEpoch: 0, baseSequence }
  }
}
