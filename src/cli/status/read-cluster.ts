import { allMetadata } from '../../broker/wire/client/all-topics.ts'
import type { WireClient } from '../../broker/wire/client/client.ts'
import { refuseErrors } from '../../broker/wire/client/client-error.ts'
import {
  describeCluster,
  describeConfigs,
  type MetadataResponse,
} from '../../broker/wire/messages/index.ts'
import { comingReplicas } from '../coming-replicas.ts'
import type { ClusterFacts, PartitionFacts } from './health.ts'

const topicResource = 2
const minInsync = 'min.insync.replicas'
/** Where a value is one that somebody gave a topic, or all brokers: the cluster goes by it. */
const givenSources = new Set([1, 3])

/** Asks one broker for the whole cluster. @throws WireClientError, AnsweredError */
export async function readCluster(client: WireClient): Promise<ClusterFacts> {
  const cluster = await client.request(describeCluster, {
    includeClusterAuthorizedOperations: false,
    endpointType: 1,
    includeFencedBrokers: true,
  })
  refuseErrors(cluster.errorCode, 'the cluster')
  const { topics } = await allMetadata(client)
  const given = await readMinInsync(client, topics)
  const coming = await comingReplicas(client)
  return {
    clusterId: cluster.clusterId,
    controllerId: cluster.controllerId ?? -1,
    brokers: cluster.brokers.map(({ brokerId, host, port, rack, isFenced }) => {
      return { id: brokerId, host, port, rack: rack ?? null, isFenced: isFenced ?? false }
    }),
    partitions: topics.flatMap(topic => {
      return partitionsOf(topic, given.get(topic.name ?? ''), coming.get(topic.name ?? ''))
    }),
  }
}

type Topics = MetadataResponse['topics']

/** By topic, where it was given; else the controller goes by the number of replicas. */
async function readMinInsync(client: WireClient, topics: Topics): Promise<Map<string, number>> {
  const { results } = await client.request(describeConfigs, {
    resources: topics.map(({ name }) => ({
      resourceType: topicResource,
      resourceName: name ?? '',
      configurationKeys: [minInsync],
    })),
    includeSynonyms: false,
    includeDocumentation: false,
  })
  const given = new Map<string, number>()
  for (const { resourceName, configs } of results) {
    const config = configs.find(({ name }) => name === minInsync)
    if (config === undefined || !givenSources.has(config.configSource ?? -1)) continue
    given.set(resourceName, Number(config.value))
  }
  return given
}

function partitionsOf(
  { name, partitions }: Topics[number],
  given: number | undefined,
  coming: ReadonlyMap<number, number> | undefined,
): PartitionFacts[] {
  return partitions.map(({ partitionIndex, leaderId, replicaNodes, isrNodes }) => {
    const factor = Math.max(1, replicaNodes.length - (coming?.get(partitionIndex) ?? 0))
    const byDefault = Math.max(1, Math.min(factor - 1, 2))
    return {
      topic: name ?? '',
      index: partitionIndex,
      leader: leaderId,
      replicas: replicaNodes,
      inSync: isrNodes,
      // More than there are replicas would be none that can be kept (KIP-966).
      inSyncMin: Math.min(given ?? byDefault, factor),
    }
  })
}
