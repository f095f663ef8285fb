import type { Registry } from 'prom-client'
import { counter, gauge } from './instruments.ts'
import type { FetchSessionNumbers, MetricSources } from './sources.ts'
import type { Sample } from './tally.ts'

/** Metrics of the sessions of fetches: Kafka's `FetchSessionCache`. */
export function fetchSessionInstruments(
  registry: Registry,
  sources: () => Partial<MetricSources>,
): void {
  const of = (value: (numbers: FetchSessionNumbers) => number) => (): Sample[] => {
    const numbers = sources().fetchSessions?.()
    return numbers === undefined ? [] : [{ value: value(numbers) }]
  }
  gauge(registry, {
    name: 'logcluster_fetch_sessions',
    help: 'Sessions of fetches that are remembered.',
    samples: of(({ size }) => size),
  })
  gauge(registry, {
    name: 'logcluster_fetch_session_partitions',
    help: 'Partitions of all sessions of fetches together.',
    samples: of(({ partitionCount }) => partitionCount),
  })
  counter(registry, {
    name: 'logcluster_fetch_session_evictions_total',
    help: 'Sessions of fetches that ended because others needed their slots.',
    samples: of(({ evictionCount }) => evictionCount),
  })
}
