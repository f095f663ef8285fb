import type { Env } from '../env/env.ts'
import type { Configuration } from './config/settings.ts'
import type { LogDirectoryOptions } from './log/directory/log-directory.ts'
import type { openObjects, openStore } from './open-store.ts'
import type { Logger } from './telemetry/logger.ts'
import type { Metrics } from './telemetry/metrics.ts'

export interface BrokerOptions {
  readonly env: Env
  readonly configuration: Configuration
  readonly logger: Logger
  readonly metrics: Metrics
  /** Tells one life of the kernel from the next (/proc/sys/kernel/random/boot_id). */
  readonly bootId: string
  /** Absolute; what a relative `log.dirs` is relative to. */
  readonly workingDirectory: string
  /** Of the software. */
  readonly version: string
  /** The machine's name, for clients of listeners at every address. */
  readonly hostName: string
  /** How the Kubernetes API is reached, where the settings want it. Default: over HTTPS. */
  readonly openObjects?: typeof openObjects
  /** The place of the metadata log. Default: the one that the settings name. */
  readonly openStore?: typeof openStore
  /** Where logs are compacted. Default: in a thread. */
  readonly compactionLane?: LogDirectoryOptions['compactionLane']
  /** Nothing may go on: a broken invariant, or a data directory that failed for good. */
  readonly fatal: (error: unknown) => void
}
