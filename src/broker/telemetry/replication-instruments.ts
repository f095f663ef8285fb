import type { Registry } from 'prom-client'
import { counter, gauge, type Instrument } from './instruments.ts'
import type { FetcherNumbers, FollowerNumbers, MetricSources } from './sources.ts'
import type { Sample } from './tally.ts'

type Sources = () => Partial<MetricSources>

/** Metrics of what is copied between this broker and others: as follower by the leader, as leader by the follower. */
export function replicationInstruments(registry: Registry, sources: Sources): void {
  for (const row of fetcherCounters(sources)) counter(registry, row)
  for (const row of [...fetcherGauges(sources), ...followerGauges(sources)]) gauge(registry, row)
  counter(registry, {
    name: 'logcluster_replication_sent_bytes_total',
    help: 'Bytes of records sent to followers, by the follower.',
    labels: ['follower'],
    samples: byFollower(sources, ({ sentBytes }) => sentBytes),
  })
}

function fetcherCounters(sources: Sources): Instrument[] {
  return [
    {
      name: 'logcluster_replication_received_bytes_total',
      help: 'Bytes of records fetched from leaders, by the leader.',
      labels: ['leader'],
      samples: byLeader(sources, ({ bytes }) => bytes),
    },
    {
      name: 'logcluster_replication_fetches_total',
      help: 'Fetches sent to leaders, by the leader.',
      labels: ['leader'],
      samples: byLeader(sources, ({ requests }) => requests),
    },
    {
      name: 'logcluster_replication_failures_total',
      help: 'Fetches, or partitions of their answers, that failed: by the leader, and by the error of the protocol or of the connection.',
      labels: ['leader', 'error'],
      *samples() {
        for (const { broker, failures } of sources().replication?.().fetchers ?? []) {
          for (const [error, value] of failures) {
            yield { labels: { leader: String(broker), error }, value }
          }
        }
      },
    },
  ]
}

function fetcherGauges(sources: Sources): Instrument[] {
  return [
    {
      name: 'logcluster_replication_followed_partitions',
      help: 'Partitions that this broker follows, by the leader.',
      labels: ['leader'],
      samples: byLeader(sources, ({ partitions }) => partitions),
    },
    {
      name: 'logcluster_replication_behind_records',
      help: 'Records by which the partition that is furthest behind its leader is behind the high watermark, by the leader.',
      labels: ['leader'],
      samples: byLeader(sources, ({ behindRecords }) => behindRecords),
    },
    {
      name: 'logcluster_replication_behind_seconds',
      help: 'Time since which the partition that is longest behind is behind, or the leader does not answer, by the leader.',
      labels: ['leader'],
      samples: byLeader(sources, ({ behindSeconds }) => behindSeconds),
    },
  ]
}

function followerGauges(sources: Sources): Instrument[] {
  return [
    {
      name: 'logcluster_replication_lag_bytes',
      help: 'Bytes that the follower lacks of the partition of this leader of which it lacks most, by the follower.',
      labels: ['follower'],
      samples: byFollower(sources, ({ lagBytes }) => lagBytes),
    },
    {
      name: 'logcluster_replication_lag_seconds',
      help: 'Time since the follower last had all of the partition of this leader with which it is behind the longest, by the follower.',
      labels: ['follower'],
      samples: byFollower(sources, ({ lagSeconds }) => lagSeconds),
    },
  ]
}

function byLeader(sources: Sources, value: (row: FetcherNumbers) => number) {
  return function* (): Iterable<Sample> {
    for (const row of sources().replication?.().fetchers ?? []) {
      yield { labels: { leader: String(row.broker) }, value: value(row) }
    }
  }
}

function byFollower(sources: Sources, value: (row: FollowerNumbers) => number) {
  return function* (): Iterable<Sample> {
    for (const row of sources().replication?.().followers ?? []) {
      yield { labels: { follower: String(row.broker) }, value: value(row) }
    }
  }
}
