/** A registered broker, as far as a leader needs to know it. */
export interface ReplicaBroker {
  /** Of its latest registration: a fetch of an earlier start counts for nothing (KIP-903). */
  readonly epoch: number
  /** Neither fenced nor shutting down: it may join an in-sync set (KIP-841). */
  readonly isEligible: boolean
}

/** What the metadata log says of a partition, as far as its replicas need it. Brokers are named by their ids. */
export interface PartitionRole {
  /** -1 where nobody leads. */
  readonly leader: number
  /** +1 on each election. */
  readonly leaderEpoch: number
  /** +1 on every change of the partition's metadata. */
  readonly partitionEpoch: number
  readonly replicas: readonly number[]
  /** Those of them that a reassignment brings: nobody counts on them before they are complete. Left out: there are none. */
  readonly addingReplicas?: readonly number[]
  readonly isr: readonly number[]
  /** Elected though it may lack committed records. */
  readonly isRecovering: boolean
  /** Copies that an acks=all record needs before it counts. */
  readonly minInsyncReplicas: number
  /** Nothing is written, and nobody leaves the in-sync set. Left out: it is not. */
  readonly isFrozen?: boolean
  /** Every registered broker by id; one map for all partitions. */
  readonly brokers: ReadonlyMap<number, ReplicaBroker>
}

/** A replication factor below min.insync.replicas does not make a topic unwritable. */
export function insyncNeeded({ minInsyncReplicas, replicas }: PartitionRole): number {
  return Math.min(minInsyncReplicas, replicas.length)
}

/** The broker's epoch as the metadata knows it, -1 where it is not registered. */
export function brokerEpochOf({ brokers }: PartitionRole, brokerId: number): number {
  return brokers.get(brokerId)?.epoch ?? -1
}
