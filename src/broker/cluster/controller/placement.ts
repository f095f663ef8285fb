import { assert } from '../../../lib/assert.ts'
import type { MetadataImage, PartitionImage } from '../../metadata/image.ts'

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
  return unknown === undefined ? null : `name broker ${unknown}, which is not registered`
}

/** A partition that nobody wrote to yet: all of its replicas are in sync. */
export function newPartition(index: number, brokers: readonly number[]): PartitionImage {
  const epochs = { leaderEpoch: 0, partitionEpoch: 0 }
  return { index, replicas: brokers, isr: brokers, elr: [], leader: brokers[0]!, ...epochs }
}
