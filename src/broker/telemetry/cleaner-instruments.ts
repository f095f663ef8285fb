import type { Registry } from 'prom-client'
import { counter, gauge, type Instrument } from './instruments.ts'
import type { CleanerNumbers, MetricSources } from './sources.ts'

/** Metrics of compaction, as Kafka has them of its LogCleaner and LogCleanerManager. */
export function cleanerInstruments(
  registry: Registry,
  sources: () => Partial<MetricSources>,
): void {
  const row = (
    name: string,
    help: string,
    value: (cleaner: CleanerNumbers) => number,
  ): Instrument => ({
    name: `logcluster_cleaner_${name}`,
    help,
    samples() {
      const cleaner = sources().cleaner?.()
      return cleaner === undefined ? [] : [{ value: value(cleaner) }]
    },
  })
  const counters = [
    row('runs_total', 'Times that a log was compacted.', it => it.runs),
    row('read_bytes_total', 'Bytes of segments that compaction read.', it => it.readBytes),
    row('written_bytes_total', 'Bytes of segments that compaction wrote.', it => it.writtenBytes),
    row(
      'thread_failures_total',
      'Times that the thread of compaction ended before its work did.',
      it => it.threadFailures,
    ),
  ]
  const gauges = [
    row('last_run_seconds', 'How long the last compaction of a log took.', it => it.lastRunSeconds),
    row(
      'key_map_ratio',
      'Share of the memory for keys that the last compaction filled.',
      it => it.keyMapUtilization,
    ),
    row(
      'max_dirty_ratio',
      'Share of bytes that compaction may take on and did not yet, of the log with the greatest.',
      it => it.maxDirtyRatio,
    ),
    row(
      'uncleanable_partitions',
      'Logs that cannot be compacted and were set aside; the log of the broker says why.',
      it => it.uncleanablePartitions,
    ),
    row(
      'uncleanable_bytes',
      'Bytes that compaction would have taken on of logs that were set aside.',
      it => it.uncleanableBytes,
    ),
  ]
  for (const each of counters) counter(registry, each)
  for (const each of gauges) gauge(registry, each)
}
