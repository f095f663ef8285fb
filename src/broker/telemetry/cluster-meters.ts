import { Histogram, type Registry } from 'prom-client'
import { counter } from './instruments.ts'
import { Tally } from './tally.ts'

/** What a broker measures of its own dealings with the cluster: with the metadata store, and with the controller. */
export class ClusterMeters {
  readonly #operations = new Tally(['operation', 'outcome'])
  readonly #operationSeconds: Histogram<'operation'>
  readonly #heartbeats = new Tally(['outcome'])
  readonly #heartbeatSeconds: Histogram

  constructor(registry: Registry) {
    counter(registry, {
      name: 'logcluster_metadata_store_operations_total',
      help: 'Operations on the metadata store that ended, by what came of them: ok, conflict (somebody else was first, or has the lease), unavailable (no answer, nothing was done), unknown (no answer, it may have been done), refused (the store cannot be used).',
      labels: ['operation', 'outcome'],
      samples: () => this.#operations.samples(),
    })
    this.#operationSeconds = new Histogram({
      name: 'logcluster_metadata_store_duration_seconds',
      help: 'Time that operations on the metadata store took, whatever came of them.',
      labelNames: ['operation'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers: [registry],
    })
    counter(registry, {
      name: 'logcluster_heartbeats_total',
      help: 'Signs of life that this broker gave the controller, by what came of them: ok, refused, unanswered.',
      labels: ['outcome'],
      samples: () => this.#heartbeats.samples(),
    })
    this.#heartbeatSeconds = new Histogram({
      name: 'logcluster_heartbeat_duration_seconds',
      help: 'Time from a sign of life to the answer of the controller, where it was ok.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2],
      registers: [registry],
    })
  }

  /** Tells all of these as 0 from the start: what begins with its first failure did not increase. */
  begin(operations: readonly string[], outcomes: readonly string[]): void {
    for (const operation of operations) {
      for (const outcome of outcomes) this.#operations.cell(operation, outcome)
    }
  }

  /** An operation on the metadata store ended. */
  observe(operation: string, outcome: string, seconds: number): void {
    this.#operations.cell(operation, outcome).value++
    this.#operationSeconds.labels(operation).observe(seconds)
  }

  /** A sign of life was asked for, and `seconds` later this came of it. */
  heartbeat(outcome: string, seconds: number): void {
    this.#heartbeats.cell(outcome).value++
    if (outcome === 'ok') this.#heartbeatSeconds.observe(seconds)
  }
}
