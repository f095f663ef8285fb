import type { ClusterDocument, GroupExport, OffsetExport, TopicExport } from './document.ts'
import type { ClusterContent } from './read-cluster.ts'

/** What an import does, or why it does nothing. */
export interface ImportPlan {
  readonly create: readonly TopicExport[]
  /** Topics and offsets that are there already, and the same: one that was interrupted is gone on with. */
  readonly keptTopicCount: number
  readonly keptOffsetCount: number
  readonly commit: readonly GroupExport[]
  /** Sentences; nothing is done where there are any. */
  readonly refusals: readonly string[]
}

/**
 * From a document and what the cluster has to what is made. Nothing that is there becomes another one: a topic of the same name has to
 * have the same partitions, replication factor and configs, and a group no other offset.
 */
export function planImport(
  { topics, groups }: Pick<ClusterDocument, 'topics' | 'groups'>,
  found: Pick<ClusterContent, 'topics' | 'groups'>,
): ImportPlan {
  const there = new Map(found.topics.map(topic => [topic.name, topic]))
  const offsets = new Map(
    found.groups.flatMap(({ group, offsets: all }) =>
      all.map(each => [keyOf(group, each), each.offset] as const),
    ),
  )
  const partitions = new Map([...found.topics, ...topics].map(each => [each.name, each.partitions]))
  const refusals = topics.flatMap(topic => differs(topic, there.get(topic.name)))
  const commit: GroupExport[] = []
  let keptOffsetCount = 0
  for (const { group, offsets: wanted } of groups) {
    const rest = wanted.filter(each => offsets.get(keyOf(group, each)) !== each.offset)
    keptOffsetCount += wanted.length - rest.length
    refusals.push(...rest.flatMap(each => wrongWith(group, each, { offsets, partitions })))
    if (rest.length > 0) commit.push({ group, offsets: rest })
  }
  const create = topics.filter(({ name }) => !there.has(name))
  const keptTopicCount = topics.length - create.length
  return { create, keptTopicCount, keptOffsetCount, commit, refusals }
}

function keyOf(group: string, { topic, partition }: OffsetExport): string {
  return JSON.stringify([group, topic, partition])
}

function differs(wanted: TopicExport, found: TopicExport | undefined): string[] {
  if (found === undefined) return []
  if (found.partitions !== wanted.partitions) {
    return [
      `Topic ${wanted.name} is there already, with ${found.partitions} partitions and not ${wanted.partitions}.`,
    ]
  }
  if (found.replicationFactor !== wanted.replicationFactor) {
    return [
      `Topic ${wanted.name} is there already, with replication factor ${found.replicationFactor} and not ${wanted.replicationFactor}.`,
    ]
  }
  const names = new Set([...Object.keys(found.configs), ...Object.keys(wanted.configs)])
  const other = [...names].find(name => found.configs[name] !== wanted.configs[name])
  if (other === undefined) return []
  return [
    `Topic ${wanted.name} is there already, with another ${other}: ${found.configs[other] ?? '(none)'} and not ${wanted.configs[other] ?? '(none)'}.`,
  ]
}

function wrongWith(
  group: string,
  wanted: OffsetExport,
  known: {
    readonly offsets: ReadonlyMap<string, number>
    readonly partitions: ReadonlyMap<string, number>
  },
): string[] {
  const { topic, partition } = wanted
  const what = `${topic}-${partition} of group ${group}`
  const found = known.offsets.get(keyOf(group, wanted))
  if (found !== undefined) {
    return [`${what} is at offset ${found} already, and not at ${wanted.offset}.`]
  }
  const count = known.partitions.get(topic)
  if (count === undefined)
    return [`${what}: the topic is neither in the document nor in the cluster.`]
  return partition < count ? [] : [`${what}: the topic has ${count} partitions.`]
}
