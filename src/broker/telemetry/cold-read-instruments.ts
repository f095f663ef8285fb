import type { Registry } from 'prom-client'
import type { ColdReadNumbers } from '../cold-lane/numbers.ts'
import { counter, gauge } from './instruments.ts'
import type { SeriesBound } from './series-bound.ts'
import type { MetricSources } from './sources.ts'
import type { Sample } from './tally.ts'

type Sources = () => Partial<MetricSources>

/** Who reads what the page cache does not have, how long they wait for their turn, and what that costs others. */
export function coldReadInstruments(
  registry: Registry,
  sources: Sources,
  bound: SeriesBound,
): void {
  const byGroup = (name: string, value: (row: ColdReadNumbers) => number) => () => {
    return bound.bounded(name, samplesOf(sources, value))
  }
  for (const { name, help, value } of countersByGroup) {
    counter(registry, { name, help, labels: ['group'], samples: byGroup(name, value) })
  }
  const waiting = 'logcluster_cold_reads_waiting'
  gauge(registry, {
    name: waiting,
    help: 'Cold reads that wait for their turn at the disk, by group.',
    labels: ['group'],
    samples: byGroup(waiting, row => row.waiting),
  })
  counter(registry, {
    name: 'logcluster_drop_behind_bytes_total',
    help: 'Bytes that cold reads brought into the page cache, and that were given back to the kernel behind them.',
    samples: () => ofOne(sources().coldReads?.().droppedBytes),
  })
  counter(registry, {
    name: 'logcluster_scan_evicted_hot_bytes_total',
    help: 'Bytes sent from memory within the last minute that the device had to deliver again while another reader read old data; absent where it cannot be measured.',
    samples: () => ofOne(sources().coldReads?.().evictedHotBytes),
  })
}

const countersByGroup: readonly {
  readonly name: string
  readonly help: string
  readonly value: (row: ColdReadNumbers) => number
}[] = [
  {
    name: 'logcluster_cold_reads_total',
    help: 'Times that a connection was sent something that the device may have had to deliver, by group.',
    value: row => row.jobs,
  },
  {
    name: 'logcluster_cold_read_bytes_total',
    help: 'Bytes sent so, by group.',
    value: row => row.bytes,
  },
  {
    name: 'logcluster_cold_read_wait_seconds_total',
    help: 'Time that cold reads waited for their turn at the disk, together, by group.',
    value: row => row.waitSeconds,
  },
]

function* samplesOf(
  sources: Sources,
  value: (row: ColdReadNumbers) => number,
): IterableIterator<Sample> {
  for (const row of sources().coldReads?.().numbers() ?? []) {
    yield { labels: { group: row.group }, value: value(row) }
  }
}

function ofOne(value: number | null | undefined): Sample[] {
  return value === null || value === undefined ? [] : [{ value }]
}
