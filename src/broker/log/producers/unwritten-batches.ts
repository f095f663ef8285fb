import { batchMagic, batchOverheadBytes, readBatchHeader } from '../batch/batch.ts'

/** A partition of a request, and what came for it. */
export interface OfferedBatch {
  readonly index: number
  readonly records: Uint8Array | null
}

interface Unwritten {
  readonly producerEpoch: number
  /** The lowest that was refused. */
  readonly baseSequence: number
  /** Monotonic milliseconds. */
  readonly refusedAtMs: number
}

/** So long after a batch was refused what had been sent right behind it may still come: a client's `request.timeout.ms`. */
const keptMs = 30_000
/** More are not remembered: then it is as in Kafka. */
const countMax = 10_000

/**
 * First batches of idempotent producers that this broker refused a moment ago, while others may be under way behind them.
 * A log that does not know a producer takes any sequence (G22). Where the broker comes to lead between two batches of one
 * connection the second would be its first then, and the one before it could never be written any more (KAFKA-15591).
 * `topic`: its name or id, whichever the client's version of Produce has.
 */
export class UnwrittenBatches {
  readonly #lowest = new Map<string, Unwritten>()
  /** Monotonic milliseconds of the last of them. */
  #refusedAtMs = 0

  /** The sequence that has to come before this batch, where its log does not know the producer; null where there is none. */
  awaitedBefore(topic: string, offered: OfferedBatch, nowMs: number): number | null {
    if (this.#lowest.size === 0) return null
    if (nowMs - this.#refusedAtMs > keptMs) this.#lowest.clear()
    const batch = producerOf(offered)
    const known =
      batch === null ? undefined : this.#lowest.get(keyOf(topic, offered, batch.producerId))
    if (batch === null || known === undefined || nowMs - known.refusedAtMs > keptMs) return null
    const isLater =
      batch.producerEpoch === known.producerEpoch &&
      isBehind(batch.baseSequence, known.baseSequence)
    return isLater ? known.baseSequence : null
  }

  /** The batch is in the log: what comes from its producer now is judged by what the log knows. */
  written(topic: string, offered: OfferedBatch): void {
    if (this.#lowest.size === 0) return
    const batch = producerOf(offered)
    if (batch !== null) this.#lowest.delete(keyOf(topic, offered, batch.producerId))
  }

  /** Nothing of the batch was written, and its client sends it again. */
  refused(topic: string, offered: OfferedBatch, nowMs: number): void {
    const batch = producerOf(offered)
    if (batch === null) return
    const key = keyOf(topic, offered, batch.producerId)
    const known = this.#lowest.get(key)
    const { producerEpoch } = batch
    const isKept =
      known?.producerEpoch === producerEpoch && isBehind(batch.baseSequence, known.baseSequence)
    const { baseSequence } = isKept ? known : batch
    this.#lowest.delete(key)
    this.#lowest.set(key, { producerEpoch, baseSequence, refusedAtMs: nowMs })
    this.#refusedAtMs = nowMs
    this.#forgetOld(nowMs)
  }

  /** The one that was refused longest ago comes first. */
  #forgetOld(nowMs: number): void {
    for (const [key, { refusedAtMs }] of this.#lowest) {
      if (this.#lowest.size <= countMax && nowMs - refusedAtMs <= keptMs) return
      this.#lowest.delete(key)
    }
  }
}

/** null where the batch is of no idempotent producer, or is none. */
function producerOf({ records }: OfferedBatch) {
  if (records === null || records.length < batchOverheadBytes) return null
  const header = readBatchHeader(records, 0)
  return header.magic === batchMagic && header.producerId >= 0 ? header : null
}

function keyOf(topic: string, { index }: OfferedBatch, producerId: number): string {
  return `${topic}-${index}-${producerId}`
}

/** Sequences go on with 0 behind 2³¹−1. */
function isBehind(sequence: number, other: number): boolean {
  const distance = (sequence - other) & 0x7f_ff_ff_ff
  return distance > 0 && distance < 2 ** 30
}
