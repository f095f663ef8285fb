import type { Registry } from 'prom-client'
import type { LagNumbers } from '../insight/numbers.ts'
import { gauge } from './instruments.ts'
import type { SeriesBound } from './series-bound.ts'
import type { MetricSources } from './sources.ts'
import type { Sample } from './tally.ts'

type Sources = () => Partial<MetricSources>

/** Consumer groups and how far behind they are. */
export function groupInstruments(registry: Registry, sources: Sources, bound: SeriesBound): void {
  const members = 'logcluster_consumer_group_members'
  gauge(registry, {
    name: members,
    help: 'Members of a consumer group, and the state it is in.',
    labels: ['group', 'state'],
    samples: () => bound.bounded(members, memberSamples(sources)),
  })
  for (const { name, help, value } of lagMetrics) {
    gauge(registry, {
      name,
      help,
      labels: ['group', 'topic', 'partition', 'position', 'client_id'],
      samples: () => bound.bounded(name, lagSamples(sources, value)),
    })
  }
}

const lagMetrics: readonly {
  readonly name: string
  readonly help: string
  readonly value: (lag: LagNumbers) => number | null
}[] = [
  {
    name: 'logcluster_consumer_lag_records',
    help: 'Records between a position and the end of its partition. Positions are committed, told by the coordinator of the group wherever the partition is led; or where a connected consumer fetches, told by the leader until five to six minutes after it last asked.',
    value: lag => lag.records,
  },
  {
    name: 'logcluster_consumer_lag_bytes',
    help: 'Bytes between a position and the end of its partition, estimated from the indexes in memory.',
    value: lag => lag.bytes,
  },
  {
    name: 'logcluster_consumer_lag_seconds',
    help: 'Age of the oldest record behind a position, by its own timestamp; 0 without lag, absent without timestamps.',
    value: lag => lag.seconds,
  },
]

function* memberSamples(sources: Sources): IterableIterator<Sample> {
  for (const { group, state, memberCount } of sources().groups?.() ?? []) {
    yield { labels: { group, state }, value: memberCount }
  }
}

function* lagSamples(
  sources: Sources,
  value: (lag: LagNumbers) => number | null,
): IterableIterator<Sample> {
  for (const lag of sources().lags?.() ?? []) {
    const read = value(lag)
    if (read === null) continue
    const { group, topic, partition, position, clientId } = lag
    const labels = { group, topic, partition: String(partition), position, client_id: clientId }
    yield { labels, value: read }
  }
}
