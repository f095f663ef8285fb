/** A topic of a request, with what the request asks of its partitions. */
export interface TopicPart<Part> {
  readonly name: string
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
export function partitionsOnce<Part>(
  topics: readonly TopicPart<Part>[],
  indexOf: (part: Part) => number,
): readonly TopicPart<Part>[] {
  return merged(topics).map(({ name, partitions }) => {
    return { name, partitions: namedOnce(partitions, indexOf) }
  })
}

/** Whether a topic of a request asks for anything: one that does not is not answered. */
export function namesPartitions({ partitions }: TopicPart<unknown>): boolean {
  return partitions.length > 0
}

/** Each topic once, with all that the request says of it, and none without partitions. */
function merged<Part>(topics: readonly TopicPart<Part>[]): readonly TopicPart<Part>[] {
  const asked = topics.filter(namesPartitions)
  if (asked.length < 2) return asked
  const byName = new Map<string, readonly Part[]>()
  for (const { name, partitions } of asked) {
    const before = byName.get(name)
    byName.set(name, before === undefined ? partitions : [...before, ...partitions])
  }
  return Array.from(byName, ([name, partitions]) => ({ name, partitions }))
}
