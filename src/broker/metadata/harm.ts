/** A partition, as far as the end of one broker concerns it. */
export interface Endangered {
  readonly hasLeader: boolean
  /** The broker that ends is in sync there. */
  readonly isInSync: boolean
  readonly inSyncCount: number
  /** So many in sync take acks=all. */
  readonly neededCount: number
}

/**
 * What a partition is for as long as a broker is away: `offline`, nobody leads it; `underMin`, it takes no acks=all; null, no worse off by
 * it. One that nobody leads, or in which the broker does not count, loses nothing by its end. All who speak of a restart's risk go by it: brokers
 * to the operator (`restartRisks`), and `logcluster status`.
 */
export function harmOf({
  hasLeader,
  isInSync,
  inSyncCount,
  neededCount,
}: Endangered): 'offline' | 'underMin' | null {
  if (!hasLeader || !isInSync) return null
  const left = inSyncCount - 1
  if (left === 0) return 'offline'
  return left < neededCount ? 'underMin' : null
}
