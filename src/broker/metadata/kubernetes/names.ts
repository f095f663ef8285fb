import { geometry, placeName, type Place } from './ring.ts'

export interface RingNames {
  /** Of the ConfigMap at a place: `orders-md-05`, `orders-snap-a-00`. */
  of(place: Place): string
  /** `orders-controller`. */
  readonly lease: string
}

/** The names of a cluster's ring. */
export function ringNames(cluster: string): RingNames {
  return { of: place => `${cluster}-${placeName(place)}`, lease: `${cluster}-controller` }
}

/** Every ConfigMap of a cluster's ring: what a broker's Role names, beside the Lease. */
export function ringConfigMapNames(cluster: string): string[] {
  const names = ringNames(cluster)
  const { slotCount, chunkCount } = geometry
  const slots = Array.from({ length: slotCount }, (_, index) => names.of({ type: 'slot', index }))
  const chunks = (['a', 'b'] as const).flatMap(side =>
    Array.from({ length: chunkCount }, (_, index) => names.of({ type: 'chunk', side, index })),
  )
  return [...slots, ...chunks]
}
