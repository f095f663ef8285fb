import type { DescribedConfig, TopicDescription } from '../brokers/brokers.ts'
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
