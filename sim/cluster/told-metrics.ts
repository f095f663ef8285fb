import { Metrics } from '../../src/broker/telemetry/metrics.ts'
import type { MetricSources } from '../../src/broker/telemetry/sources.ts'

/** One replica as its broker sees it. */
export interface ReplicaView {
  readonly topic: string
  readonly partition: number
  readonly leader: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly startOffset: number
  readonly highWatermark: number
  readonly endOffset: number
}

/** Metrics that nobody scrapes: the simulator looks into a broker by what it gives them. */
export class ToldMetrics extends Metrics {
  #logs: MetricSources['logs'] | null = null

  override attach(sources: Partial<MetricSources>): void {
    super.attach(sources)
    this.#logs = sources.logs ?? this.#logs
  }

  /** Replicas whose logs are open, and that have a role. */
  replicas(): Iterable<ReplicaView> {
    // The source gives the epochs too; a scrape does not need them.
    return (this.#logs?.() ?? []) as unknown as Iterable<ReplicaView>
  }
}
