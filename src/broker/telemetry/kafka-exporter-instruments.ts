import type { Registry } from 'prom-client'
import { gauge, type Instrument } from './instruments.ts'
import type { LagNumbers, LogNumbers, MetricSources } from './sources.ts'
import type { Sample } from './tally.ts'

type Sources = () => Partial<MetricSources>

/**
 * The names and labels of kafka_exporter, so that dashboards and alerts made for it work unchanged. What they mean
 * is the same as there: lag is by committed offsets, in records.
 */
export function kafkaExporterInstruments(registry: Registry, sources: Sources): void {
  for (const row of [...partitionGauges(sources), ...groupGauges(sources)]) gauge(registry, row)
}

function partitionGauges(sources: Sources): Instrument[] {
  const logs = (): Iterable<LogNumbers> => sources().logs?.() ?? []
  const of = (name: string, help: string, value: (log: LogNumbers) => number): Instrument => ({
    name: `kafka_topic_partition_${name}`,
    help,
    labels: ['topic', 'partition'],
    *samples() {
      for (const log of logs()) {
        yield { labels: { topic: log.topic, partition: String(log.partition) }, value: value(log) }
      }
    },
  })
  return [
    {
      name: 'kafka_brokers',
      help: 'Brokers of the cluster.',
      samples: () => [{ value: new Set([...logs()].flatMap(log => log.replicas)).size || 1 }],
    },
    {
      name: 'kafka_topic_partitions',
      help: 'Partitions of a topic.',
      labels: ['topic'],
      samples: () =>
        summed(
          [...logs()],
          log => ({ topic: log.topic }),
          () => 1,
        ),
    },
    of('current_offset', 'Offset that the next record gets.', log => log.endOffset),
    of('oldest_offset', 'First offset that is still there.', log => log.startOffset),
    of('leader', 'Number of the leader, -1 for none.', log => log.leader),
    of('replicas', 'Replicas.', log => log.replicas.length),
    of('in_sync_replica', 'Replicas that are in sync.', log => log.isr.length),
    of('leader_is_preferred', '1 where the first replica leads.', log =>
      Number(log.leader === log.replicas[0]),
    ),
    of('under_replicated_partition', '1 where a replica is not in sync.', log =>
      Number(log.isr.length < log.replicas.length),
    ),
  ]
}

function groupGauges(sources: Sources): Instrument[] {
  const committed = (): LagNumbers[] =>
    [...(sources().lags?.() ?? [])]
      .filter(lag => lag.position === 'committed')
      .slice(0, sources().groupSeriesMax?.() ?? Infinity)
  const byPartition = (lag: LagNumbers) => ({
    consumergroup: lag.group,
    topic: lag.topic,
    partition: String(lag.partition),
  })
  const byTopic = ({ group, topic }: LagNumbers) => ({ consumergroup: group, topic })
  return [
    {
      name: 'kafka_consumergroup_members',
      help: 'Members of a consumer group.',
      labels: ['consumergroup'],
      *samples() {
        for (const { group, memberCount } of sources().groups?.() ?? []) {
          yield { labels: { consumergroup: group }, value: memberCount }
        }
      },
    },
    {
      name: 'kafka_consumergroup_current_offset',
      help: 'Committed offset of a consumer group.',
      labels: ['consumergroup', 'topic', 'partition'],
      samples: () => summed(committed(), byPartition, lag => lag.offset),
    },
    {
      name: 'kafka_consumergroup_current_offset_sum',
      help: 'Committed offsets of a consumer group, of all partitions of a topic.',
      labels: ['consumergroup', 'topic'],
      samples: () => summed(committed(), byTopic, lag => lag.offset),
    },
    {
      name: 'kafka_consumergroup_lag',
      help: 'Records that a consumer group has not committed.',
      labels: ['consumergroup', 'topic', 'partition'],
      samples: () => summed(committed(), byPartition, lag => lag.records),
    },
    {
      name: 'kafka_consumergroup_lag_sum',
      help: 'Records that a consumer group has not committed, of all partitions of a topic.',
      labels: ['consumergroup', 'topic'],
      samples: () => summed(committed(), byTopic, lag => lag.records),
    },
  ]
}

/** One sample for each set of labels, with the sum of its items. */
function summed<T>(
  items: readonly T[],
  labelsOf: (item: T) => Readonly<Record<string, string>>,
  valueOf: (item: T) => number,
): Sample[] {
  const sums = new Map<string, { labels: Readonly<Record<string, string>>; value: number }>()
  for (const item of items) {
    const labels = labelsOf(item)
    const key = Object.values(labels).join('\u0000')
    const known = sums.get(key)
    if (known === undefined) sums.set(key, { labels, value: valueOf(item) })
    else known.value += valueOf(item)
  }
  return [...sums.values()]
}
