import type { Uuid } from '../../../lib/uuid.ts'
import type { MetadataImage, PartitionImage, TopicImage } from '../../metadata/image.ts'
import { brokersOf, insyncNeededBy } from '../../metadata/replicas.ts'

/** Where a partition lies: all that hold it, and those among them that only begin to, or are to end it. */
export type Placement = Pick<PartitionImage, 'replicas' | 'addingReplicas' | 'removingReplicas'>

/**
 * The partition without the replicas that its reassignment takes away, where it is at its end: everybody who came to stay is in sync, and
 * those who stay are enough without those who go (I-26; durability.md R14). Else as it is.
 */
export function completed(
  image: MetadataImage,
  topic: TopicImage,
  partition: PartitionImage,
): PartitionImage {
  const { replicas, addingReplicas, removingReplicas } = partition
  if (addingReplicas.length === 0 && removingReplicas.length === 0) return partition
  const after = keptOf(image, {
    ...partition,
    replicas: replicas.filter(id => !removingReplicas.includes(id)),
    addingReplicas: [],
    removingReplicas: [],
  })
  const inSync = brokersOf(image, after.isr)
  const staying = addingReplicas.filter(id => !removingReplicas.includes(id))
  const isComplete = staying.every(id => inSync.includes(id))
  return isComplete && inSync.length >= insyncNeededBy(image, topic, after) ? after : partition
}

/** Without the directories of brokers that are no replicas. Whose directory nobody is known to have stays: it may come back. */
export function keptOf(image: MetadataImage, partition: PartitionImage): PartitionImage {
  const kept = (ids: readonly Uuid[]): readonly Uuid[] => {
    const left = ids.filter(id => {
      const broker = image.brokerOfDirectory(id)
      return broker === undefined || partition.replicas.includes(broker.id)
    })
    return left.length === ids.length ? ids : left
  }
  const { isr, elr, lastKnownElr } = partition
  return { ...partition, isr: kept(isr), elr: kept(elr), lastKnownElr: kept(lastKnownElr) }
}
