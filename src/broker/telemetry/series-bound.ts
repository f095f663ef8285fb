import type { Registry } from 'prom-client'
import { gauge } from './instruments.ts'
import type { MetricSources } from './sources.ts'
import type { Sample } from './tally.ts'

/**
 * Groups and client ids are named by clients, so nobody knows how many there will be: of each metric by group as
 * many series as allowed are told, and the rest is counted, so that a gap does not look like an answer.
 */
export class SeriesBound {
  readonly #sources: () => Partial<MetricSources>
  /** By metric: what the last scrape went without. */
  readonly #leftOut = new Map<string, number>()

  constructor(sources: () => Partial<MetricSources>) {
    this.#sources = sources
  }

  *bounded(name: string, samples: Iterable<Sample>): IterableIterator<Sample> {
    const most = this.#sources().groupSeriesMax?.() ?? Infinity
    let count = 0
    for (const sample of samples) if (++count <= most) yield sample
    this.#leftOut.set(name, Math.max(0, count - most))
  }

  /** To be called last: the metric tells of those that are collected before it. */
  register(registry: Registry): void {
    const leftOut = this.#leftOut
    gauge(registry, {
      name: 'logcluster_metrics_left_out_series',
      help: 'Series that metrics.group.series.max kept out of the last scrape.',
      labels: ['metric'],
      *samples() {
        for (const [metric, value] of leftOut) yield { labels: { metric }, value }
      },
    })
  }
}
