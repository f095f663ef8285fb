import type { Registry } from 'prom-client'
import { gauge } from './instruments.ts'
import type { LagNumbers, MetricSources } from './sources.ts'
import type { Sample } from './tally.ts'

type Sources = () => Partial<MetricSources>

/** How many series each metric had to leave out at the last scrape. */
type LeftOut = Map<string, number>

/** Consumer groups and how far behind they are, with a bound on the number of series. */
export function groupInstruments(registry: Registry, sources: Sources): void {
  const leftOut: LeftOut = new Map()
  gauge(registry, {
    name: 'logcluster_consumer_group_members',
    help: 'Members of a consumer group, and the state it is in.',
    labels: ['group', 'state'],
    *samples() {
      for (const { group, state, memberCount } of sources().groups?.() ?? []) {
        yield { labels: { group, state }, value: memberCount }
      }
    },
  })
  for (const { name, help, value } of lagMetrics) {
    gauge(registry, {
      name,
      help,
      labels: ['group', 'topic', 'partition', 'position', 'client_id'],
      samples: () => bounded(name, lagSamples(sources, value), { sources, leftOut }),
    })
  }
  gauge(registry, {
    name: 'logcluster_metrics_left_out_series',
    help: 'Series that metrics.group.series.max kept out of the last scrape.',
    labels: ['metric'],
    *samples() {
      for (const [metric, value] of leftOut) yield { labels: { metric }, value }
    },
  })
}

const lagMetrics: readonly {
  readonly name: string
  readonly help: string
  readonly value: (lag: LagNumbers) => number | null
}[] = [
  {
    name: 'logcluster_consumer_lag_records',
    help: 'Records between a position and the end of its partition. Positions are committed, or where a connected consumer fetches.',
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

interface Bound {
  readonly sources: Sources
  readonly leftOut: LeftOut
}

/** As many samples as are allowed; the rest is counted, so that a gap does not look like an answer. */
function* bounded(
  name: string,
  samples: Iterable<Sample>,
  { sources, leftOut }: Bound,
): IterableIterator<Sample> {
  const most = sources().groupSeriesMax?.() ?? Infinity
  let count = 0
  for (const sample of samples) if (++count <= most) yield sample
  leftOut.set(name, Math.max(0, count - most))
}
