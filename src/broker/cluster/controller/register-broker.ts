import type { MetadataImage, PartitionImage, TopicImage } from '../../metadata/image.ts'
import type { MetadataRecord, RecordOf } from '../../metadata/records.ts'
import type { Uuid } from '../../../lib/uuid.ts'
import type { Registration } from './commands.ts'
import type { Decision } from './decision.ts'

/**
 * A new start of a broker. What it led it leads again in a later epoch (durability.md R1b), so that records
 * which a power failure took from the end of its log are never confused with those that come to stand there.
 * Right for an ISR of one; a larger one takes R1 and R9.
 */
export function decideRegisterBroker(
  before: MetadataImage,
  registration: Registration,
  sequence: number,
): Decision {
  const { brokerId, incarnationId, unregisteredStarts = 0 } = registration
  const known = before.brokers.get(brokerId)
  if (known?.incarnationId === incarnationId) {
    const answer = { type: 'brokerRegistered', brokerEpoch: known.epoch } as const
    return { records: [], image: before, answer }
  }
  const records: MetadataRecord[] = [registrationRecord(before, registration, sequence)]
  for (const topic of before.topics()) {
    const partitions = reelected(topic, brokerId, 1 + unregisteredStarts).map(partition =>
      known === undefined
        ? partition
        : { ...partition, ...renamed(partition, known.directoryId, registration.directoryId) },
    )
    if (partitions.length > 0) {
      records.push({ type: 'partitionsChanged', topicId: topic.id, partitions })
    }
  }
  const image = records.reduce((after, record) => after.apply(record), before)
  return { records, image, answer: { type: 'brokerRegistered', brokerEpoch: sequence } }
}

/** Fenced until a heartbeat says that it has applied this record; the only broker of a cluster leads at once. */
function registrationRecord(
  { brokers }: MetadataImage,
  registration: Registration,
  brokerEpoch: number,
): RecordOf<'brokerRegistered'> {
  const { brokerId, incarnationId, rack, listeners } = registration
  const { directoryId, startClass, peer, featureLevelMax } = registration
  const isOnly = [...brokers.keys()].every(id => id === brokerId)
  return {
    type: 'brokerRegistered',
    brokerId,
    brokerEpoch,
    incarnationId,
    rack,
    listeners: [...listeners],
    directoryId,
    startClass,
    peer,
    featureLevelMax,
    isFenced: !isOnly,
  }
}

/** The partitions of `topic` that the broker leads, as `starts` starts of it leave them: each leads in epochs of its own. */
export function reelected(topic: TopicImage, brokerId: number, starts: number): PartitionImage[] {
  return topic.partitions
    .filter(({ leader }) => leader === brokerId)
    .map(partition => ({
      ...partition,
      leaderEpoch: partition.leaderEpoch + starts,
      partitionEpoch: partition.partitionEpoch + starts,
    }))
}

/** Where a directory is named, under its new name. */
function renamed(
  { isr, elr, lastKnownElr }: PartitionImage,
  from: Uuid,
  to: Uuid,
): Pick<PartitionImage, 'isr' | 'elr' | 'lastKnownElr'> {
  const inPlace = (ids: readonly Uuid[]): Uuid[] => ids.map(id => (id === from ? to : id))
  return { isr: inPlace(isr), elr: inPlace(elr), lastKnownElr: inPlace(lastKnownElr) }
}
