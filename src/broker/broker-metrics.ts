import type { StatusParts } from './broker-status.ts'
import type { BegunCluster } from './cluster/options.ts'
import { ClusterCounts } from './cluster-numbers.ts'
import { isFailedDirectory } from './log/directory/error.ts'
import type { LogDirectory } from './log/directory/log-directory.ts'
import type { Partitions } from './partition/partitions.ts'
import type { PartitionRole } from './partition/replica/role.ts'
import { endpointFor, type ListenerAddress } from './config/listeners.ts'
import { inSyncNumbers } from './in-sync-numbers.ts'
import type { BoundListener } from './server/server.ts'
import type { BrokerNumbers, LogNumbers } from './telemetry/sources.ts'
import type { Metrics } from './telemetry/metrics.ts'

/** The numbers of the cluster, as this broker knows it and decides over it: from its beginning, because a controller decides long before its logs are recovered. */
export function attachCluster(metrics: Metrics, cluster: BegunCluster): void {
  const counts = new ClusterCounts(cluster)
  metrics.attach({
    isMetadataWaiting: () => cluster.isWaiting,
    isMetadataQuarantined: () => cluster.standsAlone?.kind === 'quarantine',
    cluster: () => counts.numbers,
  })
}

/** The numbers of the data directory and of every log in it. */
export function attachLogs(
  metrics: Metrics,
  directory: LogDirectory,
  partitions: Partitions,
): void {
  metrics.attach({
    storage: () => directory.numbers(),
    hasStorageFailed: () => directory.failure !== null,
    space: () => directory.space,
    cleaner: () => directory.cleanerNumbers(),
    start: () => ({ class: directory.startClass, reason: directory.startReason }),
    appends: () => partitions.appended(),
    inSync: () => inSyncNumbers(partitions),
    offlinePartitions: () => Array.from(partitions.offline()).length,
    logs: () => logNumbers(partitions),
  })
}

/** What a start tells that was refused, to whoever asks before the process ends: that the disk failed. */
export function attachRefusal(
  metrics: Metrics,
  error: unknown,
): Pick<StatusParts, 'failedDirectory'> {
  if (!isFailedDirectory(error)) return {}
  metrics.attach({ hasStorageFailed: () => true })
  return { failedDirectory: error }
}

/** With the epochs, by which what two brokers say can be compared. Field by field: a copy of the whole role costs ten times as much. */
function* logNumbers(
  partitions: Partitions,
): Iterable<LogNumbers & Pick<PartitionRole, 'leaderEpoch' | 'partitionEpoch'>> {
  const { brokerId } = partitions
  for (const { id, extent, role } of partitions.all()) {
    if (extent === null || role === null) continue
    const { startOffset, highWatermark, endOffset, sizeBytes } = extent
    const { leader, leaderEpoch, partitionEpoch, replicas, isr } = role
    yield {
      topic: id.topic,
      partition: id.partition,
      startOffset,
      highWatermark,
      endOffset,
      sizeBytes,
      leader,
      leaderEpoch,
      partitionEpoch,
      replicas,
      isr,
      isTold: tellerOf(role) === brokerId,
    }
  }
}

/** Who tells what clients see of a partition: its leader; where nobody leads, the first replica that lives, so that one does. */
function tellerOf({ leader, replicas, brokers }: PartitionRole): number {
  if (leader >= 0) return leader
  return replicas.find(id => brokers.get(id)?.isEligible === true) ?? replicas[0]!
}

/** As metrics tell the broker: where a client finds it that came to the first listener. */
export function ownNumbers(
  id: number,
  listeners: readonly ListenerAddress[],
  bound: { readonly listeners: readonly BoundListener[] },
): BrokerNumbers {
  const [configured, at] = [listeners[0], bound.listeners[0]]
  if (configured === undefined || at === undefined) return { id, address: '' }
  const { host, port } = endpointFor(configured, at)
  return { id, address: `${host}:${port}` }
}
