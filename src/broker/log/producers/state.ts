import { isControl, lastSequence, sequenceAfter, type BatchHeader } from '../batch/batch.ts'

/** G21: how many batches a producer may have in flight. */
export const producerBatchesMax = 5

/** What a remembered batch was. Its sequences are `firstSequence` to that + `lastOffsetDelta`. */
export interface ProducerBatch {
  readonly baseOffset: number
  readonly lastOffsetDelta: number
  readonly firstSequence: number
  readonly timestampMs: number
}

/** What is known of one producer, as snapshots carry it. */
export interface ProducerState {
  readonly producerId: number
  readonly epoch: number
  /** The newest is last; five at most (G21). Empty after a control batch of a new epoch. */
  readonly batches: readonly ProducerBatch[]
  /** When it last appended. */
  readonly appendedAtMs: number
}

/** What a producer's memory is after a batch. A new epoch forgets the old one's; a marker has no sequence. */
export function batchesWith(
  { epoch, batches }: Pick<ProducerState, 'epoch' | 'batches'>,
  header: BatchHeader,
  baseOffset: number,
): readonly ProducerBatch[] {
  const kept = epoch === header.producerEpoch ? batches : []
  if (isControl(header) || header.baseSequence < 0) return kept
  const { lastOffsetDelta, baseSequence: firstSequence, maxTimestamp } = header
  const timestampMs = Number.isSafeInteger(maxTimestamp) ? maxTimestamp : -1
  const batch = { baseOffset, lastOffsetDelta, firstSequence, timestampMs }
  return [...(kept.length < producerBatchesMax ? kept : kept.slice(1 - producerBatchesMax)), batch]
}

/** Is this batch, of the same epoch, the one that was remembered? G21: by first and last sequence. */
export function isSame(batch: ProducerBatch, header: BatchHeader): boolean {
  return (
    batch.firstSequence === header.baseSequence && lastSequenceOf(batch) === lastSequence(header)
  )
}

export function isEqual(a: ProducerBatch, b: ProducerBatch): boolean {
  return (
    a.baseOffset === b.baseOffset &&
    a.lastOffsetDelta === b.lastOffsetDelta &&
    a.firstSequence === b.firstSequence &&
    a.timestampMs === b.timestampMs
  )
}

export function lastSequenceOf(batch: ProducerBatch): number {
  return sequenceAfter(batch.firstSequence, batch.lastOffsetDelta)
}

/** The only sequence that may follow within the epoch (G22). */
export function nextSequence({ batches }: Pick<ProducerState, 'batches'>): number {
  const last = batches.at(-1)
  return last === undefined ? 0 : sequenceAfter(lastSequenceOf(last), 1)
}
