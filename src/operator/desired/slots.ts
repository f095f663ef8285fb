import type { LogBrokerSpec } from '../crd/broker.ts'
import type { LogCluster, PoolSpec } from '../crd/cluster.ts'

/** The slots of a pool that have a broker, ascending: the lowest ones that `withoutSlots` does not leave out. */
export function slotsOf({ brokers, withoutSlots = [] }: PoolSpec): number[] {
  const left = new Set(withoutSlots)
  const slots: number[] = []
  for (let slot = 0; slots.length < brokers; slot++) if (!left.has(slot)) slots.push(slot)
  return slots
}

/** Whether the spec has a place for this broker; one that has none leaves. */
export function hasPlace(
  { spec }: Pick<LogCluster, 'spec'>,
  { pool, slot }: Pick<LogBrokerSpec, 'pool' | 'slot'>,
): boolean {
  return spec.pools.some(each => each.name === pool && slotsOf(each).includes(slot))
}
