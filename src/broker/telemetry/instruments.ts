import { Counter, Gauge, type Registry } from 'prom-client'
import type { Sample } from './tally.ts'

/** A metric whose samples are read when it is scraped. */
export interface Instrument {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
  readonly samples: () => Iterable<Sample>
}

/** Registers a counter; its name ends with `_total`. */
export function counter(registry: Registry, instrument: Instrument): void {
  const { name, help, labels = [], samples } = instrument
  void new Counter({
    name,
    help,
    labelNames: labels,
    registers: [registry],
    collect() {
      clear(this, labels)
      for (const sample of samples()) this.inc(sample.labels ?? {}, sample.value)
    },
  })
}

/** Registers a gauge. */
export function gauge(registry: Registry, instrument: Instrument): void {
  const { name, help, labels = [], samples } = instrument
  void new Gauge({
    name,
    help,
    labelNames: labels,
    registers: [registry],
    collect() {
      clear(this, labels)
      for (const sample of samples()) this.set(sample.labels ?? {}, sample.value)
    },
  })
}

/** Without a sample. A metric without labels that is `reset` would show 0, which is a guess. */
function clear(metric: Counter | Gauge, labels: readonly string[]): void {
  metric.reset()
  if (labels.length === 0) metric.remove()
}
