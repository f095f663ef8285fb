import type { StandAlone } from './cluster/cluster.ts'
import type { Logger } from './telemetry/logger.ts'

/** One line when a broker begins to serve from its own copy of the metadata, with the reason, and one when it does no longer. */
export function tellStandAlone(logger: Logger, reason: StandAlone | null): void {
  if (reason === null) {
    return logger.info(
      {},
      'The metadata store holds what this broker followed: changes are possible',
    )
  }
  const message =
    reason.kind === 'quarantine'
      ? 'Quarantine: serves from its own copy of the metadata, and nothing can be changed'
      : 'Serves from its own copy of the metadata, until the store is back nothing can be changed'
  logger.warn({ reason: reason.message }, message)
}
