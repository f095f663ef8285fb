import { assert } from '../../lib/assert.ts'

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
