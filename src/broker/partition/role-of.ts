import type { MetadataImage, PartitionImage, TopicImage } from '../metadata/image.ts'
import { brokersOf, insyncNeededBy, isActive, isCountedOn, isFrozen } from '../metadata/replicas.ts'
import type { PartitionRole, ReplicaBroker } from './replica/role.ts'

/** What the image says of brokers, as roles tell it. */
export function replicaBrokersOf(image: MetadataImage): ReadonlyMap<number, ReplicaBroker> {
  const brokers = new Map<number, ReplicaBroker>()
  for (const broker of image.brokers.values()) {
    brokers.set(broker.id, { epoch: broker.epoch, isEligible: isActive(broker) })
  }
  return brokers
}

/** The role that the image gives a partition's replicas; its in-sync set by brokers, as they fetch. */
export function roleOf(
  image: MetadataImage,
  topic: TopicImage,
  partition: PartitionImage,
  brokers: PartitionRole['brokers'],
): PartitionRole {
  const { leader, leaderEpoch, partitionEpoch, isRecovering } = partition
  const { replicas, addingReplicas } = partition
  return {
    leader,
    leaderEpoch,
    partitionEpoch,
    replicas,
    addingReplicas,
    isr: brokersOf(image, partition.isr),
    isRecovering,
    minInsyncReplicas: insyncNeededBy(image, topic, partition),
    isFrozen: isFrozen(image),
    brokers,
  }
}

/** A replica that is counted on is not in sync. Where as many are in sync as there are replicas, all of them are. */
export function isUnderReplicated({ replicas, addingReplicas = [], isr }: PartitionRole): boolean {
  if (isr.length >= replicas.length) return false
  return replicas.some(id => !isr.includes(id) && isCountedOn({ replicas, addingReplicas }, id))
}
