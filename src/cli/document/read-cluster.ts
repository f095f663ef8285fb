import { allMetadata } from '../../broker/wire/client/all-topics.ts'
import { refuseErrors } from '../../broker/wire/client/client-error.ts'
import type { WireClient } from '../../broker/wire/client/client.ts'
import {
  describeCluster,
  describeConfigs,
  type MetadataResponse,
} from '../../broker/wire/messages/index.ts'
import { comingReplicas, type ComingReplicas } from '../coming-replicas.ts'
import type { ClusterDocument, TopicExport } from './document.ts'
import { type Access, readGroups } from './read-groups.ts'

/** What a cluster has, as a document tells it. */
export type ClusterContent = Omit<ClusterDocument, 'version' | 'exportedAt'>

const [topicResource, brokerResource] = [2, 4]
/** Where the value of a config is from: given to the topic, or to all running brokers. */
const [givenToTopic, givenToAll] = [1, 3]

/**
 * Everything but records and internal topics, in order of names; brokers that are away are told too.
 * @throws WireClientError, AnsweredError
 */
export async function readContent(access: Access): Promise<ClusterContent> {
  const client = await access.any()
  const { clusterId, brokers, errorCode } = await client.request(describeCluster, {
    includeClusterAuthorizedOperations: false,
    endpointType: 1,
    includeFencedBrokers: true,
  })
  refuseErrors(errorCode, 'the cluster')
  const { topics } = await allMetadata(client)
  return {
    cluster: {
      clusterId,
      brokers: brokers
        .map(({ brokerId, rack }) => ({ id: brokerId, rack: rack ?? null }))
        .toSorted((a, b) => a.id - b.id),
      configs: (await configsOf(client, brokerResource, [''], givenToAll)).get('') ?? {},
    },
    topics: await topicsOf(client, topics, await comingReplicas(client)),
    groups: await readGroups(access),
  }
}

async function topicsOf(
  client: WireClient,
  topics: MetadataResponse['topics'],
  coming: ComingReplicas,
): Promise<TopicExport[]> {
  const own = topics
    .filter(({ isInternal, errorCode }) => isInternal !== true && errorCode === 0)
    .toSorted((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1))
  const names = own.map(({ name }) => name ?? '')
  const configs = await configsOf(client, topicResource, names, givenToTopic)
  return own.map(({ name, partitions }) => ({
    name: name ?? '',
    partitions: partitions.length,
    replicationFactor: factorOf(partitions, coming.get(name ?? '')),
    configs: configs.get(name ?? '') ?? {},
  }))
}

/** What most partitions have, without replicas that are on their way; of as many the larger one. */
function factorOf(
  partitions: MetadataResponse['topics'][number]['partitions'],
  coming: ReadonlyMap<number, number> | undefined,
): number {
  const counts = new Map<number, number>()
  for (const { partitionIndex, replicaNodes } of partitions) {
    const factor = Math.max(1, replicaNodes.length - (coming?.get(partitionIndex) ?? 0))
    counts.set(factor, (counts.get(factor) ?? 0) + 1)
  }
  const [most] = [...counts].toSorted(([a, of], [b, other]) => other - of || b - a)
  return most?.[0] ?? 1
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
