import type { Env } from '../env/env.ts'
import type { Uuid } from '../lib/uuid.ts'
import type { Cluster } from './cluster/cluster.ts'
import type { LiveConfiguration } from './config/live-configuration.ts'
import type { TopicConfig } from './config/topic-config.ts'
import type { Failure } from './fetcher/fetcher.ts'
import { Fetchers } from './fetcher/fetchers.ts'
import { FollowingRoom } from './fetcher/following-room.ts'
import { FollowerTraffic } from './handlers/fetch/follower-traffic.ts'
import { spaceOf } from './log/directory/numbers.ts'
import type { Partitions } from './partition/partitions.ts'
import { replicationNumbers } from './replication-numbers.ts'
import { LineLimit } from './telemetry/line-limit.ts'
import type { Logger } from './telemetry/logger.ts'
import type { Metrics } from './telemetry/metrics.ts'
import { type ReplicaName, ReplicationThrottle } from './throttle/replication-throttle.ts'

interface ReplicationParts {
  readonly env: Pick<Env, 'clock' | 'disk' | 'random'>
  readonly logger: Logger
  readonly metrics: Metrics
  readonly configuration: LiveConfiguration
  readonly cluster: Pick<Cluster, 'image' | 'onImage' | 'registration' | 'connectTo'>
  readonly partitions: Partitions
}

export interface Replication {
  /** What fetches for the partitions that follow other brokers. */
  readonly fetchers: Fetchers
  /** What other brokers fetch of those that this one leads. */
  readonly followerTraffic: FollowerTraffic
}

/** Both sides of what is copied between this broker and others, by the settings of now. */
export function makeReplication(parts: ReplicationParts): Replication {
  const { env, metrics, partitions } = parts
  const fetchers = makeFetchers(parts)
  const followerTraffic = new FollowerTraffic(env.clock, leaderThrottle(parts))
  metrics.attach({
    replication: () => replicationNumbers({ fetchers, followerTraffic, partitions }),
  })
  return { fetchers, followerTraffic }
}

function makeFetchers(parts: ReplicationParts): Fetchers {
  const { env, configuration, cluster, partitions } = parts
  const { settings } = configuration
  const lines = failureLines(parts)
  const fetchers = new Fetchers({
    clock: env.clock,
    random: env.random,
    replicaId: settings.nodeId,
    brokerEpoch: () => cluster.registration.now,
    sizes: () => ({
      waitMsMax: settings.replicaFetchWaitMaxMs,
      bytesMin: settings.replicaFetchMinBytes,
      partitionBytesMax: settings.replicaFetchMaxBytes,
      answerBytesMax: settings.replicaFetchResponseMaxBytes,
      backoffMs: settings.replicaFetchBackoffMs,
    }),
    throttle: followerThrottle(parts),
    room: new FollowingRoom({
      space: () => spaceOf(env.disk, settings.logDirs),
      isInternal: topicId => cluster.image.topicById(topicId)?.isInternal ?? false,
    }),
    connectTo: brokerId => cluster.connectTo(brokerId),
    answerTimeoutMs: () => settings.replicaSocketTimeoutMs,
    onFailure: failure => lines.tell(failure),
    onStop: () => lines.stop(),
    fetchersPerLeader: () => settings.numReplicaFetchers,
    epochOf: brokerId => cluster.image.brokers.get(brokerId)?.epoch,
  })
  partitions.onFollowing(partition => fetchers.changed(partition))
  for (const partition of partitions.all()) fetchers.changed(partition)
  cluster.onImage(() => {
    fetchers.brokersChanged()
    fetchers.reconfigure()
  })
  return fetchers
}

type ThrottleParts = Pick<ReplicationParts, 'configuration'> & {
  readonly cluster: Pick<Cluster, 'image'>
}

/** How fast this broker's followers may catch up. */
function leaderThrottle(parts: ThrottleParts): ReplicationThrottle {
  const { settings } = parts.configuration
  return throttle(parts, {
    rateMax: () => settings.leaderReplicationThrottledRate,
    listIn: configs => configs.leaderReplicationThrottledReplicas,
    // To whom it gives is not told apart: who is in sync is not held back anyway.
    isBrought: adding => adding.length > 0,
  })
}

/** How fast this broker may catch up. */
function followerThrottle(parts: ThrottleParts): ReplicationThrottle {
  const { settings } = parts.configuration
  return throttle(parts, {
    rateMax: () => settings.followerReplicationThrottledRate,
    listIn: configs => configs.followerReplicationThrottledReplicas,
    isBrought: adding => adding.includes(settings.nodeId),
  })
}

interface Side {
  rateMax(): number
  listIn(configs: TopicConfig): string
  /** Whether what this side copies of a partition is for the replicas that its reassignment brings. */
  isBrought(adding: readonly number[]): boolean
}

function throttle({ configuration, cluster }: ThrottleParts, side: Side): ReplicationThrottle {
  const { nodeId, replicationQuotaWindowNum, replicationQuotaWindowSizeSeconds } =
    configuration.settings
  const listOf = (topicId: Uuid): string => {
    const topic = cluster.image.topicById(topicId)
    return topic === undefined ? '' : side.listIn(configuration.topicConfig(topic.configs))
  }
  const isBrought = ({ topicId, partition }: ReplicaName): boolean => {
    if (!configuration.settings.replicationThrottledReassignmentsEnable) return false
    const topic = cluster.image.topicById(topicId)
    return side.isBrought(topic?.partitions[partition]?.addingReplicas ?? [])
  }
  return new ReplicationThrottle({
    brokerId: nodeId,
    rateMax: () => side.rateMax(),
    listOf,
    isBrought,
    windowMs: replicationQuotaWindowSizeSeconds * 1000,
    windowsMax: replicationQuotaWindowNum,
  })
}

interface FailureLines {
  tell(failure: Failure): void
  stop(): void
}

/** A leader that is away makes as many failures as there are attempts: a line for the first few of each kind. */
function failureLines({ env, logger }: Pick<ReplicationParts, 'env' | 'logger'>): FailureLines {
  const warn = (failure: Failure, leftOut = 0): void => {
    const { leader, why, message, followed } = failure
    const { topic, partition } = followed?.partition.id ?? {}
    const of = followed === null ? {} : { topic, partition }
    const rest = leftOut === 0 ? {} : { leftOut }
    logger.warn({ leader, ...of, error: why, reason: message, ...rest }, 'Could not fetch')
  }
  const limit = new LineLimit<Failure>(env.clock, warn, { linesMax: 3, periodMs: 30_000 })
  return {
    tell: failure => {
      if (limit.admits(`${failure.leader} ${failure.why}`, failure)) warn(failure)
    },
    stop: () => limit.stop(),
  }
}
