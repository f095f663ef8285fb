import type { Registry } from 'prom-client'
import { counter, gauge } from './instruments.ts'
import type { MetricSources, ProcessNumbers } from './sources.ts'

/**
 * The process as Prometheus' own client libraries name it. prom-client's defaults are not used: some of them are
 * gauges with names of counters, which `promtool check metrics` refuses.
 */
export function processInstruments(
  registry: Registry,
  sources: () => Partial<MetricSources>,
): void {
  const of = (value: (numbers: ProcessNumbers) => number | null) => () => {
    const numbers = sources().process?.()
    const read = numbers === undefined ? null : value(numbers)
    return read === null ? [] : [{ value: read }]
  }
  counter(registry, {
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time spent in seconds.',
    samples: of(numbers => numbers.cpuUserSeconds + numbers.cpuSystemSeconds),
  })
  const gauges: readonly [string, string, (numbers: ProcessNumbers) => number | null][] = [
    ['process_resident_memory_bytes', 'Resident memory size in bytes.', it => it.residentBytes],
    ['process_open_fds', 'Number of open file descriptors.', it => it.openFiles],
    ['process_max_fds', 'Maximum number of open file descriptors.', it => it.openFilesMax],
    [
      'process_start_time_seconds',
      'Start time of the process since unix epoch in seconds.',
      it => it.startSeconds,
    ],
    ['nodejs_heap_used_bytes', 'Used part of the JavaScript heap.', it => it.heapUsedBytes],
  ]
  for (const [name, help, value] of gauges) gauge(registry, { name, help, samples: of(value) })
}
