import { isProblem, parse } from '../../broker/config/setting-value.ts'
import { isTopicConfigName, topicConfigOf } from '../../broker/config/topic-config-table.ts'
import { configTexts } from '../crd/config-texts.ts'
import type { LogTopic } from '../crd/topic.ts'
import type { ReplicaMove, TopicWish } from '../brokers/brokers.ts'
import { isComplete, replicaWork, type ReplicaWork } from './replicas.ts'
import {
  hasFinalizer,
  isGoing,
  recordedId,
  topicNameOf,
  type ClusterSight,
  type SeenTopic,
} from './world.ts'

/** What stands between a LogTopic and its wish: a reason for programs, a sentence for people. */
export interface Problem {
  readonly reason: string
  readonly message: string
  /** Whether it is known that the topic is not as it is wanted. */
  readonly status: 'False' | 'Unknown'
  /** Of `spec.config`, and the topic itself is as it is wanted. */
  readonly isOfConfig?: true
  /** Of its replicas, and all else is as it is wanted. `under way`: nobody needs to do anything. */
  readonly ofReplicas?: 'under way' | 'in the way'
}

/** What is to be done at the brokers for one LogTopic. */
export type TopicAct =
  | { readonly do: 'nothing' }
  | { readonly do: 'create'; readonly wish: TopicWish }
  /** There was a topic of that name before anybody asked us for it: it is ours to look after from now on. */
  | { readonly do: 'adopt'; readonly change: TopicChange }
  | { readonly do: 'change'; readonly change: TopicChange }
  | { readonly do: 'delete'; readonly topicId: string }

export interface TopicChange {
  /** How many partitions there shall be; null where there are enough. */
  readonly partitionCount: number | null
  /** Configs to set, and with null to reset. */
  readonly configs: Readonly<Record<string, string | null>>
  /** Replicas that are to move, so that there are as many as are wanted; not there where none are. */
  readonly moves?: readonly ReplicaMove[]
}

/** What a pass has decided about one LogTopic. */
export interface Verdict {
  readonly topic: LogTopic
  /** Of the cluster that was seen; null where none was, or its id is not known. */
  readonly clusterId: string | null
  /** What the brokers have under its name; null where nothing or not known. */
  readonly seen: SeenTopic | null
  readonly act: TopicAct
  /** `release` only when the act is done. */
  readonly finalizer: 'as it is' | 'add' | 'release'
  /** Why it is released although the topic may still be there; null otherwise. */
  readonly releaseNote: string | null
  readonly problem: Problem | null
  /** Replicas are not as many as are wanted, or not complete yet, whatever else is a problem. */
  readonly isChangingReplicas: boolean
  /** Nothing is known that is newer than the status: it stays as it is. */
  readonly keepsStatus: boolean
}

/** Decides about all LogTopics of one LogCluster. */
export function judge(topics: readonly LogTopic[], sight: ClusterSight): Verdict[] {
  const owners = ownersOf(topics)
  const work = replicaWork(owners, sight)
  return topics.map(topic => {
    const owner = owners.get(topicNameOf(topic))!
    if (isGoing(topic)) return judgeGoing(topic, sight)
    return judgeWanted(topic, { owner, work: work.get(topicNameOf(topic)) ?? null }, sight)
  })
}

const nothing = { do: 'nothing' } as const

function verdict(topic: LogTopic, rest: Partial<Omit<Verdict, 'topic'>>): Verdict {
  return {
    topic,
    clusterId: null,
    seen: null,
    act: nothing,
    finalizer: 'as it is',
    releaseNote: null,
    problem: null,
    isChangingReplicas: false,
    keepsStatus: false,
    ...rest,
  }
}

/** Of several LogTopics for one name the first wins: who has the topic already, then who was there before. */
function ownersOf(topics: readonly LogTopic[]): Map<string, LogTopic> {
  const owners = new Map<string, LogTopic>()
  for (const topic of topics) {
    const name = topicNameOf(topic)
    const other = owners.get(name)
    if (other === undefined || isBefore(topic, other)) owners.set(name, topic)
  }
  return owners
}

function isBefore(a: LogTopic, b: LogTopic): boolean {
  const rank = ({ status, metadata }: LogTopic): string =>
    `${status.topicId === undefined ? 1 : 0} ${metadata.creationTimestamp} ${metadata.name}`
  return rank(a) < rank(b)
}

function judgeGoing(topic: LogTopic, sight: ClusterSight): Verdict {
  const keepsStatus = true
  if (!hasFinalizer(topic)) return verdict(topic, { keepsStatus })
  const release = (releaseNote: string | null): Verdict =>
    verdict(topic, { keepsStatus, finalizer: 'release', releaseNote })
  if (topic.spec.deletionPolicy === 'Retain') return release(null)
  if (topic.status.topicId === undefined) return release(null)
  switch (sight.kind) {
    case 'absent':
    case 'going':
      return release('its LogCluster is gone or being deleted')
    case 'paused':
      return deletionWaiting(topic, 'until its spec.reconciliation is Active again')
    case 'silent':
      return sight.isNamespaceGoing
        ? release(`its namespace is being deleted and no broker answers: ${sight.message}`)
        : deletionWaiting(topic, 'until one of its brokers answers')
    case 'seen': {
      const seen = sight.topics.get(topicNameOf(topic)) ?? null
      const topicId = recordedId(topic, sight.clusterId)
      if (seen === null || topicId === undefined) return release(null)
      if (seen.topicId !== topicId) return release('the name belongs to another topic by now')
      const act = { do: 'delete', topicId } as const
      return verdict(topic, { keepsStatus, seen, act, finalizer: 'release' })
    }
  }
}

/** Why no broker answers is said of the LogCluster; here it would be another text at every look. */
function deletionWaiting(topic: LogTopic, until: string): Verdict {
  const cluster = topic.spec.clusterRef.name
  return waiting(topic, 'False', {
    reason: 'DeletionWaiting',
    message: `The topic ${topicNameOf(topic)} is to be deleted, and that waits for LogCluster ${cluster}, ${until}. ${leaveTopic}`,
  })
}

/** How a LogTopic goes whose topic cannot. */
export const leaveTopic =
  'To let the LogTopic go and keep the topic set its spec.deletionPolicy to Retain.'

/** What of others decides about one LogTopic. */
interface Beside {
  /** Whose the topic is. */
  readonly owner: LogTopic
  /** null where it has as many replicas as are wanted. */
  readonly work: ReplicaWork | null
}

function judgeWanted(topic: LogTopic, { owner, work }: Beside, sight: ClusterSight): Verdict {
  if (owner !== topic) return conflict(topic, takenBy(topic, owner))
  switch (sight.kind) {
    case 'absent':
      return waiting(topic, 'False', {
        reason: 'ClusterNotFound',
        message: `There is no LogCluster ${topic.spec.clusterRef.name} in this namespace: make it, or delete this LogTopic and make one for another cluster.`,
      })
    case 'going':
      return waiting(topic, 'Unknown', {
        reason: 'ClusterDeleted',
        message: `LogCluster ${topic.spec.clusterRef.name} is being deleted.`,
      })
    case 'paused':
      return verdict(topic, { keepsStatus: true })
    case 'silent':
      return judgeUnasked(topic, sight.message)
    case 'seen': {
      const { clusterId } = sight
      const seen = sight.topics.get(topicNameOf(topic)) ?? null
      const topicId = recordedId(topic, clusterId)
      const judged =
        seen === null ? judgeAbsent(topic, topicId) : judgeSeen(topic, { seen, topicId, work })
      return { ...judged, clusterId }
    }
  }
}

function waiting(
  topic: LogTopic,
  status: Problem['status'],
  problem: Pick<Problem, 'reason' | 'message'>,
): Verdict {
  return verdict(topic, { problem: { status, ...problem } })
}

/**
 * While no broker answers, what was known of a topic stays said: that all of its topics change their conditions whenever
 * a broker restarts helps nobody. A wish that nobody has looked at yet is told.
 */
function judgeUnasked(topic: LogTopic, message: string): Verdict {
  const { topicId, observedGeneration } = topic.status
  const isLookedAt = topicId !== undefined && observedGeneration === topic.metadata.generation
  if (isLookedAt) return verdict(topic, { keepsStatus: true })
  return waiting(topic, topicId === undefined ? 'False' : 'Unknown', {
    reason: 'ClusterUnreachable',
    message,
  })
}

function judgeAbsent(topic: LogTopic, topicId: string | undefined): Verdict {
  return topicId === undefined ? judgeNew(topic) : judgeMissing(topic)
}

interface Found extends Pick<Beside, 'work'> {
  readonly seen: SeenTopic
  /** The one that was recorded. */
  readonly topicId: string | undefined
}

function judgeSeen(topic: LogTopic, { seen, topicId, work }: Found): Verdict {
  const name = topicNameOf(topic)
  if (seen.isInternal) {
    return conflict(topic, `${name} is an internal topic, which brokers make and keep.`)
  }
  if (topicId !== undefined && topicId !== seen.topicId) {
    return conflict(
      topic,
      `The brokers have a topic ${name} with the id ${seen.topicId}, but that of this LogTopic was ${topicId}: it was deleted and made anew by somebody else, and is not touched. Delete this LogTopic and apply it again to adopt the topic that is there.`,
    )
  }
  const { problem, change } = differences(topic, seen, work)
  const act = { do: topicId === undefined ? 'adopt' : 'change', change } as const
  const isChangingReplicas = work !== null && !isComplete(work)
  const finalizer = wantedFinalizer(topic)
  return verdict(topic, { seen, act, problem, isChangingReplicas, finalizer })
}

function judgeNew(topic: LogTopic): Verdict {
  const { partitions = -1, replicationFactor = -1, config } = topic.spec
  const { texts, complaints } = configTexts(config)
  if (complaints.length > 0) return verdict(topic, { problem: badConfig(complaints) })
  const wish: TopicWish = {
    name: topicNameOf(topic),
    partitionCount: partitions,
    replicationFactor,
    configs: Object.fromEntries(texts),
  }
  return verdict(topic, { act: { do: 'create', wish }, finalizer: wantedFinalizer(topic) })
}

function judgeMissing(topic: LogTopic): Verdict {
  return waiting(topic, 'False', {
    reason: 'TopicMissing',
    message: `The brokers have no topic ${topicNameOf(topic)} any more; its id was ${topic.status.topicId!}. An empty one is not made in its place by itself: delete this LogTopic and apply it again for that.`,
  })
}

function conflict(topic: LogTopic, message: string): Verdict {
  const problem = { reason: 'Conflict', message, status: 'False' } as const
  // What is not ours does not go with us.
  return verdict(topic, { problem, finalizer: hasFinalizer(topic) ? 'release' : 'as it is' })
}

function takenBy(topic: LogTopic, owner: LogTopic): string {
  return `LogTopic ${owner.metadata.name} was there before and has the topic ${topicNameOf(topic)}: delete one of the two.`
}

function wantedFinalizer(topic: LogTopic): Verdict['finalizer'] {
  if (topic.spec.deletionPolicy === 'Delete') return hasFinalizer(topic) ? 'as it is' : 'add'
  return hasFinalizer(topic) ? 'release' : 'as it is'
}

/** What the topic lacks, and what of it cannot be had. */
function differences(
  topic: LogTopic,
  seen: SeenTopic,
  work: ReplicaWork | null,
): { readonly change: TopicChange; readonly problem: Problem | null } {
  const { partitions } = topic.spec
  const isShort = partitions !== undefined && partitions > seen.partitionCount
  const { configs, complaints } = configDifferences(topic, seen)
  const moves = work?.moves ?? []
  const change = {
    partitionCount: isShort ? partitions : null,
    configs,
    ...(moves.length === 0 ? {} : { moves }),
  }
  if (partitions !== undefined && partitions < seen.partitionCount) {
    const message = `The topic has ${seen.partitionCount} partitions, and spec.partitions is ${partitions}: partitions hold records and can only become more. Set spec.partitions to ${seen.partitionCount}.`
    return { change, problem: { reason: 'PartitionsOnlyGrow', message, status: 'False' } }
  }
  if (complaints.length > 0) return { change, problem: badConfig(complaints) }
  return { change, problem: work === null ? null : replicaProblem(work) }
}

/** Until every partition has as many replicas as are wanted, and they are complete; null where that is so. */
function replicaProblem(work: ReplicaWork): Problem | null {
  const { wanted, count, doneCount, movingCount, brokersOnly, heldBy } = work
  if (isComplete(work)) return null
  const status = 'False'
  if (brokersOnly !== null) {
    const message = `spec.replicationFactor is ${wanted}, and ${brokersOnly} brokers serve that could have a replica: set it to ${Math.max(1, brokersOnly)} at most, or give the LogCluster more brokers.`
    return { reason: 'TooFewBrokers', message, status, ofReplicas: 'in the way' }
  }
  const waiting = heldBy === null ? '' : ` Nothing begins, because ${heldBy}.`
  const message = `Partitions that have ${wanted} replicas: ${doneCount} of ${count}; on their way: ${movingCount}.${waiting}`
  return { reason: 'ReplicasChanging', message, status, ofReplicas: 'under way' }
}

/** Keys of the spec win; keys that we set and that stand there no more are reset; what others set stays. */
function configDifferences(
  { spec, status }: LogTopic,
  { configs: seen }: SeenTopic,
): {
  readonly configs: Readonly<Record<string, string | null>>
  readonly complaints: readonly string[]
} {
  const { texts, complaints } = configTexts(spec.config)
  const configs: Record<string, string | null> = {}
  for (const [key, value] of texts) {
    const is = seen.get(key)
    const isSet = is?.source === 'topic' && is.value !== null
    if (!isSet || textOf(key, is.value) !== textOf(key, value)) configs[key] = value
  }
  for (const key of Object.keys(status.appliedConfig ?? {})) {
    if (!(key in spec.config) && seen.get(key)?.source === 'topic') configs[key] = null
  }
  return { configs, complaints }
}

/** As brokers tell it: they take `compact, delete`, `TRUE` and ` 1`, and tell `compact,delete`, `true` and `1`. */
function textOf(name: string, given: string): string {
  if (!isTopicConfigName(name)) return given
  const parsed = parse(topicConfigOf(name), given)
  return isProblem(parsed) ? given : parsed.text
}

function badConfig(complaints: readonly string[]): Problem {
  const message = `spec.config: ${complaints.join('; ')}.`
  return { reason: 'ConfigRefused', message, status: 'False', isOfConfig: true }
}

export function isEmpty({ partitionCount, configs, moves = [] }: TopicChange): boolean {
  return partitionCount === null && Object.keys(configs).length === 0 && moves.length === 0
}
