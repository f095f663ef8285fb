import type { Parts } from '../parts.ts'
import type { Ring } from '../plan/observed.ts'

/** The metadata ring of one cluster. */
type RingOf = (namespace: string, cluster: string) => Ring

/** What the passes of LogClusters decide by and act with. */
export interface ClusterParts extends Parts {
  readonly ringOf: RingOf
}
