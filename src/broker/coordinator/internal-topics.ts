import { offsetsTopicName, transactionStateTopicName } from '../../lib/topic-name.ts'
import type { Cluster, InternalTopic } from '../cluster/cluster.ts'

/** True of the topics that brokers keep their state in, whether they are there or not. */
export function isInternalTopicName(name: string): boolean {
  return name === offsetsTopicName || name === transactionStateTopicName
}

export interface InternalTopicsOptions {
  /** Of the offsets topic, where it is made here. */
  readonly partitionCount: number
  /** Of this and of the others, in a cluster that has so many brokers. */
  readonly replicationFactor: number
  readonly segmentBytes: number
}

/**
 * How the topics are made that brokers keep their state in: by this description only, whoever asks for one first.
 * Made as an ordinary topic it would be deleted from by retention, with everything that was committed.
 */
export function internalTopics({
  partitionCount,
  replicationFactor,
  segmentBytes,
}: InternalTopicsOptions): ReadonlyMap<string, InternalTopic> {
  const topic = (count: number, compression: string, bytes: number): InternalTopic => ({
    partitionCount: count,
    replicationFactor,
    configs: [
      { name: 'cleanup.policy', value: 'compact' },
      { name: 'compression.type', value: compression },
      { name: 'segment.bytes', value: String(bytes) },
    ],
  })
  return new Map([
    [offsetsTopicName, topic(partitionCount, 'producer', segmentBytes)],
    // Nothing is written there yet; but whoever asks for it must not get an ordinary topic in its place. Kafka's defaults.
    [transactionStateTopicName, topic(50, 'uncompressed', 100 * 1024 * 1024)],
  ])
}

/** A broker that starts does not wait longer for a controller that is away: the next start mends what this one did not. */
const mendTimeoutMs = 30_000

/**
 * Mends internal topics that were made as ordinary ones, by a version that let clients do so: the cleanup policy
 * becomes the one that keeps what is there; the number of partitions stays, since it tells where each group is kept.
 */
export async function mendInternalTopics(
  cluster: Cluster,
  warn: (message: string, fields: Readonly<Record<string, unknown>>) => void,
): Promise<void> {
  for (const { name, isInternal, configs, partitions } of cluster.image.topics()) {
    const policy = configs.get('cleanup.policy') ?? 'not set'
    if (!isInternal || policy.includes('compact')) continue
    const edit = { operation: 'set', name: 'cleanup.policy', value: 'compact' } as const
    const change = { resource: { type: 'topic', name }, edits: [edit], isWhole: false } as const
    const [result] = await cluster.alterConfigs([change], false, mendTimeoutMs)
    warn('An internal topic did not have cleanup.policy=compact: set it, and kept its partitions', {
      topic: name,
      policy,
      partitions: partitions.length,
      error: result?.error,
    })
  }
}
