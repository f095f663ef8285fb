import { zeroUuid } from '../lib/uuid.ts'
import type { Cluster, StandAlone } from './cluster/cluster.ts'
import type { BrokerStatus } from './handlers/10000-broker-status.ts'
import type { Insight } from './insight/insight.ts'
import type { LogDirectory } from './log/directory/log-directory.ts'
import type { Partitions } from './partition/partitions.ts'
import type { BoundListener } from './server/server.ts'
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
  const alone = cluster?.standsAlone ?? null
  return {
    ...facts,
    isReady: facts.notReadyReason === null,
    clusterId: cluster?.image.clusterId ?? '',
    directoryId: directory?.identity.directoryId ?? zeroUuid,
    incarnation: directory?.identity.incarnation ?? 0,
    startClass: directory?.startClass ?? '',
    startReason: directory?.startReason ?? '',
    quarantineReason: alone?.kind === 'quarantine' ? alone.message : null,
    isMetadataWaiting: cluster?.isWaiting === true || alone?.kind === 'outage',
    strayCount: directory?.numbers().strayLogs ?? 0,
    partitionCount: Array.from(partitions?.all() ?? []).length,
    offlinePartitions: Array.from(partitions?.offline() ?? [], ({ id, reason }) => {
      return { topic: id.topic, partitionIndex: id.partition, reason }
    }),
  }
}

/** Groups of which /v1/status tells the lag. */
const laggingGroupsMax = 10

/** What /v1/status tells: the status, and what only people ask for (docs/http.md). */
export function statusDocument(
  status: BrokerStatus,
  more: { readonly listeners: readonly BoundListener[]; readonly insight: Insight },
): Readonly<Record<string, unknown>> {
  const recordsOf = new Map<string, number>()
  for (const { group, position, records } of more.insight.lags()) {
    if (position === 'committed') recordsOf.set(group, (recordsOf.get(group) ?? 0) + records)
  }
  const lags = Array.from(recordsOf, ([group, lagRecords]) => ({ group, lagRecords }))
  return {
    ...status,
    listeners: more.listeners,
    groupCount: Array.from(more.insight.groups()).length,
    laggingGroups: lags
      .filter(({ lagRecords }) => lagRecords > 0)
      .toSorted((a, b) => b.lagRecords - a.lagRecords)
      .slice(0, laggingGroupsMax),
  }
}

/** What HTTP tells. */
export function probesOf(broker: {
  readonly directory: () => LogDirectory | undefined
  readonly notReadyReason: () => string | null
  /** Why nothing of the metadata can be changed, while clients are served. */
  readonly standsAlone: () => StandAlone | null
  readonly status: () => Readonly<Record<string, unknown>>
}): Probes {
  return {
    status: broker.status,
    health: () => {
      const failure = broker.directory()?.failure ?? null
      const detail = failure === null ? {} : { reason: failure.message }
      return { isHealthy: failure === null, detail }
    },
    readiness: () => {
      const reason = broker.notReadyReason()
      const alone = broker.standsAlone()
      const detail = {
        ...(reason === null ? {} : { reason }),
        ...(alone === null ? {} : { standsAlone: alone.kind, standsAloneReason: alone.message }),
        ...broker.directory()?.progress(),
      }
      return { isReady: reason === null, detail }
    },
  }
}
