import type { MetadataImage, TopicImage } from '../../metadata/image.ts'
import type { MetadataRecord } from '../../metadata/records.ts'
import { replicationFactorOf } from '../../metadata/replicas.ts'
import type { PartitionsDraft, PartitionsResult } from './commands.ts'
import { countMistake, type Situation, type TopicRules } from './create-topics.ts'
import {
  type Decision,
  duplicates,
  isMistake,
  type Mistake,
  mistake,
  namedTwice,
} from './decision.ts'
import { newPartition, place, placeable, racksOf, replicasError } from './placement.ts'

/** Each topic's growth is decided on its own, upon what those before it leave. A topic that is named twice is answered once, and last. */
export function decideCreatePartitions(
  before: MetadataImage,
  drafts: readonly PartitionsDraft[],
  options: { readonly rules: TopicRules; readonly validateOnly: boolean },
): Decision {
  const twice = duplicates(drafts.map(({ name }) => name))
  const records: MetadataRecord[] = []
  let image = before
  const distinct = drafts.filter(({ name }) => !twice.has(name))
  const decided = distinct.map((draft): PartitionsResult => {
    const { name } = draft
    const situation = { image, before, rules: options.rules }
    const topic = topicToGrow(image, draft)
    if (isMistake(topic)) return { name, ...topic }
    const replicas = replicasOf(situation, draft, topic)
    if (isMistake(replicas)) return { name, ...replicas }
    const from = topic.partitions.length
    const partitions = replicas.map((brokers, at) =>
      newPartition(situation.image, from + at, brokers, topic.configs),
    )
    const record = { type: 'partitionsAdded', topicId: topic.id, partitions } as const
    image = image.apply(record)
    records.push(record)
    return { name, error: 'NONE', message: null }
  })
  const results = [...decided, ...Array.from(twice, name => ({ name, ...namedTwice(name) }))]
  const answer = { type: 'partitionsCreated', results } as const
  return options.validateOnly ? { records: [], image: before, answer } : { records, image, answer }
}

function topicToGrow(image: MetadataImage, { name, count }: PartitionsDraft): TopicImage | Mistake {
  const topic = image.topicByName(name)
  if (topic === undefined) {
    return mistake('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic ${JSON.stringify(name)}.`)
  }
  const present = topic.partitions.length
  if (count === present) {
    return mistake('INVALID_PARTITIONS', `Topic '${name}' already has ${present} partition(s).`)
  }
  if (count < present) {
    return mistake(
      'INVALID_PARTITIONS',
      `Topic '${name}' has ${present} partitions, and ${count} would be fewer. Partitions can be added only.`,
    )
  }
  if (topic.isInternal) {
    return mistake(
      'INVALID_PARTITIONS',
      `Topic '${name}' is internal: which of its partitions holds what depends on their number, which stays.`,
    )
  }
  return topic
}

/** The brokers of each new partition. */
function replicasOf(
  situation: Situation,
  draft: PartitionsDraft,
  topic: TopicImage,
): readonly (readonly number[])[] | Mistake {
  const { image } = situation
  const from = topic.partitions.length
  const added = draft.count - from
  const tooMany = countMistake(situation, draft.name, added)
  if (tooMany !== null) return tooMany
  const replicationFactor = replicationFactorOf(topic.partitions[0]!)
  if (draft.assignments !== null) {
    return assignedReplicas(image, draft.assignments, { ...draft, from, replicationFactor })
  }
  const brokers = placeable(image, replicationFactor)
  if (replicationFactor > brokers.length) {
    return mistake(
      'INVALID_REPLICATION_FACTOR',
      `Topic '${draft.name}' has a replication factor of ${replicationFactor}, and the cluster has ` +
        `${brokers.length} broker(s). Add brokers.`,
    )
  }
  const start = draft.placementStart
  const rackOf = racksOf(situation.image)
  return place({ brokers, start, partitionCount: added, replicationFactor, rackOf })
}

function assignedReplicas(
  image: MetadataImage,
  assignments: readonly (readonly number[])[],
  wish: PartitionsDraft & { readonly from: number; readonly replicationFactor: number },
): readonly (readonly number[])[] | Mistake {
  const { name, count, from, replicationFactor } = wish
  const bad = (what: string): Mistake =>
    mistake('INVALID_REPLICA_ASSIGNMENT', `The replica assignments of topic '${name}' ${what}.`)
  if (assignments.length !== count - from) {
    return bad(`are ${assignments.length} for ${count - from} new partition(s)`)
  }
  for (const [at, brokers] of assignments.entries()) {
    const wrong = replicasError(image, from + at, brokers, replicationFactor)
    if (wrong !== null) return bad(wrong)
  }
  return assignments.map(brokers => [...brokers])
}
