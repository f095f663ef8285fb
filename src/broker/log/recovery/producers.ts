import { readWhole } from '../../../env/disk.ts'
import type { BatchHeader } from '../batch/batch.ts'
import type { LogConfig } from '../log-config.ts'
import { ProducerStates } from '../producers/states.ts'
import { parseSegmentName, segmentPath, type Segment } from '../segment/segment.ts'
import type { Recovery, Resume } from './context.ts'

export function noProducers(config: LogConfig): ProducerStates {
  const { producerIdExpirationMs: expirationMs, producerIdCountMax: countMax } = config
  return new ProducerStates({ expirationMs, countMax })
}

/**
 * The newest snapshot at or below the first walked segment, and the batches between the two. In a clean log
 * that is the snapshot at its end.
 */
export async function restoreProducers(recovery: Recovery, walkedFrom: number): Promise<void> {
  const { host, path, config, segments } = recovery
  const { disk, clock, crc32c } = host.env
  const { producerIdExpirationMs: expirationMs, producerIdCountMax: countMax } = config
  const offsets = [...recovery.files].flatMap(name => parseSegmentName(name, 'producers') ?? [])
  const trustedEnd = segments.at(-1)?.endOffset ?? 0
  const knownUpTo = Math.min(walkedFrom, walkedFrom === Infinity ? trustedEnd : walkedFrom)
  for (const offset of offsets.toReversed()) {
    if (offset > knownUpTo) continue
    const bytes = readWhole(disk, segmentPath(path, offset, 'producers'))
    const options = { expirationMs, countMax }
    const states = bytes && ProducerStates.decode(bytes, options, crc32c, offset)
    if (states === null) continue
    recovery.producers = states
    recovery.producersUpTo = offset
    break
  }
  const epochsKnown = recovery.epochs.latest >= 0
  for (const segment of segments) {
    if (segment.endOffset <= recovery.producersUpTo && epochsKnown) continue
    await replay(recovery, segment, clock.now(), epochsKnown)
  }
}

/** Whether the producers at `offset` can be had without the batches below it. */
export function hasSnapshot({ host, path, config }: Recovery, offset: number): boolean {
  const { disk, crc32c } = host.env
  const bytes = readWhole(disk, segmentPath(path, offset, 'producers'))
  const { producerIdExpirationMs: expirationMs, producerIdCountMax: countMax } = config
  return bytes !== null && ProducerStates.decode(bytes, { expirationMs, countMax }, crc32c) !== null
}

/** From where the growth file began to where the walk does. */
export function advanceProducers(recovery: Recovery, { segment, producers }: Resume): void {
  const { endOffset } = segment
  for (const later of producers) recovery.producers.advance(later, endOffset)
  recovery.producersUpTo = endOffset
}

/** One batch of the walk; not where a snapshot has it already. */
export function noteProducer(
  { producers, producersUpTo }: Recovery,
  header: BatchHeader,
  nowMs: number,
): void {
  if (header.baseOffset >= producersUpTo) producers.apply(header, header.baseOffset, nowMs)
}

/** Headers of a trusted segment, for what only the batches know. */
async function replay(
  recovery: Recovery,
  segment: Segment,
  nowMs: number,
  epochsKnown: boolean,
): Promise<void> {
  const { sizeBytes, baseOffset: fromOffset } = segment
  const end = await recovery.steps.walkBatches(
    segment.file,
    {
      sizeBytes,
      fromOffset,
      fromEpoch: -1,
      isStarting: true,
      sparseTo: recovery.sparseTo,
      crc32c: null,
    },
    header => {
      if (!epochsKnown) recovery.epochs.assign(header.leaderEpoch, header.baseOffset)
      noteProducer(recovery, header, nowMs)
    },
  )
  if (end.violation !== null) {
    recovery.damage ??= `${segment.pathOf('log')} is damaged at byte ${end.position}, below the recovery point: ${end.violation}.`
  }
}
