import type { Registry } from 'prom-client'
import type { CommittedPartition } from '../insight/numbers.ts'
import { gauge, type Instrument } from './instruments.ts'
import type { SeriesBound } from './series-bound.ts'
import type { LogNumbers, MetricSources } from './sources.ts'
import type { Sample } from './tally.ts'

type Sources = () => Partial<MetricSources>

/**
 * The names, labels and values of kafka_exporter (github.com/danielqsj/kafka_exporter, showing all groups as it does
 * by default), so that dashboards and alerts made for it work unchanged: each series is told by one broker of a cluster, as
 * by the one exporter there. Unlike there a sum leaves out the -1 of what was never committed.
 */
export function kafkaExporterInstruments(
  registry: Registry,
  sources: Sources,
  bound: SeriesBound,
): void {
  for (const row of [...brokerGauges(sources), ...partitionGauges(sources)]) gauge(registry, row)
  for (const row of groupGauges(sources)) {
    gauge(registry, { ...row, samples: () => bound.bounded(row.name, row.samples()) })
  }
}

function brokerGauges(sources: Sources): Instrument[] {
  return [
    {
      name: 'kafka_brokers',
      help: 'Brokers of the cluster.',
      samples: () => {
        const state = sources().cluster?.().state ?? null
        return state === null ? [] : [{ value: state.brokers.length }]
      },
    },
    {
      name: 'kafka_broker_info',
      help: 'A broker of the cluster, and where clients reach it; always 1.',
      labels: ['id', 'address'],
      *samples() {
        for (const { id, address } of sources().brokers?.() ?? []) {
          yield { labels: { id: String(id), address }, value: 1 }
        }
      },
    },
  ]
}

function partitionGauges(sources: Sources): Instrument[] {
  const of = (name: string, help: string, value: (log: LogNumbers) => number): Instrument => ({
    name: `kafka_topic_partition_${name}`,
    help,
    labels: ['topic', 'partition'],
    *samples() {
      for (const log of sources().logs?.() ?? []) {
        if (!log.isTold) continue
        yield { labels: { topic: log.topic, partition: String(log.partition) }, value: value(log) }
      }
    },
  })
  return [
    {
      name: 'kafka_topic_partitions',
      help: 'Partitions of a topic.',
      labels: ['topic'],
      *samples() {
        for (const [topic, value] of sources().cluster?.().state?.partitionCounts ?? []) {
          yield { labels: { topic }, value }
        }
      },
    },
    of('current_offset', 'Offset behind the last record for consumers.', log => log.highWatermark),
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
  /** null: nobody told. */
  type Value = (row: CommittedPartition) => number | null
  const byPartition = (name: string, help: string, value: Value) => ({
    name: `kafka_consumergroup_${name}`,
    help,
    labels: ['consumergroup', 'topic', 'partition'],
    *samples(): IterableIterator<Sample> {
      for (const { group, topic, partitions } of sources().committed?.() ?? []) {
        for (const row of partitions) {
          const told = value(row)
          if (told === null) continue
          const labels = { consumergroup: group, topic, partition: String(row.partition) }
          yield { labels, value: told }
        }
      }
    },
  })
  const byTopic = (name: string, help: string, value: Value) => ({
    name: `kafka_consumergroup_${name}`,
    help,
    labels: ['consumergroup', 'topic'],
    *samples(): IterableIterator<Sample> {
      for (const { group, topic, partitions } of sources().committed?.() ?? []) {
        const told = partitions.map(value)
        // A part is no sum.
        if (told.includes(null)) continue
        const sum = told.reduce<number>((total, each) => total + Math.max(0, each ?? 0), 0)
        yield { labels: { consumergroup: group, topic }, value: sum }
      }
    },
  })
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
    byPartition('current_offset', 'Committed offset of a consumer group.', row => row.offset),
    byTopic('current_offset_sum', 'Committed offsets of all partitions.', row => row.offset),
    byPartition('lag', 'Records that a consumer group has not committed.', row => row.records),
    byTopic('lag_sum', 'Records of all partitions, not committed.', row => row.records),
  ]
}
