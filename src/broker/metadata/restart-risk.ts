import { harmOf } from './harm.ts'
import type { BrokerImage, MetadataImage, PartitionImage, TopicImage } from './image.ts'
import { insyncNeededBy, isActive, isCountedOn, isDrained } from './replicas.ts'

/** Partitions: how many, and the names of the first few, `topic-index`. */
interface NamedPartitions {
  readonly count: number
  /** At most `namesMax`. */
  readonly names: readonly string[]
}

/** What one broker holds, and what its restart would do that is not so already. */
export interface RestartRisk {
  readonly brokerId: number
  /** It neither leads nor is in sync. */
  readonly isFenced: boolean
  /** It leads only what nobody else can. */
  readonly isDrained: boolean
  readonly leads: number
  /** Partitions with a leader in which it is not in sync, though it has a place there. */
  readonly behind: NamedPartitions
  /** Partitions that would take no acks=all for as long, and would if all their replicas were in sync first. */
  readonly underMin: NamedPartitions
  /** Partitions that nobody would lead for as long, and somebody would if all their replicas were in sync first. */
  readonly offline: NamedPartitions
  /** Partitions for which it is no use to wait: they have too few replicas for any restart. */
  readonly unavoidableCount: number
}

/** Names that are told of each kind. */
const namesMax = 20

/** Of every registered broker, by id. Partitions that nobody leads, or in which a broker does not count, are at no risk by it. */
export function restartRisks(image: MetadataImage): RestartRisk[] {
  const tallies = new Map(Array.from(image.brokers.values(), broker => [broker.id, new Tally()]))
  for (const topic of image.topics()) {
    for (const partition of topic.partitions) {
      for (const id of partition.replicas) {
        const broker = image.brokers.get(id)
        if (broker !== undefined) count(tallies.get(id)!, { image, topic, partition, broker })
      }
    }
  }
  return [...image.brokers.values()]
    .toSorted((a, b) => a.id - b.id)
    .map(broker => ({
      brokerId: broker.id,
      isFenced: !isActive(broker),
      isDrained: isDrained(image, broker.id),
      ...tallies.get(broker.id)!.told(),
    }))
}

/** It has a place in the partition that it did not take yet. Where nobody leads nobody can be in sync. */
export function isBehind(
  partition: PartitionImage,
  { id, directoryId }: Pick<BrokerImage, 'id' | 'directoryId'>,
): boolean {
  const { leader, isr } = partition
  return leader >= 0 && isCountedOn(partition, id) && !isr.includes(directoryId)
}

class Tally {
  leads = 0
  unavoidable = 0
  readonly behind = new Names()
  readonly underMin = new Names()
  readonly offline = new Names()

  told(): Omit<RestartRisk, 'brokerId' | 'isFenced' | 'isDrained'> {
    const { leads, behind, underMin, offline, unavoidable } = this
    return {
      leads,
      behind: behind.told,
      underMin: underMin.told,
      offline: offline.told,
      unavoidableCount: unavoidable,
    }
  }
}

class Names {
  #count = 0
  readonly #names: string[] = []

  get told(): NamedPartitions {
    return { count: this.#count, names: this.#names }
  }

  add({ name }: TopicImage, { index }: PartitionImage): void {
    if (this.#count++ < namesMax) this.#names.push(`${name}-${index}`)
  }
}

interface Held {
  readonly image: MetadataImage
  readonly topic: TopicImage
  readonly partition: PartitionImage
  readonly broker: BrokerImage
}

function count(tally: Tally, { image, topic, partition, broker }: Held): void {
  const { leader, isr, replicas, addingReplicas } = partition
  if (leader === broker.id) tally.leads += 1
  if (isBehind(partition, broker)) tally.behind.add(topic, partition)
  const neededCount = insyncNeededBy(image, topic, partition)
  const isInSync = isr.includes(broker.directoryId)
  const harm = harmOf({ hasLeader: leader >= 0, isInSync, inSyncCount: isr.length, neededCount })
  if (harm === null) return
  const leftAtBest = replicas.length - addingReplicas.length - 1
  if (leftAtBest < (harm === 'offline' ? 1 : neededCount)) tally.unavoidable += 1
  else tally[harm].add(topic, partition)
}
