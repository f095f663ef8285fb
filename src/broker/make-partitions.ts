import type { Env } from '../env/env.ts'
import type { OpenedCluster } from './cluster/peer-service.ts'
import type { LiveConfiguration } from './config/live-configuration.ts'
import type { LogDirectory } from './log/directory/log-directory.ts'
import { Partitions } from './partition/partitions.ts'
import type { Logger } from './telemetry/logger.ts'

interface PartitionParts {
  readonly env: Pick<Env, 'clock'>
  readonly logger: Logger
  readonly configuration: LiveConfiguration
  readonly directory: LogDirectory
  readonly cluster: OpenedCluster
}

const setAside = {
  'moved-away':
    'Set logs aside whose replicas other brokers hold now: they take space until somebody removes their *.stray directories',
  unclaimed: 'Set logs aside that no topic claims',
} as const

/** The partitions over a directory, by the settings of now, and what becomes of them as lines of the log. */
export function makePartitions(parts: PartitionParts): Partitions {
  const { env, logger, configuration, directory, cluster } = parts
  const { settings } = configuration
  return new Partitions({
    brokerId: settings.nodeId,
    directory,
    clock: env.clock,
    neighbours: {
      lagTimeMaxMs: settings.replicaLagTimeMaxMs,
      alterPort: cluster,
      controllerHeardMs: () => cluster.controllerHeardMs,
      onCommittedCut: ({ id }, { offset, highWatermark }) => {
        const { topic, partition } = id
        const fields = { topic, partition, offset, records: highWatermark - offset }
        logger.error(fields, 'Cut committed records: a leader was elected that did not have them')
      },
    },
    ownEpoch: () => cluster.registration.now,
    openingMax: settings.numRecoveryThreadsPerDataDir,
    logConfig: topic => configuration.topicConfig(topic.configs),
    onFailure: (id, error) => {
      const reason = error instanceof Error ? error.message : error
      logger.error({ topic: id.topic, partition: id.partition, reason }, 'Could not open a log')
    },
    onAnew: ({ topic, partition }) => {
      const message = 'A log that was damaged or missing begins anew: its leader has what counts'
      logger.warn({ topic, partition }, message)
    },
    onStrays: (ids, why) => logger.warn({ logs: ids }, setAside[why]),
    onRecovery: ({ topic, partition }) => {
      logger.info({ topic, partition }, 'Opened a log that could not be opened before')
    },
  })
}
