import { zeroUuid } from '../lib/uuid.ts'
import type { Cluster } from './cluster/cluster.ts'
import type { BrokerStatus } from './handlers/10000-broker-status.ts'
import type { LogDirectory } from './log/directory/log-directory.ts'
import type { Partitions } from './partition/partitions.ts'
import type { Probes } from './telemetry/http.ts'

/** What is up of a broker, as far as its status looks. */
export interface StatusParts {
  readonly cluster?: Cluster
  readonly directory?: LogDirectory
  readonly partitions?: Partitions
}

/** What does not come from the parts. */
export interface StatusFacts {
  readonly brokerId: number
  readonly version: string
  readonly startedAtMs: number
  /** Why clients are not served, as a sentence; null where they are. */
  readonly notReadyReason: string | null
  readonly pageCacheSource: string
}

/** Whatever is known of the broker at this moment. */
export function statusOf(facts: StatusFacts, parts: StatusParts): BrokerStatus {
  const { cluster, directory, partitions } = parts
  return {
    ...facts,
    isReady: facts.notReadyReason === null,
    clusterId: cluster?.image.clusterId ?? '',
    directoryId: directory?.identity.directoryId ?? zeroUuid,
    incarnation: 0,
    startClass: directory?.startClass ?? '',
    startReason: directory?.startReason ?? '',
    quarantineReason: null,
    isMetadataWaiting: cluster?.isWaiting ?? false,
    strayCount: directory?.numbers().strayLogs ?? 0,
    partitionCount: Array.from(partitions?.all() ?? []).length,
    offlinePartitions: Array.from(partitions?.offline() ?? [], ({ id, reason }) => {
      return { topic: id.topic, partitionIndex: id.partition, reason }
    }),
  }
}

/** What /healthz and /readyz tell. */
export function probesOf(broker: {
  readonly directory: () => LogDirectory | undefined
  readonly notReadyReason: () => string | null
}): Probes {
  return {
    health: () => {
      const failure = broker.directory()?.failure ?? null
      const detail = failure === null ? {} : { reason: failure.message }
      return { isHealthy: failure === null, detail }
    },
    readiness: () => {
      const reason = broker.notReadyReason()
      const detail = { ...(reason === null ? {} : { reason }), ...broker.directory()?.progress() }
      return { isReady: reason === null, detail }
    },
  }
}
