import type { Uuid } from '../../lib/uuid.ts'
import {
  cordonConfig,
  freezeConfig,
  leadershipDrainConfig,
  minInsyncReplicasByDefault,
  minInsyncReplicasConfig,
  uncleanElectionConfig,
} from './decided-configs.ts'
import type { BrokerImage, MetadataImage, PartitionImage, TopicImage } from './image.ts'

/** It may lead and be in sync: it was heard of, has applied its registration, and does not want to go. */
export function isActive(broker: BrokerImage | undefined): broker is BrokerImage {
  return broker !== undefined && !broker.isFenced && !broker.isShuttingDown
}

/** It gets no new replicas (KIP-1066, where a broker has one directory): its own setting says so, or else that of all brokers. */
export function isCordoned(image: MetadataImage, brokerId: number): boolean {
  const own = image.brokerConfigs(brokerId).get(cordonConfig)
  return (own ?? image.brokerConfigs(null).get(cordonConfig) ?? '').trim() !== ''
}

/** It leads nothing that another in-sync replica can lead, until that is taken back (kubernetes: a node that is drained). */
export function isDrained(image: MetadataImage, brokerId: number): boolean {
  return isTrue(image.brokerConfigs(brokerId).get(leadershipDrainConfig))
}

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

/** The brokers whose logs lie in these directories, in their order; of a directory that no registered broker has, nothing. */
export function brokersOf(image: MetadataImage, directoryIds: readonly Uuid[]): number[] {
  return directoryIds.flatMap(id => image.brokerOfDirectory(id)?.id ?? [])
}

/** `min.insync.replicas` of the topic where neither it nor all brokers were given one. */
export function minInsyncReplicasWithout({ partitions }: TopicImage): number {
  return minInsyncReplicasByDefault(replicationFactorOf(partitions[0]!))
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

/** The broker has a replica on which one counts: one that a reassignment brings is none before it is complete. */
export function isCountedOn(
  { replicas, addingReplicas }: Pick<PartitionImage, 'replicas' | 'addingReplicas'>,
  brokerId: number,
): boolean {
  return replicas.includes(brokerId) && !addingReplicas.includes(brokerId)
}

/** How many replicas one counts on. */
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
 * alone: the topic's, else that of all brokers, else the default. What a broker's file says counts nowhere, so no two go by two values
 * (durability.md R5, R8).
 */
export function minInsyncReplicasFor(
  image: MetadataImage,
  configs: ReadonlyMap<string, string>,
  replicationFactor: number,
): number {
  const configured =
    configs.get(minInsyncReplicasConfig) ?? image.brokerConfigs(null).get(minInsyncReplicasConfig)
  if (configured !== undefined) return Number(configured)
  return minInsyncReplicasByDefault(replicationFactor)
}
