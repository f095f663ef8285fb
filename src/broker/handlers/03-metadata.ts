import type { Cluster } from '../cluster/cluster.ts'
import { isInternalTopicName } from '../coordinator/internal-topics.ts'
import type { MetadataImage, PartitionImage, TopicImage } from '../metadata/image.ts'
import { brokersOf } from '../metadata/replicas.ts'
import { zeroUuid } from '../../lib/uuid.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import { metadata, type MetadataRequest, type MetadataResponse } from '../wire/messages/index.ts'
import { clusterOperations, topicOperations, withheldOperations } from './authorized-operations.ts'
import type { Endpoints, SeenBrokers } from './endpoints.ts'
import type { Handler, RequestContext } from './handler.ts'
import { nameError } from './name-error.ts'
import { namedOnce } from './named-once.ts'

type TopicResponse = MetadataResponse['topics'][number]
type PartitionResponse = TopicResponse['partitions'][number]
type TopicWish = NonNullable<MetadataRequest['topics']>[number]

export interface MetadataDeps {
  readonly cluster: Cluster
  readonly endpoints: Endpoints
  /** `auto.create.topics.enable` and what such a topic gets. */
  readonly autoCreate: boolean
  readonly autoCreatePartitions: number
  /** Resolves when the logs of created topics are open. */
  readonly settled: () => Promise<void>
}

/**
 * Metadata: v0-13. null asks for every topic, as does an empty list in v0 (G10).
 *
 * Unknown topics are created where both the broker and the request allow it; the answer says
 * UNKNOWN_TOPIC_OR_PARTITION all the same, as Kafka's does since it has no ZooKeeper, and the next one has them. A
 * topic that is named twice is answered once. Brokers that are heard of are told, each with its address for the listener
 * that the client used (G46); leader epochs are those of the metadata log, and never fall (G47).
 */
export function metadataHandler(deps: MetadataDeps): Handler<MetadataRequest, MetadataResponse> {
  return {
    api: metadata,
    async handle(request, context) {
      const brokers = deps.endpoints.look(context)
      const asking = { request, context, brokers }
      const wantsAll =
        request.topics === null || (context.apiVersion === 0 && request.topics.length === 0)
      const wishes = wantsAll
        ? []
        : namedOnce(
            addressed(request.topics ?? [], context),
            ({ name, topicId }) => name ?? topicId,
          )
      const topics = wantsAll
        ? Array.from(deps.cluster.image.topics(), topic => known(deps.cluster.image, topic, asking))
        : wishes.map(wish => look(deps.cluster.image, wish, asking))
      if (deps.autoCreate && request.allowAutoTopicCreation) await createMissing(deps, wishes)
      return { ...clusterPart(deps, asking), topics }
    },
  }
}

/** As in Kafka topics are asked for by their ids, all of them, where the request has one; since v12 it may. */
function addressed(
  wishes: readonly TopicWish[],
  { apiVersion }: RequestContext,
): readonly TopicWish[] {
  const byId = wishes.filter(({ topicId }) => apiVersion >= 12 && topicId !== zeroUuid)
  return byId.length === 0 ? wishes : byId.map(({ topicId }) => ({ name: null, topicId }))
}

/** An answer that waits for the creation is followed by one that has the topic; a store that is away holds up nobody. */
const creationWaitMs = 1_000

async function createMissing(
  { cluster, autoCreatePartitions, settled }: MetadataDeps,
  wishes: readonly TopicWish[],
): Promise<void> {
  const names = wishes.flatMap(({ name }) => name ?? [])
  const missing = names.filter(name => cluster.image.topicByName(name) === undefined)
  if (missing.length === 0) return
  await cluster.createTopics(
    missing.map(name => ({
      name,
      partitionCount: autoCreatePartitions,
      replicationFactor: -1,
      assignments: [],
      configs: [],
    })),
    false,
    creationWaitMs,
  )
  await settled()
}

interface Asking {
  readonly request: MetadataRequest
  readonly context: RequestContext
  readonly brokers: SeenBrokers
}

function look(image: MetadataImage, wish: TopicWish, asking: Asking): TopicResponse {
  const { request, context } = asking
  const { name, topicId } = wish
  // These versions have ids in their requests, and no way to answer for a topic that has no name (KIP-516).
  if (name === null && context.apiVersion < 12) return unknown('', topicId, 'INVALID_REQUEST')
  if (name === null) {
    const byId = image.topicById(topicId)
    return byId === undefined
      ? unknown(null, topicId, 'UNKNOWN_TOPIC_ID')
      : known(image, byId, asking)
  }
  const byName = image.topicByName(name)
  if (byName !== undefined) return known(image, byName, asking)
  return {
    ...unknown(name, zeroUuid, nameError(name)),
    topicAuthorizedOperations: operations(request),
  }
}

function known(image: MetadataImage, topic: TopicImage, asking: Asking): TopicResponse {
  return {
    errorCode: errorCode('NONE'),
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.isInternal,
    partitions: topic.partitions.map(partition => partitionAnswer(image, partition, asking)),
    topicAuthorizedOperations: operations(asking.request),
  }
}

/**
 * A leader that is not registered, or has no listener of the client's, is none (LEADER_NOT_AVAILABLE, since v6
 * LISTENER_NOT_FOUND for the latter). v0 knows of replicas only that are there, and says where some are not.
 */
function partitionAnswer(
  image: MetadataImage,
  partition: PartitionImage,
  { context, brokers }: Asking,
): PartitionResponse {
  const { leader, replicas } = partition
  const offlineReplicas = replicas.filter(id => brokers.isOffline(id))
  const isrNodes = brokersOf(image, partition.isr)
  const isTold = (id: number): boolean => context.apiVersion > 0 || !offlineReplicas.includes(id)
  const isWhole = replicas.every(isTold)
  const hasOtherListeners = context.apiVersion >= 6 && brokers.isRegistered(leader)
  const absence = hasOtherListeners ? 'LISTENER_NOT_FOUND' : 'LEADER_NOT_AVAILABLE'
  const hasLeader = brokers.has(leader)
  return {
    errorCode: errorCode(hasLeader ? (isWhole ? 'NONE' : 'REPLICA_NOT_AVAILABLE') : absence),
    partitionIndex: partition.index,
    leaderId: hasLeader ? leader : -1,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: replicas.filter(isTold),
    isrNodes: isrNodes.filter(isTold),
    offlineReplicas,
  }
}

/** Of every topic that has a name, one that is not there too. */
function operations({ includeTopicAuthorizedOperations }: MetadataRequest): number {
  return includeTopicAuthorizedOperations ? topicOperations : withheldOperations
}

function unknown(name: string | null, topicId: string, error: ErrorName): TopicResponse {
  return {
    errorCode: errorCode(error),
    name,
    topicId,
    isInternal: name !== null && isInternalTopicName(name),
    partitions: [],
    topicAuthorizedOperations: withheldOperations,
  }
}

function clusterPart(
  { cluster, endpoints }: MetadataDeps,
  { request, brokers }: Asking,
): Omit<MetadataResponse, 'topics'> {
  return {
    throttleTimeMs: 0,
    brokers: brokers.alive.map(({ brokerId, host, port, rack }) => ({
      nodeId: brokerId,
      host,
      port,
      rack,
    })),
    clusterId: cluster.image.clusterId,
    controllerId: endpoints.controllerId,
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
      ? clusterOperations
      : withheldOperations,
    errorCode: errorCode('NONE'),
  }
}
