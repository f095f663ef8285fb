import type { Clock } from '../env/env.ts'
import type { Partition } from './partition/partition.ts'
import type { Logger } from './telemetry/logger.ts'

/** Removes what may go from the beginning of each log; one that fails holds up no other. */
export async function applyRetention(
  partitions: Iterable<Partition>,
  clock: Clock,
  logger: Logger,
): Promise<void> {
  const runs = Array.from(partitions, async each => {
    try {
      await each.applyRetention(clock.now())
    } catch (error) {
      const { topic, partition } = each.id
      logger.error({ topic, partition, reason: String(error) }, 'Retention failed')
    }
  })
  await Promise.all(runs)
}
