/** A feature of the cluster and its levels (KIP-584). */
export interface Feature {
  readonly name: string
  readonly minLevel: number
  readonly maxLevel: number
  /** The level in force. */
  readonly level: number
}

/**
 * What ApiVersions tells of features. `metadata.version` is that of Kafka 4.3: without it tools take the cluster for one
 * with ZooKeeper, or for one of long ago. `group.version`, `transaction.version` and the others would switch clients to
 * protocols that are not spoken here (G6).
 */
export const features: readonly Feature[] = [
  { name: 'metadata.version', minLevel: 7, maxLevel: 30, level: 30 },
]
