import type { Uuid } from '../../lib/uuid.ts'
import type { BrokerImage, MetadataImage, PartitionImage, TopicImage } from './image.ts'

/** It may lead and be in sync: it was heard of, has applied its registration, and does not want to go. */
export function isActive(broker: BrokerImage | undefined): broker is BrokerImage {
  return broker !== undefined && !broker.isFenced && !broker.isShuttingDown
}

/** It gets no new replicas (KIP-1066, where a broker has one directory). */
export function isCordoned(image: MetadataImage, brokerId: number): boolean {
  return (image.brokerConfigs(brokerId).get('cordoned.log.dirs') ?? '').trim() !== ''
}

/** It leads nothing that another in-sync replica can lead, until that is taken back (kubernetes: a node that is drained). */
export function isDrained(image: MetadataImage, brokerId: number): boolean {
  return isTrue(image.brokerConfigs(brokerId).get(leadershipDrainConfig))
}

export const leadershipDrainConfig = 'leadership.drain.enable'

/**
 * Nothing is written, and whoever stops, or starts again and lost nothing, stays in its in-sync sets (durability.md R1b): so that all
 * brokers of a cluster can stop together. Only what is set for all of them counts.
 */
export function isFrozen(image: MetadataImage): boolean {
  return isTrue(image.brokerConfigs(null).get(freezeConfig))
}

/** Texts are kept as they were given: `True` and ` true` are taken, and described as what they mean. */
function isTrue(text: string | undefined): boolean {
  return text?.trim().toLowerCase() === 'true'
}

export const freezeConfig = 'hibernation.freeze.enable'

/** The brokers whose logs lie in these directories, in their order; of a directory that no registered broker has, nothing. */
export function brokersOf(image: MetadataImage, directoryIds: readonly Uuid[]): number[] {
  return directoryIds.flatMap(id => image.brokerOfDirectory(id)?.id ?? [])
}

export const minInsyncReplicasConfig = 'min.insync.replicas'

/** `min.insync.replicas` of a topic where neither it nor all brokers were given one: one less than there are replicas, and 2 at most. */
export function minInsyncReplicasByDefault({ partitions }: TopicImage): number {
  return minInsyncReplicasFor(null, new Map(), replicationFactorOf(partitions[0]!))
}

/** How many in-sync replicas the partition needs: no more than its replication factor, which is the old one while it grows. */
export function insyncNeededBy(
  image: MetadataImage,
  topic: TopicImage,
  partition: PartitionImage,
): number {
  return Math.min(minInsyncReplicasWhere(image, topic, partition), replicationFactorOf(partition))
}

/** Whether the topic may be led by whoever lives, at the price of records (`unclean.leader.election.enable`, from the log alone). */
export function isUncleanElectionEnabled(image: MetadataImage, topic: TopicImage): boolean {
  const name = uncleanElectionConfig
  return isTrue(topic.configs.get(name) ?? image.brokerConfigs(null).get(name))
}

export const uncleanElectionConfig = 'unclean.leader.election.enable'

/** Replicas that a reassignment brings do not count before they are complete. */
export function replicationFactorOf({ replicas, addingReplicas }: PartitionImage): number {
  return Math.max(1, replicas.length - addingReplicas.length)
}

function minInsyncReplicasWhere(
  image: MetadataImage,
  topic: TopicImage,
  partition: PartitionImage,
): number {
  return minInsyncReplicasFor(image, topic.configs, replicationFactorOf(partition))
}

/**
 * `min.insync.replicas` of a topic with those configs and so many replicas of each partition, as every broker resolves it from the log
 * alone: the topic's, else that of all brokers, else one less than there are replicas, and 2 at most. What a broker's file says counts
 * nowhere, so no two go by two values (durability.md R5, R8). `image` null: where nobody was given one.
 */
export function minInsyncReplicasFor(
  image: MetadataImage | null,
  configs: ReadonlyMap<string, string>,
  replicationFactor: number,
): number {
  const configured =
    configs.get(minInsyncReplicasConfig) ?? image?.brokerConfigs(null).get(minInsyncReplicasConfig)
  if (configured !== undefined) return Number(configured)
  return Math.max(1, Math.min(replicationFactor - 1, 2))
}
