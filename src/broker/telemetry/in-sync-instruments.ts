import type { Registry } from 'prom-client'
import { counter, gauge, type Instrument } from './instruments.ts'
import type { InSyncNumbers, MetricSources } from './sources.ts'
import type { Sample } from './tally.ts'

type Sources = () => Partial<MetricSources>

/** Metrics of in-sync sets, each told by the broker that leads; those without a leader by all that hold a replica. */
export function inSyncInstruments(registry: Registry, sources: Sources): void {
  for (const row of gauges(sources)) gauge(registry, row)
  for (const row of counters(sources)) counter(registry, row)
}

function gauges(sources: Sources): Instrument[] {
  const of = ofInSync(sources)
  return [
    {
      name: 'logcluster_led_partitions',
      help: 'Partitions that this broker leads.',
      samples: of(({ led }) => led),
    },
    {
      name: 'logcluster_under_replicated_partitions',
      help: 'Partitions that this broker leads and of which a replica is not in sync; one that a reassignment only brings is not waited for.',
      samples: of(({ underReplicated }) => underReplicated),
    },
    {
      name: 'logcluster_under_min_isr_partitions',
      help: 'Partitions that this broker leads and of which fewer than min.insync.replicas are in sync: nothing is committed.',
      samples: of(({ underMinIsr }) => underMinIsr),
    },
    {
      name: 'logcluster_leaderless_partitions',
      help: 'Partitions of which this broker has a replica and that nobody leads.',
      samples: of(({ leaderless }) => leaderless),
    },
  ]
}

function counters(sources: Sources): Instrument[] {
  const of = ofInSync(sources)
  return [
    {
      name: 'logcluster_isr_expands_total',
      help: 'Times that a replica joined the in-sync set of a partition that this broker led.',
      samples: of(({ expands }) => expands),
    },
    {
      name: 'logcluster_isr_shrinks_total',
      help: 'Times that a replica left the in-sync set of a partition that this broker led.',
      samples: of(({ shrinks }) => shrinks),
    },
    {
      name: 'logcluster_committed_records_cut_total',
      help: 'Records that this broker knew to be committed and cut, because a leader was elected that did not have them: lost, or lost here.',
      samples: of(({ recordsCut }) => recordsCut),
    },
  ]
}

function ofInSync(sources: Sources) {
  return (value: (numbers: InSyncNumbers) => number) =>
    function* (): Iterable<Sample> {
      const numbers = sources().inSync?.()
      if (numbers !== undefined) yield { value: value(numbers) }
    }
}
