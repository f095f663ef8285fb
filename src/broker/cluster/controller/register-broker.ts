import type { MetadataImage, PartitionImage, TopicImage } from '../../metadata/image.ts'
import type { MetadataRecord } from '../../metadata/records.ts'
import type { Command } from './commands.ts'
import type { Decision } from './decision.ts'

type Registration = Extract<Command, { readonly type: 'registerBroker' }>

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
  const { type: _, brokerId, incarnationId, rack, listeners, unregisteredStarts = 0 } = registration
  const known = before.brokers.get(brokerId)
  if (known?.incarnationId === incarnationId) {
    const answer = { type: 'brokerRegistered', brokerEpoch: known.epoch } as const
    return { records: [], image: before, answer }
  }
  const records: MetadataRecord[] = [
    {
      type: 'brokerRegistered',
      brokerId,
      brokerEpoch: sequence,
      incarnationId,
      rack,
      listeners: [...listeners],
    },
  ]
  for (const topic of before.topics()) {
    const partitions = reelected(topic, brokerId, 1 + unregisteredStarts)
    if (partitions.length > 0) {
      records.push({ type: 'partitionsChanged', topicId: topic.id, partitions })
    }
  }
  const image = records.reduce((after, record) => after.apply(record), before)
  return { records, image, answer: { type: 'brokerRegistered', brokerEpoch: sequence } }
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
