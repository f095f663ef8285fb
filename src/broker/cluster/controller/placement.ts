import { assert } from '../../../lib/assert.ts'
import type { MetadataImage, PartitionImage } from '../../metadata/image.ts'
import { isActive, isCordoned, minInsyncReplicasFor } from '../../metadata/replicas.ts'
import { sparing } from './elections.ts'

export interface PlacementWish {
  /** Ascending, none twice. */
  readonly brokers: readonly number[]
  readonly partitionCount: number
  /** At most as many as there are brokers. */
  readonly replicationFactor: number
  /** Where round robin begins: any whole number of at least 0. */
  readonly start: number
  /** What may fail together with a broker; null where nobody said. Default: nobody did. */
  readonly rackOf?: (brokerId: number) => string | null
}

/**
 * The replicas of each partition, preferred leader first. Leaders go round robin, from rack to rack; the followers' distance
 * from their leader grows by one each round, so that a broker's partners differ from partition to partition. No rack has two
 * replicas of a partition more than another that could have one of them.
 */
export function place({
  brokers: ids,
  partitionCount,
  replicationFactor,
  start,
  rackOf = () => null,
}: PlacementWish): number[][] {
  const brokers = alternating(ids, rackOf)
  const count = brokers.length
  assert(
    replicationFactor >= 1 && replicationFactor <= count,
    'a partition has one replica a broker at most',
  )
  return Array.from({ length: partitionCount }, (_, partition) => {
    const leader = (start + partition) % count
    const round = Math.floor(partition / count)
    const follower = (nth: number): number => (leader + 1 + ((round + nth) % (count - 1))) % count
    const followers = Array.from({ length: count - 1 }, (__, nth) => brokers[follower(nth)]!)
    return spread(brokers[leader]!, followers, { replicationFactor, rackOf })
  })
}

type Racks = Pick<Required<PlacementWish>, 'rackOf'>

/** One of each rack, then the next of each: neighbours are of different racks as far as there are such. */
function alternating(brokers: readonly number[], rackOf: Racks['rackOf']): number[] {
  const racks = [...Map.groupBy(brokers, rackOf).values()]
  const longest = Math.max(...racks.map(({ length }) => length))
  return Array.from({ length: longest }, (_, nth) => racks.flatMap(rack => rack[nth] ?? [])).flat()
}

/** The leader, and of the others, in their order, always the first one of a rack that has fewest replicas so far. */
function spread(
  leader: number,
  others: readonly number[],
  { replicationFactor, rackOf }: Racks & Pick<PlacementWish, 'replicationFactor'>,
): number[] {
  const chosen = [leader]
  const left = new Set(others)
  const usedOf = (id: number): number => chosen.filter(one => rackOf(one) === rackOf(id)).length
  while (chosen.length < replicationFactor) {
    const least = Math.min(...Array.from(left, usedOf))
    const next = [...left].find(id => usedOf(id) === least)!
    left.delete(next)
    chosen.push(next)
  }
  return chosen
}

/** Racks of brokers as they registered them. */
export function racksOf({ brokers }: MetadataImage): (brokerId: number) => string | null {
  return id => brokers.get(id)?.rack ?? null
}

/**
 * The brokers that new replicas may go to, ascending: those that live; where they are too few, with as many of those that are
 * expected back as it takes, so that each partition has all who live. Cordoned ones get none.
 */
export function placeable(image: MetadataImage, replicationFactor: number): number[] {
  const open = [...image.brokers.values()]
    .filter(({ id }) => !isCordoned(image, id))
    .toSorted((a, b) => a.id - b.id)
  const active = open.filter(broker => isActive(broker))
  const away = open.filter(broker => !isActive(broker))
  const missing = Math.max(0, replicationFactor - active.length)
  return [...active, ...away.slice(0, missing)].map(({ id }) => id).toSorted((a, b) => a - b)
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
 * A partition that nobody wrote to yet: all of its replicas that live are in sync, and the first of them leads. Those that do not
 * have all that there is as well, and are eligible where the others are too few.
 */
export function newPartition(
  image: MetadataImage,
  index: number,
  brokers: readonly number[],
  configs: ReadonlyMap<string, string>,
): PartitionImage {
  const replicas = brokers.map(id => image.brokers.get(id)!)
  const active = replicas.filter(broker => isActive(broker))
  const insyncNeeded = minInsyncReplicasFor(image, configs, brokers.length)
  const isEnough = active.length >= Math.min(insyncNeeded, brokers.length)
  const away = isEnough ? [] : replicas.filter(broker => !isActive(broker))
  return {
    index,
    replicas: brokers,
    addingReplicas: [],
    removingReplicas: [],
    isr: active.map(({ directoryId }) => directoryId),
    elr: away.map(({ directoryId }) => directoryId),
    lastKnownElr: [],
    leader: sparing(image, active)[0]?.id ?? -1,
    leaderEpoch: 0,
    partitionEpoch: 0,
    isRecovering: false,
  }
}
