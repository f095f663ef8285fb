import { zeroUuid } from '../../src/lib/uuid.ts'
import { nameIn } from './compare.ts'
import { isList, isStruct, type Json } from './json.ts'

/** A field whose value two brokers, or two runs of one, cannot have in common. */
export interface Mask {
  /** `Api.field.field` from the top of the answer, arrays by their name alone; `*.field`: wherever it is. */
  readonly field: string
  readonly reason: string
  /** What is left of it to compare; `of` is the struct that it stands in. */
  readonly keep: (value: Json, of: Struct) => Json
}

type Struct = { readonly [name: string]: Json }

/** Whether there is a value at all: null, 0, -1, the empty text and the zero id stay what they are. */
const presence = (value: Json): Json => (isNothing(value) ? value : '<set>')

function isNothing(value: Json): boolean {
  return value === null || value === '' || value === 0 || value === -1 || value === zeroUuid
}

/** What a broker makes up for a member stands for itself, what the client gave stays. */
const withoutMadeUp = (value: Json): Json => {
  return typeof value === 'string' ? value.replace(madeUp, '-<id>') : value
}
/** A uuid, in either of its texts. */
const madeUp = /-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[\w-]{22})$/

const logAppendTimeBit = 8

const ofAppendTime = (value: Json, of: Struct): Json => {
  return (Number(of['attributes']) & logAppendTimeBit) === 0 ? value : '<append time>'
}

/** Configs that say where a broker lives. */
const placeConfigs = new Set([
  'advertised.listeners',
  'controller.quorum.voters',
  'listeners',
  'log.dir',
  'log.dirs',
  'metadata.log.dir',
])

const ofPlace = (value: Json, of: Struct): Json => {
  return placeConfigs.has(nameIn(of, 'name') ?? '') ? presence(value) : value
}

export const masks: readonly Mask[] = [
  {
    field: '*.errorMessage',
    reason: 'text: each broker has its own sentences, and ours has one more often',
    keep: () => '<text>',
  },
  { field: '*.batchIndexErrorMessage', reason: 'text', keep: () => '<text>' },
  { field: '*.documentation', reason: 'text', keep: () => '<text>' },
  { field: '*.clusterId', reason: 'id: of a cluster', keep: presence },
  { field: '*.topicId', reason: 'id: of a topic that was made for this run', keep: presence },
  { field: '*.host', reason: 'place', keep: presence },
  { field: '*.port', reason: 'place: a free port', keep: presence },
  { field: '*.logDir', reason: 'place: a temporary folder', keep: presence },
  { field: '*.memberId', reason: 'id: made up for the member', keep: withoutMadeUp },
  { field: 'JoinGroup.leader', reason: 'id: of the member that leads', keep: withoutMadeUp },
  { field: 'InitProducerId.producerId', reason: 'id: given in blocks', keep: presence },
  { field: 'Fetch.sessionId', reason: 'id: chance', keep: presence },
  { field: 'Produce.responses.partitionResponses.logAppendTimeMs', reason: 'time', keep: presence },
  {
    field: 'Fetch.responses.partitions.records.batches.maxTimestamp',
    reason: 'time, where the broker set it',
    keep: ofAppendTime,
  },
  {
    field: 'ApiVersions.finalizedFeaturesEpoch',
    reason: 'time: an offset of the metadata log',
    keep: presence,
  },
  { field: 'DescribeLogDirs.results.totalBytes', reason: 'place: of the volume', keep: presence },
  { field: 'DescribeLogDirs.results.usableBytes', reason: 'place: of the volume', keep: presence },
  {
    field: 'DescribeProducers.topics.partitions.activeProducers.lastTimestamp',
    reason: 'time',
    keep: presence,
  },
  {
    field: 'DescribeQuorum.topics.partitions.highWatermark',
    reason: 'time: how far the metadata log has come',
    keep: presence,
  },
  {
    field: 'DescribeQuorum.topics.partitions.leaderEpoch',
    reason: 'time: elections so far',
    keep: presence,
  },
  { field: '*.logEndOffset', reason: 'time: how far the metadata log has come', keep: presence },
  { field: '*.lastFetchTimestamp', reason: 'time', keep: presence },
  { field: '*.lastCaughtUpTimestamp', reason: 'time', keep: presence },
  { field: '*.replicaDirectoryId', reason: 'id: of a data directory', keep: presence },
  {
    field: 'DescribeConfigs.results.configs.value',
    reason: 'place, where the config is one',
    keep: ofPlace,
  },
  {
    field: 'DescribeConfigs.results.configs.synonyms.value',
    reason: 'place, where the config is one',
    keep: ofPlace,
  },
]

/** A list of what a broker has, that is cut down to what a scenario made or named: the others' is not its concern. */
interface Shared {
  readonly list: string
  readonly by: string
}

const shared: readonly Shared[] = [
  { list: 'Metadata.topics', by: 'name' },
  { list: 'DescribeTopicPartitions.topics', by: 'name' },
  { list: 'ListGroups.groups', by: 'groupId' },
  { list: 'DescribeLogDirs.results.topics', by: 'name' },
  { list: 'ElectLeaders.replicaElectionResults', by: 'topic' },
  { list: 'ListConfigResources.configResources', by: 'resourceName' },
]

/** A list whose order says nothing, since Kafka takes it from a hash table; sorted by one field. */
interface Unordered {
  readonly list: string
  readonly by: string
}

const unordered: readonly Unordered[] = [
  { list: 'AlterReplicaLogDirs.results.partitions', by: 'partitionIndex' },
  { list: 'AlterUserScramCredentials.results', by: 'user' },
  { list: 'DescribeConfigs.results.configs', by: 'name' },
  { list: 'DescribeGroups.groups.members', by: 'groupInstanceId' },
  { list: 'DescribeLogDirs.results.topics', by: 'name' },
  { list: 'DescribeLogDirs.results.topics.partitions', by: 'partitionIndex' },
  { list: 'DescribeUserScramCredentials.results', by: 'user' },
  { list: 'DescribeUserScramCredentials.results.credentialInfos', by: 'mechanism' },
  { list: 'JoinGroup.members', by: 'groupInstanceId' },
  { list: 'ListConfigResources.configResources', by: 'resourceName' },
  { list: 'ListGroups.groups', by: 'groupId' },
  { list: 'Metadata.topics', by: 'name' },
  { list: 'OffsetDelete.topics.partitions', by: 'partitionIndex' },
  { list: 'Produce.responses', by: 'name' },
  { list: 'Produce.responses.partitionResponses', by: 'index' },
]

/** The lists that are cut down or sorted, by field. */
export const arrangedLists: readonly string[] = [...shared, ...unordered].map(({ list }) => list)

const sharedLists = new Map(shared.map(({ list, by }) => [list, by]))
const unorderedLists = new Map(unordered.map(({ list, by }) => [list, by]))
const byField = new Map(masks.map(mask => [mask.field, mask]))

/** An answer with what cannot be compared hidden, and of lists of everything what `isMine`. */
export function masked(apiName: string, answer: Json, isMine: (name: string) => boolean): Json {
  return new Masking(isMine).of(apiName, answer)
}

/** The mask of a field, if it has one. */
function maskOf(path: string): Mask | undefined {
  return byField.get(path) ?? byField.get(`*.${path.slice(path.lastIndexOf('.') + 1)}`)
}

class Masking {
  readonly #isMine: (name: string) => boolean

  constructor(isMine: (name: string) => boolean) {
    this.#isMine = isMine
  }

  of(path: string, value: Json): Json {
    if (isList(value)) return this.#arranged(path, value).map(element => this.of(path, element))
    if (!isStruct(value)) return value
    const fields = Object.entries(value).map(([name, of]) => {
      const mask = maskOf(`${path}.${name}`)
      const kept = mask === undefined ? this.of(`${path}.${name}`, of) : mask.keep(of, value)
      return [name, kept] as const
    })
    return Object.fromEntries(fields)
  }

  #arranged(path: string, list: readonly Json[]): readonly Json[] {
    const [mine, order] = [sharedLists.get(path), unorderedLists.get(path)]
    const kept = mine === undefined ? list : list.filter(of => this.#isMine(nameIn(of, mine) ?? ''))
    if (order === undefined) return kept
    return kept.toSorted((a, b) => byName(order, a, b))
  }
}

function byName(field: string, a: Json, b: Json): number {
  const [one, other] = [nameIn(a, field) ?? '', nameIn(b, field) ?? '']
  return one < other ? -1 : Number(one > other)
}
