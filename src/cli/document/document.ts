import { z } from 'zod'
import { topicNameLengthMax } from '../../lib/topic-name.ts'

/** Of this shape; another one will be another version. */
const version = 'logcluster.dev/export-v1'

const offset = z.strictObject({
  topic: z.string().min(1).max(topicNameLengthMax),
  partition: z.int().min(0),
  /** The next record that the group would read. */
  offset: z.int().min(0),
  /** What the consumer wanted back. */
  metadata: z.string().default(''),
})

const topic = z.strictObject({
  name: z.string().min(1).max(topicNameLengthMax),
  partitions: z.int().min(1),
  replicationFactor: z.int().min(1),
  /** What was given to the topic, by Kafka's names; what it has from its brokers is not among them. */
  configs: z.record(z.string(), z.string()),
})

const schema = z.strictObject({
  version: z.literal(version),
  /** RFC 3339. What is in the document was so shortly before, and not everything at one moment. */
  exportedAt: z.string(),
  /** What the cluster was; an import does not look at it. */
  cluster: z.strictObject({
    clusterId: z.string(),
    brokers: z.array(z.strictObject({ id: z.int(), rack: z.string().nullable() })),
    /** Settings that were given to all running brokers. */
    configs: z.record(z.string(), z.string()),
  }),
  topics: z.array(topic),
  groups: z.array(z.strictObject({ group: z.string(), offsets: z.array(offset) })),
})

/** Topics with their configs and committed offsets of a cluster, without any record: what a cluster of the same use begins with. */
export type ClusterDocument = z.output<typeof schema>
export type TopicExport = ClusterDocument['topics'][number]
export type GroupExport = ClusterDocument['groups'][number]
export type OffsetExport = GroupExport['offsets'][number]

/** As it is written: two exports of a cluster at rest differ in `exportedAt` alone. */
export function documentText(document: Omit<ClusterDocument, 'version'>): string {
  return `${JSON.stringify({ version, ...document }, null, 2)}\n`
}

/** The document of `text`, or what is wrong with it, as a sentence that names the place. */
export function parseDocument(text: string): ClusterDocument | string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return `It is no JSON: ${(error as Error).message}`
  }
  const found = (value as { version?: unknown } | null)?.version
  if (found !== version) {
    const told = typeof found === 'string' ? `It has the version ${found}` : 'It has no version'
    return `${told}, and this program reads ${version}.`
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return twice(parsed.data) ?? parsed.data
  const [issue] = parsed.error.issues
  return `${issue!.path.join('.') || 'The document'}: ${issue!.message}.`
}

/** What is named more than once, so that nobody knows which is meant; null where nothing is. */
function twice({ topics, groups }: ClusterDocument): string | null {
  const names = [
    ...topics.map(({ name }) => `topic ${name}`),
    ...groups.map(({ group }) => `group ${group}`),
    ...groups.flatMap(({ group, offsets }) =>
      offsets.map(each => `${each.topic}-${each.partition} of group ${group}`),
    ),
  ]
  const seen = new Set<string>()
  for (const name of names) {
    if (seen.has(name)) return `It has ${name} twice.`
    seen.add(name)
  }
  return null
}
