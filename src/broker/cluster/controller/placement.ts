import { assert } from '../../../lib/assert.ts'
import type { MetadataImage, PartitionImage } from '../../metadata/image.ts'
import { isActive, isCordoned } from '../../metadata/replicas.ts'

export interface PlacementWish {
  /** Ascending, none twice. */
  readonly brokers: readonly number[]
  readonly partitionCount: number
  /** At most as many as there are brokers. */
  readonly replicationFactor: number
  /** Where round robin begins: any whole number of at least 0. */
  readonly start: number
}

/**
 * The replicas of each partition, preferred leader first. Leaders go round robin; the followers' distance from
 * their leader grows by one each round, so that a broker's partners differ from partition to partition.
 */
export function place({
  brokers,
  partitionCount,
  replicationFactor,
  start,
}: PlacementWish): number[][] {
  const count = brokers.length
  assert(
    replicationFactor >= 1 && replicationFactor <= count,
    'a partition has one replica a broker at most',
  )
  return Array.from({ length: partitionCount }, (_, partition) => {
    const leader = (start + partition) % count
    const round = Math.floor(partition / count)
    const follower = (nth: number): number => (leader + 1 + ((round + nth) % (count - 1))) % count
    const followers = Array.from({ length: replicationFactor - 1 }, (__, nth) => follower(nth))
    return [leader, ...followers].map(at => brokers[at]!)
  })
}

/**
 * The brokers that new replicas may go to, ascending: those that live; where they are too few, with those that do not and are
 * expected back. Cordoned ones get none.
 */
export function placeable(image: MetadataImage, replicationFactor: number): number[] {
  const open = [...image.brokers.values()].filter(({ id }) => !isCordoned(image, id))
  const active = open.filter(broker => isActive(broker))
  const chosen = active.length >= replicationFactor ? active : open
  return chosen.map(({ id }) => id).toSorted((a, b) => a - b)
}

/** What is wrong with the brokers that somebody chose for a partition, to follow "The assignments"; null where nothing is. */
export function replicasError(
  image: MetadataImage,
  partition: number,
  brokers: readonly number[],
  replicationFactor: number,
): string | null {
  if (brokers.length === 0) return `give partition ${partition} no broker`
  if (brokers.length !== replicationFactor) return 'give some partitions more replicas than others'
  if (new Set(brokers).size < brokers.length) return `give partition ${partition} a broker twice`
  const unknown = brokers.find(id => !image.brokers.has(id))
  if (unknown !== undefined) return `name broker ${unknown}, which is not registered`
  if (brokers.some(id => isActive(image.brokers.get(id)))) return null
  return `give partition ${partition} no broker that is alive`
}

/**
 * A partition that nobody wrote to yet: all of its replicas that live are in sync, and the first of them leads. At least one of
 * `brokers` is active.
 */
export function newPartition(
  image: MetadataImage,
  index: number,
  brokers: readonly number[],
): PartitionImage {
  const active = brokers.map(id => image.brokers.get(id)).filter(broker => isActive(broker))
  const none = { addingReplicas: [], removingReplicas: [], elr: [], lastKnownElr: [] }
  const isr = active.map(({ directoryId }) => directoryId)
  const epochs = { leaderEpoch: 0, partitionEpoch: 0, isRecovering: false }
  return { index, replicas: brokers, isr, leader: active[0]?.id ?? -1, ...none, ...epochs }
}
