import type { ClusterPlaces, DescribedConfig, TopicDescription } from '../brokers/brokers.ts'
import type { LogTopic } from '../crd/topic.ts'

/** A topic as the brokers have it. */
export interface SeenTopic extends TopicDescription {
  readonly configs: ReadonlyMap<string, DescribedConfig>
}

/**
 * What the LogCluster is to its topics. `absent`: there is none of that name. `going`: it is being deleted.
 * `paused`: nothing is to be changed. `silent`: no broker can be asked. `seen`: this is what a broker answered.
 */
export type ClusterSight =
  | { readonly kind: 'absent' }
  | { readonly kind: 'going' }
  | { readonly kind: 'paused' }
  | {
      readonly kind: 'silent'
      /** Why, as a sentence. */
      readonly message: string
      /** The namespace is being deleted: nothing in it may wait for a cluster that is not coming back. */
      readonly isNamespaceGoing: boolean
    }
  | {
      readonly kind: 'seen'
      /** Null where the LogCluster does not say it yet. */
      readonly clusterId: string | null
      /** By name, those that were asked for; null where there is no such topic. */
      readonly topics: ReadonlyMap<string, SeenTopic | null>
      /** What replicas can be placed by; null where no topic has another number of them than is wanted. */
      readonly room: Room | null
    }

/** Who holds what, and who may be given more. */
export interface Room {
  readonly places: ClusterPlaces
  /** Brokers that serve and do not leave, by Kafka's numbers. */
  readonly staying: readonly number[]
  /** Why replicas may not begin to move now, as a clause; null where they may. */
  readonly heldBy: string | null
}

/** Released before a LogTopic goes whose topic goes with it. */
export const topicFinalizer = 'logcluster.dev/topic'

/** The topic's name at the brokers. */
export function topicNameOf({ metadata, spec }: LogTopic): string {
  return spec.topicName ?? metadata.name
}

/**
 * The id of the topic that was made or adopted for this LogTopic in the cluster that is seen. In another one of the same
 * name, which began anew, it has none.
 */
export function recordedId({ status }: LogTopic, clusterId: string | null): string | undefined {
  const isOther =
    clusterId !== null && status.clusterId !== undefined && status.clusterId !== clusterId
  return isOther ? undefined : status.topicId
}

export function isGoing({ metadata }: LogTopic): boolean {
  return metadata.deletionTimestamp !== undefined
}

export function hasFinalizer({ metadata }: LogTopic): boolean {
  return metadata.finalizers?.includes(topicFinalizer) === true
}

/** Whether it has to be looked at who holds its partitions: they have, or had, another number of replicas than is wanted. */
export function needsRoom({ spec, status }: LogTopic, seen: SeenTopic | null | undefined): boolean {
  const { replicationFactor: wanted } = spec
  if (wanted === undefined || seen === null || seen === undefined || seen.isInternal) return false
  const isReached = (status.replicationFactor ?? wanted) === wanted
  return seen.replicationFactor !== wanted || seen.isUneven === true || !isReached
}
