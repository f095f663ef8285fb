import { zeroUuid, type Uuid } from '../../lib/uuid.ts'

/** A topic of a request, with what the request asks of its partitions. */
export interface TopicPart<Part> {
  /** Empty where the topic is meant by its id. */
  readonly name: string
  /** The zero id, or none, where it is meant by its name. */
  readonly topicId?: Uuid
  readonly partitions: readonly Part[]
}

/** What has a name of its own once: the last of its name, where the first of it stood. As Kafka, which reads into maps. */
export function namedOnce<Item>(
  items: readonly Item[],
  nameOf: (item: Item) => string | number | null,
): readonly Item[] {
  if (items.length < 2) return items
  return [...new Map(items.map(item => [nameOf(item), item])).values()]
}

/**
 * Each partition of a request once, and each topic: of a partition that is named twice the last counts, wherever its
 * topic stands. A topic without partitions asks for nothing, and is not answered.
 */
export function partitionsOnce<Topic extends TopicPart<unknown>>(
  topics: readonly Topic[],
  indexOf: (part: Topic['partitions'][number]) => number,
): readonly Topic[] {
  return merged(topics).map(topic => {
    return { ...topic, partitions: namedOnce(topic.partitions, indexOf) }
  })
}

/** Whether a topic of a request asks for anything: one that does not is not answered. */
export function namesPartitions({ partitions }: Pick<TopicPart<unknown>, 'partitions'>): boolean {
  return partitions.length > 0
}

/** Each topic once, with all that the request says of it, and none without partitions. */
function merged<Topic extends TopicPart<unknown>>(topics: readonly Topic[]): readonly Topic[] {
  const asked = topics.filter(namesPartitions)
  if (asked.length < 2) return asked
  const byTopic = new Map<string, Topic>()
  for (const topic of asked) {
    // A request has names or ids, never both.
    const { name, topicId = zeroUuid } = topic
    const key = topicId === zeroUuid ? name : topicId
    const before = byTopic.get(key)?.partitions ?? []
    const partitions = before.length === 0 ? topic.partitions : [...before, ...topic.partitions]
    byTopic.set(key, { ...topic, partitions })
  }
  return [...byTopic.values()]
}
