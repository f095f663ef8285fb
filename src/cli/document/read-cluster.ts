import type { Address } from '../../env/env.ts'
import { allMetadata } from '../../broker/wire/client/all-topics.ts'
import { refuseErrors } from '../../broker/wire/client/client-error.ts'
import type { WireClient } from '../../broker/wire/client/client.ts'
import {
  describeCluster,
  describeConfigs,
  listGroups,
  offsetFetch,
  type MetadataResponse,
} from '../../broker/wire/messages/index.ts'
import type { ClusterDocument, GroupExport, OffsetExport, TopicExport } from './document.ts'

/** The way to the brokers of a cluster. */
export interface Access {
  any(): Promise<WireClient>
  at(address: Address): Promise<WireClient>
}

/** What a cluster has, as a document tells it. */
export type ClusterContent = Omit<ClusterDocument, 'version' | 'exportedAt'>

const [topicResource, brokerResource] = [2, 4]
/** Where the value of a config is from: given to the topic, or to all running brokers. */
const [givenToTopic, givenToAll] = [1, 3]

/** Offsets by name: the last version that has them so. */
const offsetVersion = 8

/**
 * Everything but records and internal topics, in order of names. Each broker is asked for the groups that it coordinates.
 * @throws WireClientError, AnsweredError
 */
export async function readContent(access: Access): Promise<ClusterContent> {
  const client = await access.any()
  const { clusterId, errorCode } = await client.request(describeCluster, {
    includeClusterAuthorizedOperations: false,
    endpointType: 1,
    includeFencedBrokers: true,
  })
  refuseErrors(errorCode, 'the cluster')
  const { topics, brokers } = await allMetadata(client)
  const groups: GroupExport[] = []
  for (const { host, port } of brokers) {
    groups.push(...(await groupsOf(await access.at({ host, port }))))
  }
  return {
    cluster: {
      clusterId,
      brokers: brokers
        .map(({ nodeId, rack }) => ({ id: nodeId, rack: rack ?? null }))
        .toSorted((a, b) => a.id - b.id),
      configs: (await configsOf(client, brokerResource, [''], givenToAll)).get('') ?? {},
    },
    topics: await topicsOf(client, topics),
    groups: groups.toSorted((a, b) => (a.group < b.group ? -1 : 1)),
  }
}

async function topicsOf(
  client: WireClient,
  topics: MetadataResponse['topics'],
): Promise<TopicExport[]> {
  const own = topics
    .filter(({ isInternal, errorCode }) => isInternal !== true && errorCode === 0)
    .toSorted((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1))
  const names = own.map(({ name }) => name ?? '')
  const configs = await configsOf(client, topicResource, names, givenToTopic)
  return own.map(({ name, partitions }) => ({
    name: name ?? '',
    partitions: partitions.length,
    replicationFactor: partitions[0]?.replicaNodes.length ?? 1,
    configs: configs.get(name ?? '') ?? {},
  }))
}

/** By name of the resource, in order of their own names. */
async function configsOf(
  client: WireClient,
  resourceType: number,
  names: readonly string[],
  source: number,
): Promise<Map<string, Record<string, string>>> {
  if (names.length === 0) return new Map()
  const { results } = await client.request(describeConfigs, {
    resources: names.map(resourceName => ({
      resourceType,
      resourceName,
      configurationKeys: null,
    })),
    includeSynonyms: false,
    includeDocumentation: false,
  })
  return new Map(
    results.map(({ resourceName, errorCode, configs }) => {
      refuseErrors(errorCode, `configs of ${resourceName || 'all brokers'}`)
      const given = configs
        .filter(({ configSource, value }) => configSource === source && value !== null)
        .map(({ name, value }) => [name, value ?? ''] as const)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
      return [resourceName, Object.fromEntries(given)]
    }),
  )
}

/** Groups with offsets that `client` coordinates. */
async function groupsOf(client: WireClient): Promise<GroupExport[]> {
  const { groups, errorCode } = await client.request(listGroups, {
    statesFilter: [],
    typesFilter: [],
  })
  refuseErrors(errorCode, 'groups')
  const found: GroupExport[] = []
  for (const { groupId } of groups) {
    const offsets = await offsetsOf(client, groupId)
    if (offsets.length > 0) found.push({ group: groupId, offsets })
  }
  return found
}

async function offsetsOf(client: WireClient, groupId: string): Promise<OffsetExport[]> {
  const answer = await client.request(
    offsetFetch,
    { groupId: '', topics: null, groups: [{ groupId, topics: null }], requireStable: false },
    { version: offsetVersion },
  )
  const [group] = answer.groups
  refuseErrors(group?.errorCode ?? 0, `group ${groupId}`)
  const offsets = (group?.topics ?? []).flatMap(({ name, partitions }) =>
    partitions.flatMap(({ partitionIndex, committedOffset, metadata, errorCode }) => {
      refuseErrors(errorCode, `group ${groupId} in ${name}-${partitionIndex}`)
      const offset = Number(committedOffset)
      if (offset < 0) return []
      return [{ topic: name, partition: partitionIndex, offset, metadata: metadata ?? '' }]
    }),
  )
  return offsets.toSorted((a, b) =>
    a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
  )
}
