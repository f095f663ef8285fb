import { Coordinator, type CoordinatorOptions } from './coordinator/coordinator.ts'
import type { Settings } from './config/settings.ts'
import type { Logger } from './telemetry/logger.ts'

interface Given extends Pick<CoordinatorOptions, 'env' | 'cluster' | 'partitions' | 'codecs'> {
  readonly settings: Settings
  readonly logger: Logger
}

/** A heartbeat less than a broker's session: the controller counts from when it heard this one, which is before its answer came. */
const silenceMsMax = 5_000

/** The coordinator with the settings of groups. */
export function makeCoordinator(given: Given): Coordinator {
  const { env, cluster, partitions, codecs, settings, logger } = given
  return new Coordinator({
    env,
    cluster,
    partitions,
    codecs,
    groups: {
      initialRebalanceDelayMs: settings.groupInitialRebalanceDelayMs,
      sessionTimeoutMsMin: settings.groupMinSessionTimeoutMs,
      sessionTimeoutMsMax: settings.groupMaxSessionTimeoutMs,
      groupSizeMax: settings.groupMaxSize,
      offsetsRetentionMs: settings.offsetsRetentionMinutes * 60_000,
    },
    commitTimeoutMs: settings.offsetsCommitTimeoutMs,
    silenceMsMax,
    expiryCheckIntervalMs: settings.offsetsRetentionCheckIntervalMs,
    info: (message, fields) => logger.info(fields, message),
    warn: (message, fields) => logger.warn(fields, message),
  })
}
