import { zeroUuid, type Uuid } from '../../lib/uuid.ts'

/** A topic of a request, with what the request asks of its partitions. */
export interface TopicPart<Part> {
  /** Empty where the topic is meant by its id. */
  readonly name: string
  /** The zero id, or none, where it is meant by its name. */
  readonly topicId?: Uuid
  readonly partitions: readonly Part[]
}

/** A topic of a request with the numbers of partitions, and nothing else about them. */
interface IndexedTopic extends Pick<TopicPart<unknown>, 'name' | 'topicId'> {
  readonly partitionIndexes: readonly number[]
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
 * What has a name of its own once, where the first of it stood, with all that the request asks of it: an answer is as large
 * as what is asked for, however often.
 */
export function askedOnce<Item>(
  items: readonly Item[],
  nameOf: (item: Item) => string,
  merge: (named: readonly Item[]) => Item,
): readonly Item[] {
  const byName = new Map<string, Item[]>()
  for (const item of items) {
    const name = nameOf(item)
    const named = byName.get(name)
    if (named === undefined) byName.set(name, [item])
    else named.push(item)
  }
  return Array.from(byName.values(), merge)
}

/** Topics with the numbers of their partitions, each of both once. A topic without numbers is answered, too. */
export function indexesOnce<Topic extends IndexedTopic>(
  topics: readonly Topic[],
): readonly Topic[] {
  return askedOnce(topics, keyOf, named => {
    const partitionIndexes = new Set(named.flatMap(topic => topic.partitionIndexes))
    return { ...named[0]!, partitionIndexes: [...partitionIndexes] }
  })
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
  return askedOnce(asked, keyOf, named => {
    return { ...named.at(-1)!, partitions: named.flatMap(({ partitions }) => partitions) }
  })
}

/** A request has names or ids, never both. */
function keyOf({ name, topicId = zeroUuid }: Pick<TopicPart<unknown>, 'name' | 'topicId'>): string {
  return topicId === zeroUuid ? name : topicId
}
