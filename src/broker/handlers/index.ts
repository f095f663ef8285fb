import type { Env } from '../../env/env.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { LiveConfiguration } from '../config/live-configuration.ts'
import type { Coordinator } from '../coordinator/coordinator.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { Partitions } from '../partition/partitions.ts'
import { produceHandler } from './00-produce.ts'
import { fetchHandler } from './01-fetch.ts'
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
import { apiVersionsHandler } from './18-api-versions.ts'
import { createTopicsHandler } from './19-create-topics.ts'
import { deleteTopicsHandler } from './20-delete-topics.ts'
import { deleteRecordsHandler } from './21-delete-records.ts'
import { initProducerIdHandler } from './22-init-producer-id.ts'
import { offsetForLeaderEpochHandler } from './23-offset-for-leader-epoch.ts'
import { describeConfigsHandler } from './32-describe-configs.ts'
import { alterConfigsHandler } from './33-alter-configs.ts'
import { createPartitionsHandler } from './37-create-partitions.ts'
import { deleteGroupsHandler } from './42-delete-groups.ts'
import { incrementalAlterConfigsHandler } from './44-incremental-alter-configs.ts'
import { offsetDeleteHandler } from './47-offset-delete.ts'
import { describeUserScramCredentialsHandler } from './50-describe-user-scram-credentials.ts'
import { alterUserScramCredentialsHandler } from './51-alter-user-scram-credentials.ts'
import { describeClusterHandler } from './60-describe-cluster.ts'
import type { Endpoints } from './endpoints.ts'
import { HandlerTable, type Handler } from './handler.ts'
import type { Readers } from '../insight/readers.ts'

export interface HandlersOptions {
  readonly env: Env
  readonly configuration: LiveConfiguration
  readonly cluster: Cluster
  readonly partitions: Partitions
  readonly coordinator: Coordinator
  readonly endpoints: Endpoints
  readonly readers: Readers
}

/** The router: every API that this broker answers. ApiVersions lists exactly these. */
export function handlerTable(options: HandlersOptions): HandlerTable {
  const { env, configuration, cluster, partitions, endpoints, readers } = options
  const { settings } = configuration
  const settled = (): Promise<void> => partitions.settled()
  const table: HandlerTable = new HandlerTable([
    produceHandler({ partitions, image: () => cluster.image }),
    fetchHandler({ partitions, clock: env.clock, readers, answerBytesMax: settings.fetchMaxBytes }),
    listOffsetsHandler(partitions),
    metadataHandler({
      cluster,
      endpoints,
      autoCreate: settings.autoCreateTopicsEnable,
      autoCreatePartitions: settings.numPartitions,
      settled,
    }),
    ...groupHandlers(options),
    apiVersionsHandler(() => table.apis()),
    createTopicsHandler({ cluster, configuration, settled }),
    deleteTopicsHandler(cluster),
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
    offsetFetchHandler(coordinator),
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
