import { ageScenarios } from './age-scenarios.ts'
import { keyScenarios } from './key-scenarios.ts'
import { producerScenarios } from './producer-scenarios.ts'
import type { CleaningScenario } from './scenario.ts'
import { tombstoneScenarios } from './tombstone-scenarios.ts'

/** How both brokers are started for it. */
export const cleanerSettings: Readonly<Record<string, string>> = {
  'log.cleaner.backoff.ms': '50',
  'log.cleaner.threads': '1',
  // The least that Kafka takes: 39,321 keys at a load of 0.9.
  'log.cleaner.dedupe.buffer.size': '1048577',
  'log.cleaner.io.buffer.size': '65536',
  'log.retention.check.interval.ms': '500',
  'offsets.topic.num.partitions': '1',
  // Kafka forgets producers by the times of their records, and these are days old.
  'producer.id.expiration.ms': String(20 * 86_400_000),
}

export const cleaningScenarios: readonly CleaningScenario[] = [
  ...keyScenarios,
  ...tombstoneScenarios,
  ...ageScenarios,
  ...producerScenarios,
]
