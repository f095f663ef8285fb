import { assert } from '../../../lib/assert.ts'
import type { OffsetCommit, TopicPartition } from './events.ts'
import type { OffsetValue } from './records.ts'

/** How far one group has read, by topic and partition. */
export class GroupOffsets {
  readonly #byTopic = new Map<string, Map<number, OffsetValue>>()
  /** Writes under way for a partition: what they will leave is not known yet. */
  readonly #pending = new Map<string, Map<number, number>>()
  #count = 0

  /** Partitions that have an offset. */
  get count(): number {
    return this.#count
  }

  /** Nothing is known, and nothing is on its way. */
  get isEmpty(): boolean {
    return this.#count === 0 && this.#pending.size === 0
  }

  get topics(): Iterable<string> {
    return this.#byTopic.keys()
  }

  find(topic: string, partition: number): OffsetValue | undefined {
    return this.#byTopic.get(topic)?.get(partition)
  }

  /** Partitions of `topic` with their offsets. */
  of(topic: string): ReadonlyMap<number, OffsetValue> {
    return this.#byTopic.get(topic) ?? none
  }

  *all(): IterableIterator<OffsetCommit> {
    for (const [topic, partitions] of this.#byTopic) {
      for (const [partition, value] of partitions) yield { topic, partition, value }
    }
  }

  /** Every partition that has an offset, or will have one when the writes under way are done. */
  everything(): TopicPartition[] {
    const found: TopicPartition[] = Array.from(this.all(), ({ topic, partition }) => ({
      topic,
      partition,
    }))
    for (const [topic, partitions] of this.#pending) {
      for (const partition of partitions.keys()) {
        if (this.find(topic, partition) === undefined) found.push({ topic, partition })
      }
    }
    return found
  }

  isPending({ topic, partition }: TopicPartition): boolean {
    return this.#pending.get(topic)?.has(partition) ?? false
  }

  /** A write of these begins. */
  begin(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const ofTopic = this.#pending.get(topic) ?? new Map<number, number>()
      this.#pending.set(topic, ofTopic)
      ofTopic.set(partition, (ofTopic.get(partition) ?? 0) + 1)
    }
  }

  /** It has ended, well or not. */
  end(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const ofTopic = this.#pending.get(topic)
      const count = ofTopic?.get(partition)
      assert(ofTopic !== undefined && count !== undefined, 'a write that ends has begun')
      if (count > 1) ofTopic.set(partition, count - 1)
      else ofTopic.delete(partition)
      if (ofTopic.size === 0) this.#pending.delete(topic)
    }
  }

  set(topic: string, partition: number, value: OffsetValue): void {
    const partitions = this.#byTopic.get(topic) ?? new Map<number, OffsetValue>()
    this.#byTopic.set(topic, partitions)
    if (!partitions.has(partition)) this.#count++
    partitions.set(partition, value)
  }

  delete(topic: string, partition: number): void {
    const partitions = this.#byTopic.get(topic)
    if (partitions?.delete(partition) !== true) return
    this.#count--
    if (partitions.size === 0) this.#byTopic.delete(topic)
  }
}

const none: ReadonlyMap<number, OffsetValue> = new Map()
