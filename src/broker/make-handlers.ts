import { posix } from 'node:path'
import type { Env } from '../env/env.ts'
import type { Cluster } from './cluster/cluster.ts'
import type { ColdReads } from './cold-lane/cold-reads.ts'
import type { ListenerAddress } from './config/listeners.ts'
import type { LiveConfiguration } from './config/live-configuration.ts'
import type { Coordinator } from './coordinator/coordinator.ts'
import { Endpoints } from './handlers/endpoints.ts'
import type { FollowerTraffic } from './handlers/fetch/follower-traffic.ts'
import { FetchSessionCache, sessionPartitionsMax } from './handlers/fetch/sessions/session-cache.ts'
import type { HandlerTable } from './handlers/handler.ts'
import { handlerTable } from './handlers/index.ts'
import type { Readers } from './insight/readers.ts'
import type { LogDirectory } from './log/directory/log-directory.ts'
import type { Partitions } from './partition/partitions.ts'
import type { Metrics } from './telemetry/metrics.ts'

interface HandlerParts {
  readonly env: Env
  readonly metrics: Metrics
  readonly workingDirectory: string
  readonly configuration: LiveConfiguration
  readonly listeners: readonly ListenerAddress[]
  readonly cluster: Cluster
  readonly partitions: Partitions
  readonly coordinator: Coordinator
  readonly readers: Readers
  readonly coldReads: ColdReads
  readonly followerTraffic: FollowerTraffic
  /** What lies on the disk; undefined once the broker stops. */
  directory(): LogDirectory | undefined
}

/** The router of the APIs that clients are served, and what all requests share: endpoints, sessions of fetches. */
export function makeHandlers(parts: HandlerParts): HandlerTable {
  const { env, metrics, workingDirectory, configuration, listeners, cluster } = parts
  const { settings } = configuration
  const endpoints = new Endpoints({
    brokerId: settings.nodeId,
    listeners,
    tellsLoopback: settings.advertisedListenersLoopbackEnable,
    image: () => cluster.image,
  })
  const slots = settings.maxIncrementalFetchSessionCacheSlots
  const limits = { slots, partitionsMax: sessionPartitionsMax }
  const fetchSessions = new FetchSessionCache({ ...limits, random: env.random })
  metrics.attach({ fetchSessions: () => fetchSessions })
  return handlerTable({
    ...parts,
    endpoints,
    fetchSessions,
    logDir: posix.resolve(workingDirectory, settings.logDirs),
    space: () => (parts.directory()?.failure === null ? env.disk.space(settings.logDirs) : null),
  })
}
