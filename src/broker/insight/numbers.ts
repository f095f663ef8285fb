/** What the room tells, in the shapes that `/metrics` and tools render. */

/** What the readers of a topic that belong to one group were sent since the start of the process. */
export interface SentNumbers {
  readonly topic: string
  /** '' where it is not certain for which group it was. */
  readonly group: string
  readonly sentBytes: number
  /** Those of them that no device delivered meanwhile; null where it could not be measured. */
  readonly hitBytes: number | null
}

export interface GroupNumbers {
  readonly group: string
  /** `Stable`, `Empty`, `PreparingRebalance` ... */
  readonly state: string
  readonly memberCount: number
}

/** How far a position is behind the end of its partition. */
export interface Lag {
  readonly records: number
  /** Estimated from the indexes in memory. */
  readonly bytes: number
  /** Age of the oldest record that is not read yet, by its own timestamp; null where it has none. 0 without lag. */
  readonly seconds: number | null
}

export interface LagNumbers extends Lag {
  /** `committed`: the group's offset; `fetch`: where a connected consumer reads. */
  readonly position: 'committed' | 'fetch'
  /** '' for a consumer without a group, or whose group is not certain. */
  readonly group: string
  /** Of the consumer, '' for a committed position. */
  readonly clientId: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** A group and a topic of which it has committed something, with every partition of the topic that is served. */
export interface CommittedNumbers {
  readonly group: string
  readonly topic: string
  readonly partitions: readonly CommittedPartition[]
}

/** Both are -1 where the group has committed other partitions of the topic and not this one. */
export interface CommittedPartition {
  readonly partition: number
  readonly offset: number
  /** High watermark less the offset: records, be they still there or not. null where another broker leads it, and did not say. */
  readonly records: number | null
}
