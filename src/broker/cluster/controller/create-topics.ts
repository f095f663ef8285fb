import type { MetadataImage } from '../../metadata/image.ts'
import type { ConfigEntry, MetadataRecord, RecordOf } from '../../metadata/records.ts'
import type { TopicDraft, TopicResult } from './commands.ts'
import {
  type Decision,
  duplicates,
  isMistake,
  type Mistake,
  mistake,
  namedTwice,
} from './decision.ts'
import { newPartition, place, placeable, racksOf, replicasError } from './placement.ts'
import { metricName, reservedTopicName, topicNameError } from '../../../lib/topic-name.ts'

export interface TopicRules {
  readonly partitionCountDefault: number
  readonly replicationFactorDefault: number
  /** Of one request, and so of one topic. */
  readonly requestPartitionCountMax: number
  /** Of all topics together. */
  readonly clusterPartitionCountMax: number
  /** Brokers that the cluster is declared to have; 0, or left out, where nobody said so. */
  readonly clusterSize?: number
  /** Topics that brokers write and clients may not, by name: made as it stands here, whoever asks for them. */
  readonly internalTopics: ReadonlyMap<string, InternalTopic>
  /** What is wrong with a topic's overrides, for the client; null where nothing is. `given` as in ConfigRules. */
  validateConfigs(configs: ReadonlyMap<string, string>, given?: ReadonlySet<string>): string | null
}

/** What an internal topic is made with. Its replicas are the controller's to place. */
export interface InternalTopic {
  readonly partitionCount: number
  /**
   * Of a cluster of so many brokers or more; a smaller one has a replica on each. It is made when so many are registered, and
   * not before: it would never have more. Left out: the default.
   */
  readonly replicationFactor?: number
  readonly configs: readonly ConfigEntry[]
}

type TopicCreated = RecordOf<'topicCreated'>

/** Each draft is decided on its own, upon what those before it leave. A name that is given twice is answered once, and last. */
export function decideCreateTopics(
  before: MetadataImage,
  drafts: readonly TopicDraft[],
  options: { readonly rules: TopicRules; readonly validateOnly: boolean },
): Decision {
  const twice = duplicates(drafts.map(({ name }) => name))
  const records: MetadataRecord[] = []
  let image = before
  const distinct = drafts.filter(({ name }) => !twice.has(name))
  const decided = distinct.map(draft => {
    const situation = { image, before, rules: options.rules }
    const created = topicOf(situation, asItHasToBe(situation, draft))
    if (isMistake(created)) return refused(draft.name, created)
    image = image.apply(created)
    records.push(created)
    return fulfilled(created, options.validateOnly)
  })
  const results = [...decided, ...Array.from(twice, name => refused(name, namedTwice(name)))]
  const answer = { type: 'topicsCreated', results } as const
  return options.validateOnly ? { records: [], image: before, answer } : { records, image, answer }
}

/** A client that asks for an internal topic gets the one that brokers would make, not one of its own choice. */
function asItHasToBe({ rules, image }: Situation, draft: TopicDraft): TopicDraft {
  const internal = rules.internalTopics.get(draft.name)
  if (internal === undefined) return draft
  const { partitionCount, configs, replicationFactor = -1 } = internal
  const brokerCount = Math.max(rules.clusterSize ?? 0, image.brokers.size)
  const factor = Math.min(replicationFactor, brokerCount)
  return { ...draft, partitionCount, configs, replicationFactor: factor, assignments: [] }
}

/** Where in a request a decision stands. */
export interface Situation {
  readonly image: MetadataImage
  /** As the request found it. */
  readonly before: MetadataImage
  readonly rules: TopicRules
}

function topicOf(situation: Situation, draft: TopicDraft): TopicCreated | Mistake {
  const badName = nameMistake(situation, draft.name)
  if (badName !== null) return badName
  const configs = configsOf(situation.rules, draft)
  if (isMistake(configs)) return configs
  const replicas = replicasOf(situation, draft)
  if (isMistake(replicas)) return replicas
  const overrides = new Map(configs.map(({ name, value }) => [name, value]))
  return {
    type: 'topicCreated',
    topicId: draft.topicId,
    name: draft.name,
    isInternal: situation.rules.internalTopics.has(draft.name),
    configs,
    partitions: replicas.map((brokers, index) =>
      newPartition(situation.image, index, brokers, overrides),
    ),
  }
}

function nameMistake({ image, rules }: Situation, name: string): Mistake | null {
  const error = topicNameError(name)
  if (error !== null) return mistake('INVALID_TOPIC_EXCEPTION', error)
  if (name === reservedTopicName) {
    return mistake(
      'TOPIC_AUTHORIZATION_FAILED',
      `The topic name '${name}' is reserved. Choose another name.`,
    )
  }
  const colliding = image.topicCollidingWith(name)?.name ?? internalLike(rules, name)
  if (colliding === name && image.topicByName(name) !== undefined) {
    return mistake('TOPIC_ALREADY_EXISTS', `Topic '${name}' exists already.`)
  }
  if (colliding !== undefined && colliding !== name) {
    return mistake(
      'INVALID_TOPIC_EXCEPTION',
      `Topic '${name}' would share its metrics with topic '${colliding}', because '.' and '_' are the same ` +
        'there. Choose another name.',
    )
  }
  return null
}

/** Brokers make it when they need it, and then nobody's topic may be in its place. */
function internalLike({ internalTopics }: TopicRules, name: string): string | undefined {
  return [...internalTopics.keys()].find(internal => metricName(internal) === metricName(name))
}

/** Of a config that is given twice the last counts, as in Kafka. */
function configsOf(rules: TopicRules, draft: TopicDraft): ConfigEntry[] | Mistake {
  const configs = new Map<string, string>()
  for (const { name, value } of draft.configs) {
    if (value === null) {
      return mistake('INVALID_CONFIG', `Config '${name}' has no value. Give one, or leave it out.`)
    }
    configs.set(name, value)
  }
  const error = rules.validateConfigs(configs)
  if (error !== null) return mistake('INVALID_CONFIG', error)
  return Array.from(configs, ([name, value]) => ({ name, value }))
}

function replicasOf(situation: Situation, draft: TopicDraft): (readonly number[])[] | Mistake {
  const { image, rules } = situation
  const isManual = draft.assignments.length > 0
  const counts = isManual ? manualCounts(draft) : wantedCounts(image, rules, draft)
  if (isMistake(counts)) return counts
  const tooMany = countMistake(situation, draft.name, counts.partitionCount)
  if (tooMany !== null) return tooMany
  if (isManual) return assignedReplicas(image, draft)
  const brokers = placeable(image, counts.replicationFactor)
  return place({ brokers, start: draft.placementStart, rackOf: racksOf(image), ...counts })
}

interface Counts {
  readonly partitionCount: number
  readonly replicationFactor: number
}

function wantedCounts(
  image: MetadataImage,
  rules: TopicRules,
  draft: TopicDraft,
): Counts | Mistake {
  const { name, partitionCount, replicationFactor } = draft
  // Kafka's order: where both are wrong the client hears of the replication factor.
  if (replicationFactor === 0 || replicationFactor < -1) {
    return mistake(
      'INVALID_REPLICATION_FACTOR',
      `Topic '${name}' cannot have a replication factor of ${replicationFactor}. Ask for 1 or more, or for -1, ` +
        'the default.',
    )
  }
  if (partitionCount === 0 || partitionCount < -1) {
    return mistake(
      'INVALID_PARTITIONS',
      `Topic '${name}' cannot have ${partitionCount} partitions. Ask for 1 or more, or for -1, the default.`,
    )
  }
  const factor = replicationFactor === -1 ? rules.replicationFactorDefault : replicationFactor
  const brokers = placeable(image, factor)
  if (factor > brokers.length) {
    return mistake(
      'INVALID_REPLICATION_FACTOR',
      `Topic '${name}' cannot have a replication factor of ${factor}: the cluster has ${brokers.length} ` +
        'broker(s). Ask for fewer replicas, or add brokers.',
    )
  }
  return {
    partitionCount: partitionCount === -1 ? rules.partitionCountDefault : partitionCount,
    replicationFactor: factor,
  }
}

function manualCounts({ name, assignments, ...wish }: TopicDraft): Counts | Mistake {
  if (wish.partitionCount !== -1 || wish.replicationFactor !== -1) {
    return mistake(
      'INVALID_REQUEST',
      `Topic '${name}' has replica assignments, and counts too. Set partitions and replication factor to -1.`,
    )
  }
  return { partitionCount: assignments.length, replicationFactor: assignments[0]!.brokers.length }
}

/** Whether a request may create `count` partitions more, for the topic of that name. */
export function countMistake(situation: Situation, name: string, count: number): Mistake | null {
  const { image, before, rules } = situation
  const requested = image.partitionCount - before.partitionCount + count
  if (requested > rules.requestPartitionCountMax) {
    return mistake(
      'INVALID_PARTITIONS',
      `With the ${count} partitions of topic '${name}' the request creates ${requested}; one request may create ` +
        `${rules.requestPartitionCountMax}. Ask for fewer, or split it.`,
    )
  }
  if (image.partitionCount + count > rules.clusterPartitionCountMax) {
    return mistake(
      'INVALID_PARTITIONS',
      `Topic '${name}' cannot have ${count} new partitions: the cluster has ${image.partitionCount} of the ` +
        `${rules.clusterPartitionCountMax} that it may have. Ask for fewer, or delete topics.`,
    )
  }
  return null
}

/** Partitions 0, 1, 2 ... each with the same number of distinct, registered brokers. */
function assignedReplicas(
  image: MetadataImage,
  { name, assignments }: TopicDraft,
): (readonly number[])[] | Mistake {
  const bad = (what: string): Mistake =>
    mistake('INVALID_REPLICA_ASSIGNMENT', `The replica assignments of topic '${name}' ${what}.`)
  const replicas: (readonly number[] | undefined)[] = Array.from({ length: assignments.length })
  for (const { partition, brokers } of assignments) {
    if (!(partition >= 0 && partition < assignments.length)) {
      return bad(`name partition ${partition}; number ${assignments.length} partitions from 0 on`)
    }
    if (replicas[partition] !== undefined) return bad(`name partition ${partition} twice`)
    const wrong = replicasError(image, partition, brokers, assignments[0]!.brokers.length)
    if (wrong !== null) return bad(wrong)
    replicas[partition] = [...brokers]
  }
  return replicas as (readonly number[])[]
}

function fulfilled(created: TopicCreated, validateOnly: boolean): TopicResult {
  return {
    name: created.name,
    id: validateOnly ? null : created.topicId,
    error: 'NONE',
    message: null,
    partitionCount: created.partitions.length,
    replicationFactor: created.partitions[0]!.replicas.length,
    configs: created.configs,
  }
}

function refused(name: string, { error, message }: Mistake): TopicResult {
  return {
    name,
    id: null,
    error,
    message,
    partitionCount: -1,
    replicationFactor: -1,
    configs: [],
  }
}
