import type { Uuid } from '../../lib/uuid.ts'
import type { Partition } from './partition.ts'

interface Counts {
  readonly bytes: number
  readonly batches: number
}

/** What clients appended to the partitions of one topic, in this process. */
export interface TopicAppended extends Counts {
  readonly topic: string
}

type Counted = Pick<Partition, 'id' | 'appended'>

/**
 * Appends by topic, also to partitions that were moved to other brokers: what was counted once must not go back, or Prometheus
 * takes the rest for appended anew. Of a topic of which nothing is left here the counts are gone too.
 */
export class AppendCounts {
  /** Of the partitions that left, by the topic. */
  readonly #left = new Map<Uuid, Counts>()

  /** The partition is on this broker no longer, and others of its topic may be. */
  left({ id, appended }: Counted): void {
    this.#left.set(id.topicId, sumOf(this.#left.get(id.topicId) ?? none, appended))
  }

  /** Nothing of the topic is on this broker. */
  forget(topicId: Uuid): void {
    this.#left.delete(topicId)
  }

  /** With `partitions`, those of one topic that are here; null for none. */
  of(partitions: Iterable<Counted>): TopicAppended | null {
    let sum: TopicAppended | null = null
    for (const { id, appended } of partitions) {
      const before: Counts = sum ?? this.#left.get(id.topicId) ?? none
      sum = { topic: id.topic, ...sumOf(before, appended) }
    }
    return sum
  }
}

const none: Counts = { bytes: 0, batches: 0 }

function sumOf(one: Counts, other: Counts): Counts {
  return { bytes: one.bytes + other.bytes, batches: one.batches + other.batches }
}
