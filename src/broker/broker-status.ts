import { zeroUuid } from '../lib/uuid.ts'
import type { Cluster } from './cluster/cluster.ts'
import type { BrokerStatus } from './handlers/10000-broker-status.ts'
import type { Insight } from './insight/insight.ts'
import type { LogDirectory } from './log/directory/log-directory.ts'
import type { Partitions } from './partition/partitions.ts'
import { InSyncReadiness } from './in-sync-readiness.ts'
import { restartRisks, type RestartRisk } from './metadata/restart-risk.ts'
import type { MetadataImage } from './metadata/image.ts'
import { isFrozen } from './metadata/replicas.ts'
import type { BoundListener } from './server/server.ts'
import type { Probes } from './telemetry/http.ts'

/** What is up of a broker, as far as its status looks. */
export interface StatusParts {
  cluster?: Cluster
  directory?: LogDirectory
  partitions?: Partitions
  /** As soon as clients are served. */
  inSync?: InSyncReadiness
  /** Why a start was refused: the disk failed in an earlier run. */
  failedDirectory?: Error
  disk?: { readonly awaitedCopySequence: number }
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
  const notReadyReason = whyNotReady(facts.notReadyReason, parts)
  return {
    ...facts,
    isReady: notReadyReason === null,
    notReadyReason,
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
    awaitedCopySequence: cluster === undefined || alone !== null ? awaitedCopy(parts) : -1,
    uncopiedCount: uncopiedCount(cluster?.image, partitions),
    catchingUp: catchingUp(partitions),
    metadataSequence: cluster?.image.sequence ?? -1,
    controllerId: cluster?.image.controllerId ?? -1,
    ...countedIn(cluster),
  }
}

function awaitedCopy({ disk }: StatusParts): number {
  return disk?.awaitedCopySequence ?? -1
}

/** Partitions that are led here, and of which somebody in sync lacks something; -1 where clients write, so that it says nothing. */
function uncopiedCount(
  image: MetadataImage | undefined,
  partitions: Partitions | undefined,
): number {
  if (image === undefined || partitions === undefined || !isFrozen(image)) return -1
  let count = 0
  for (const partition of partitions.all()) {
    const isr = partition.role?.isr ?? []
    const isLacking = [...partition.followersBehind()].some(({ brokerId }) =>
      isr.includes(brokerId),
    )
    if (isLacking) count++
  }
  return count
}

/** Whoever lags and is in sync is none that has something to copy first. */
function catchingUp(partitions: Partitions | undefined): { brokerId: number; bytes: number }[] {
  const byBroker = new Map<number, number>()
  for (const partition of partitions?.all() ?? []) {
    const isr = partition.role?.isr ?? []
    for (const { brokerId, bytes } of partition.followersBehind()) {
      if (!isr.includes(brokerId)) byBroker.set(brokerId, (byBroker.get(brokerId) ?? 0) + bytes)
    }
  }
  return Array.from(byBroker, ([brokerId, bytes]) => ({ brokerId, bytes }))
}

/**
 * `ownReason` while the broker starts or stops, and then what is missing until it is in sync, as a sentence; null where it is ready. One
 * that stands on its own copy serves what it can: nobody could take it into an in-sync set.
 */
function whyNotReady(ownReason: string | null, parts: StatusParts): string | null {
  const { cluster, inSync, failedDirectory } = parts
  if (failedDirectory !== undefined) return failedDirectory.message
  if (ownReason !== null || cluster === undefined || cluster.standsAlone !== null) return ownReason
  return inSync?.reason(cluster.image) ?? null
}

/** Followed from the moment that clients are served. */
export function followInSync(cluster: Cluster, brokerId: number): InSyncReadiness {
  const inSync = new InSyncReadiness(brokerId, () => cluster.registration.now)
  inSync.take(cluster.image)
  cluster.onImage(image => inSync.take(image))
  return inSync
}

type Counted = Pick<BrokerStatus, 'brokers' | 'leaderlessCount'>

const counts = new WeakMap<MetadataImage, Counted>()

/** Counted once for each image, of which there is a new one only where something changed. */
function countedIn(cluster: Cluster | undefined): Counted {
  if (cluster === undefined) return { brokers: [], leaderlessCount: 0 }
  const { image } = cluster
  const known = counts.get(image)
  if (known !== undefined) return known
  const brokers = restartRisks(image).map(risk => ({
    ...risk,
    behind: listed(risk.behind),
    underMin: listed(risk.underMin),
    offline: listed(risk.offline),
  }))
  const found = { brokers, leaderlessCount: leaderlessCount(image) }
  counts.set(image, found)
  return found
}

function leaderlessCount(image: MetadataImage): number {
  let count = 0
  for (const { partitions } of image.topics()) {
    for (const { leader } of partitions) if (leader < 0) count++
  }
  return count
}

function listed({ count, names }: RestartRisk['behind']): { count: number; names: string[] } {
  return { count, names: [...names] }
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
  const { brokers: _, ...own } = status
  return {
    ...own,
    listeners: more.listeners,
    groupCount: Array.from(more.insight.groups()).length,
    laggingGroups: lags
      .filter(({ lagRecords }) => lagRecords > 0)
      .toSorted((a, b) => b.lagRecords - a.lagRecords)
      .slice(0, laggingGroupsMax),
  }
}

/** What /v1/restart-risk tells (docs/http.md). */
function riskDocument({
  metadataSequence,
  controllerId,
  brokers,
}: BrokerStatus): Readonly<Record<string, unknown>> {
  return { metadataSequence, controllerId, brokers }
}

/** What HTTP tells. */
export function probesOf(broker: {
  readonly parts: () => StatusParts
  /** As of `StatusFacts`. */
  readonly notReadyReason: () => string | null
  readonly told: () => BrokerStatus
  readonly status: () => Readonly<Record<string, unknown>>
}): Probes {
  return {
    status: broker.status,
    restartRisk: () => riskDocument(broker.told()),
    health: () => {
      const { directory, failedDirectory = null } = broker.parts()
      const failure = directory?.failure ?? failedDirectory
      const detail = failure === null ? {} : { reason: failure.message }
      return { isHealthy: failure === null, detail }
    },
    readiness: () => {
      const parts = broker.parts()
      const reason = whyNotReady(broker.notReadyReason(), parts)
      const alone = parts.cluster?.standsAlone ?? null
      const detail = {
        ...(reason === null ? {} : { reason }),
        ...(alone === null ? {} : { standsAlone: alone.kind, standsAloneReason: alone.message }),
        ...parts.directory?.progress(),
      }
      return { isReady: reason === null, detail }
    },
  }
}
