import type { Env } from '../../env/env.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { LiveConfiguration } from '../config/live-configuration.ts'
import type { Coordinator } from '../coordinator/coordinator.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { Partitions } from '../partition/partitions.ts'
import type { ErrorName } from '../wire/errors.ts'
import { produceHandler } from './00-produce.ts'
import { fetchHandler } from './01-fetch.ts'
import type { FollowerTraffic } from './fetch/follower-traffic.ts'
import { listOffsetsHandler } from './02-list-offsets.ts'
import { metadataHandler } from './03-metadata.ts'
import { offsetCommitHandler } from './08-offset-commit.ts'
import { offsetFetchHandler } from './09-offset-fetch.ts'
import { findCoordinatorHandler } from './10-find-coordinator.ts'
import { joinGroupHandler } from './11-join-group.ts'
import { heartbeatHandler } from './12-heartbeat.ts'
import { leaveGroupHandler } from './13-leave-group.ts'
import { syncGroupHandler } from './14-sync-group.ts'
import { describeGroupsHandler } from './15-describe-groups.ts'
import { listGroupsHandler } from './16-list-groups.ts'
import { saslHandshakeHandler } from './17-sasl-handshake.ts'
import { apiVersionsHandler } from './18-api-versions.ts'
import { createTopicsHandler } from './19-create-topics.ts'
import { deleteTopicsHandler } from './20-delete-topics.ts'
import { deleteRecordsHandler } from './21-delete-records.ts'
import { initProducerIdHandler } from './22-init-producer-id.ts'
import { offsetForLeaderEpochHandler } from './23-offset-for-leader-epoch.ts'
import { describeAclsHandler } from './29-describe-acls.ts'
import { createAclsHandler } from './30-create-acls.ts'
import { deleteAclsHandler } from './31-delete-acls.ts'
import { describeConfigsHandler } from './32-describe-configs.ts'
import { alterConfigsHandler } from './33-alter-configs.ts'
import { alterReplicaLogDirsHandler } from './34-alter-replica-log-dirs.ts'
import { describeLogDirsHandler, type DescribeLogDirsDeps } from './35-describe-log-dirs.ts'
import { saslAuthenticateHandler } from './36-sasl-authenticate.ts'
import { createPartitionsHandler } from './37-create-partitions.ts'
import { createDelegationTokenHandler } from './38-create-delegation-token.ts'
import { renewDelegationTokenHandler } from './39-renew-delegation-token.ts'
import { expireDelegationTokenHandler } from './40-expire-delegation-token.ts'
import { describeDelegationTokenHandler } from './41-describe-delegation-token.ts'
import { deleteGroupsHandler } from './42-delete-groups.ts'
import { electLeadersHandler } from './43-elect-leaders.ts'
import { incrementalAlterConfigsHandler } from './44-incremental-alter-configs.ts'
import { alterPartitionReassignmentsHandler } from './45-alter-partition-reassignments.ts'
import { listPartitionReassignmentsHandler } from './46-list-partition-reassignments.ts'
import { offsetDeleteHandler } from './47-offset-delete.ts'
import { describeClientQuotasHandler } from './48-describe-client-quotas.ts'
import { alterClientQuotasHandler } from './49-alter-client-quotas.ts'
import { describeUserScramCredentialsHandler } from './50-describe-user-scram-credentials.ts'
import { alterUserScramCredentialsHandler } from './51-alter-user-scram-credentials.ts'
import { describeQuorumHandler } from './55-describe-quorum.ts'
import { updateFeaturesHandler } from './57-update-features.ts'
import { describeClusterHandler } from './60-describe-cluster.ts'
import { describeProducersHandler } from './61-describe-producers.ts'
import { unregisterBrokerHandler } from './64-unregister-broker.ts'
import { describeTransactionsHandler } from './65-describe-transactions.ts'
import { listTransactionsHandler } from './66-list-transactions.ts'
import { listConfigResourcesHandler } from './74-list-config-resources.ts'
import { describeTopicPartitionsHandler } from './75-describe-topic-partitions.ts'
import type { Endpoints } from './endpoints.ts'
import type { FetchSessionCache } from './fetch/sessions/session-cache.ts'
import { HandlerTable, type Handler } from './handler.ts'
import type { ColdReads } from '../cold-lane/cold-reads.ts'
import type { Readers } from '../insight/readers.ts'
import { isCordoned } from '../metadata/replicas.ts'

export interface HandlersOptions {
  readonly env: Env
  readonly configuration: LiveConfiguration
  readonly cluster: Cluster
  readonly partitions: Partitions
  readonly coordinator: Coordinator
  readonly endpoints: Endpoints
  readonly readers: Readers
  readonly fetchSessions: FetchSessionCache
  readonly coldReads: ColdReads
  readonly followerTraffic: FollowerTraffic
  /** Absolute path of the data directory. */
  readonly logDir: string
  /** Bytes of the volume that holds it; null once the directory failed. */
  readonly space: DescribeLogDirsDeps['space']
}

/**
 * The front door of the room: the router, every API that this broker answers; ApiVersions lists exactly these. A handler
 * knows `Partition` and nothing beneath it. What a client did wrong is data in its answer, and what cannot be answered yet
 * is a promise: nobody else waits for it but what came behind it by the same connection.
 */
export function handlerTable(options: HandlersOptions): HandlerTable {
  const { env, configuration, cluster, partitions, endpoints } = options
  const { readers, coldReads } = options
  const { settings } = configuration
  const settled = (): Promise<void> => partitions.settled()
  const table: HandlerTable = new HandlerTable([
    produceHandler({ partitions, endpoints, image: () => cluster.image }),
    fetchHandler({
      partitions,
      sessions: options.fetchSessions,
      endpoints,
      clock: env.clock,
      readers,
      coldReads,
      followerTraffic: options.followerTraffic,
      answerBytesMax: settings.fetchMaxBytes,
    }),
    listOffsetsHandler(partitions),
    metadataHandler({
      cluster,
      endpoints,
      autoCreate: settings.autoCreateTopicsEnable,
      autoCreatePartitions: settings.numPartitions,
      settled,
    }),
    ...groupHandlers(options),
    ...administrationHandlers(options),
    ...refusedApis.map(({ handler }) => handler),
    apiVersionsHandler({ served: () => table.apis(), sequence: () => cluster.image.sequence }),
    createTopicsHandler({ cluster, configuration, settled }),
    deleteTopicsHandler(cluster, settings),
    deleteRecordsHandler({ cluster, partitions }),
    initProducerIdHandler(cluster),
    offsetForLeaderEpochHandler(partitions),
    describeConfigsHandler({ cluster, brokerId: settings.nodeId, configuration }),
    alterConfigsHandler({ cluster, brokerId: settings.nodeId }),
    createPartitionsHandler({ cluster, settled }),
    incrementalAlterConfigsHandler({ cluster, brokerId: settings.nodeId }),
    describeUserScramCredentialsHandler(() => cluster.image),
    alterUserScramCredentialsHandler(cluster),
    describeClusterHandler({ cluster, endpoints }),
  ])
  return table
}

/** What an administrator asks of the cluster and of this broker. */
function administrationHandlers(options: HandlersOptions): Handler[] {
  const { env, cluster, partitions, endpoints, logDir } = options
  const image = (): MetadataImage => cluster.image
  return [
    alterReplicaLogDirsHandler({ partitions, logDir }),
    describeLogDirsHandler({
      partitions,
      logDir,
      space: options.space,
      isCordoned: () => isCordoned(image(), cluster.brokerId),
    }),
    electLeadersHandler({ clock: env.clock, cluster, partitions }),
    alterPartitionReassignmentsHandler(cluster),
    listPartitionReassignmentsHandler(image),
    describeClientQuotasHandler,
    describeQuorumHandler({ cluster, endpoints, clock: env.clock }),
    updateFeaturesHandler,
    describeProducersHandler(partitions),
    unregisterBrokerHandler(cluster),
    describeTransactionsHandler,
    listTransactionsHandler,
    listConfigResourcesHandler(image),
    describeTopicPartitionsHandler({ image, endpoints }),
  ]
}

/** An API that is answered, and always refused: a connection that is closed tells a client nothing. */
export interface RefusedApi {
  readonly handler: Handler
  readonly error: ErrorName
  /** Why; for docs/compatibility.md. */
  readonly because: string
}

const noSasl = 'no listener of clients has SASL'
const noAuthorizer = 'there is no authorizer'
const noTokens = 'nobody has logged in who could have a delegation token'

/** In the order of their keys; docs/compatibility.md has them too. @internal */
export const refusedApis: readonly RefusedApi[] = [
  { handler: saslHandshakeHandler, error: 'ILLEGAL_SASL_STATE', because: noSasl },
  { handler: describeAclsHandler, error: 'SECURITY_DISABLED', because: noAuthorizer },
  { handler: createAclsHandler, error: 'SECURITY_DISABLED', because: noAuthorizer },
  { handler: deleteAclsHandler, error: 'SECURITY_DISABLED', because: noAuthorizer },
  { handler: saslAuthenticateHandler, error: 'ILLEGAL_SASL_STATE', because: noSasl },
  ...[
    createDelegationTokenHandler,
    renewDelegationTokenHandler,
    expireDelegationTokenHandler,
    describeDelegationTokenHandler,
  ].map(handler => {
    return { handler, error: 'DELEGATION_TOKEN_REQUEST_NOT_ALLOWED', because: noTokens } as const
  }),
  {
    handler: alterClientQuotasHandler,
    error: 'POLICY_VIOLATION',
    because: 'quotas are not enforced yet, and what is not enforced is not kept',
  },
]

function groupHandlers({
  env,
  configuration,
  cluster,
  coordinator,
  endpoints,
}: HandlersOptions): Handler[] {
  const image = (): MetadataImage => cluster.image
  const { offsetMetadataMaxBytes } = configuration.settings
  return [
    offsetCommitHandler({
      coordinator,
      clock: env.clock,
      metadataLengthMax: offsetMetadataMaxBytes,
      image,
    }),
    offsetFetchHandler({ coordinator, image }),
    findCoordinatorHandler({ coordinator, endpoints }),
    joinGroupHandler(coordinator),
    heartbeatHandler(coordinator),
    leaveGroupHandler(coordinator),
    syncGroupHandler(coordinator),
    describeGroupsHandler(coordinator),
    listGroupsHandler(coordinator),
    deleteGroupsHandler(coordinator),
    offsetDeleteHandler({ coordinator, image }),
  ]
}
