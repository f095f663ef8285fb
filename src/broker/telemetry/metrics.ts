import { Histogram, Registry } from 'prom-client'
import { brokerInstruments } from './broker-instruments.ts'
import { fetchSessionInstruments } from './fetch-session-instruments.ts'
import { clusterInstruments } from './cluster-instruments.ts'
import { ClusterMeters } from './cluster-meters.ts'
import { cleanerInstruments } from './cleaner-instruments.ts'
import { inSyncInstruments } from './in-sync-instruments.ts'
import { replicationInstruments } from './replication-instruments.ts'
import { coldReadInstruments } from './cold-read-instruments.ts'
import { groupInstruments } from './group-instruments.ts'
import { DurationHistogram } from './durations.ts'
import { counter, gauge } from './instruments.ts'
import { kafkaExporterInstruments } from './kafka-exporter-instruments.ts'
import { processInstruments } from './process-instruments.ts'
import { SeriesBound } from './series-bound.ts'
import type { MetricSources } from './sources.ts'
import { Tally, type Cell } from './tally.ts'

/**
 * Errors that are the broker's own fault. They are told from the start, as 0: what begins with its first error did not
 * increase, and an alert would miss it. So are the limits and faults that every broker has.
 */
const ofBrokers = ['UNKNOWN_SERVER_ERROR', 'KAFKA_STORAGE_ERROR']

/** What is counted of one API. */
export interface ApiMeter {
  /** Requests taken. */
  readonly requests: Cell
  /** One answer, `seconds` after its request was complete. */
  observe(seconds: number): void
  /** One error in an answer, or the reason of a closed connection. */
  error(name: string): void
}

/**
 * The front door of the room: everything that `/metrics` tells, and nothing is worked out here. Counts of the way of a request are raised here by the server; all else is
 * asked from its source at each scrape (`attach`).
 */
export class Metrics {
  readonly registry = new Registry()
  #sources: Partial<MetricSources> = {}
  readonly #requests = new Tally(['api'])
  readonly #errors = new Tally(['api', 'error'])
  readonly #refused = new Tally(['reason'])
  readonly #closed = new Tally(['reason'])
  readonly #faults = new Tally(['reason'])
  readonly #logins = new Tally(['listener'])
  readonly #latency = latencyHistogram()
  readonly #lag: Histogram
  readonly #meters = new Map<string, ApiMeter>()
  /** Of the metadata store and of the controller, as this broker finds them. */
  readonly cluster: ClusterMeters
  readonly connectionsAccepted: Cell = { value: 0 }
  /** Times that reading from producers was stopped because of dirty bytes. */
  readonly pressurePauses: Cell = { value: 0 }

  constructor() {
    this.registry.registerMetric(this.#latency)
    this.#lag = lagHistogram(this.registry)
    for (const limit of ['max.connections', 'max.connections.per.ip']) this.#refused.cell(limit)
    this.#faults.cell('frame')
    this.#registerCounts()
    const sources = () => this.#sources
    brokerInstruments(this.registry, sources)
    fetchSessionInstruments(this.registry, sources)
    cleanerInstruments(this.registry, sources)
    this.cluster = new ClusterMeters(this.registry)
    clusterInstruments(this.registry, sources)
    inSyncInstruments(this.registry, sources)
    replicationInstruments(this.registry, sources)
    const bound = new SeriesBound(sources)
    groupInstruments(this.registry, sources, bound)
    coldReadInstruments(this.registry, sources, bound)
    kafkaExporterInstruments(this.registry, sources, bound)
    processInstruments(this.registry, sources)
    bound.register(this.registry)
  }

  /** Adds sources as the broker's parts come up. */
  attach(sources: Partial<MetricSources>): void {
    this.#sources = { ...this.#sources, ...sources }
  }

  /** The meter of an API by its Kafka name. Keep it. */
  api(name: string): ApiMeter {
    const known = this.#meters.get(name)
    if (known !== undefined) return known
    const latency = this.#latency.duration(name)
    const errors = new Map(ofBrokers.map(error => [error, this.#errors.cell(name, error)]))
    const meter: ApiMeter = {
      requests: this.#requests.cell(name),
      observe: seconds => latency.observe(seconds),
      error: error => {
        let cell = errors.get(error)
        if (cell === undefined) errors.set(error, (cell = this.#errors.cell(name, error)))
        cell.value++
      },
    }
    this.#meters.set(name, meter)
    return meter
  }

  connectionRefused(reason: string): void {
    this.#refused.cell(reason).value++
  }

  connectionClosed(reason: string): void {
    this.#closed.cell(reason).value++
  }

  /** A connection that is going to be closed for what its client did. */
  connectionFault(reason: string): void {
    this.#faults.cell(reason).value++
  }

  /** Clients that could not log in at `listener`. */
  loginFailures(listener: string): Cell {
    return this.#logins.cell(listener)
  }

  /** How much later than asked a timer of the event loop ran. */
  loopLag(seconds: number): void {
    this.#lag.observe(seconds)
  }

  /** The text format of Prometheus. */
  text(): Promise<string> {
    return this.registry.metrics()
  }

  get contentType(): string {
    return this.registry.contentType
  }

  #registerCounts(): void {
    const one = (cell: Cell) => () => [{ value: cell.value }]
    const rows: readonly [name: string, help: string, Tally<string> | Cell, labels?: string[]][] = [
      ['requests_total', 'Requests taken, by API.', this.#requests, ['api']],
      [
        'request_errors_total',
        'Errors told in answers, and connections closed instead of an answer, by API.',
        this.#errors,
        ['api', 'error'],
      ],
      [
        'connections_refused_total',
        'Connections closed as they came, by the limit that they met.',
        this.#refused,
        ['reason'],
      ],
      ['connections_closed_total', 'Connections that ended, by reason.', this.#closed, ['reason']],
      [
        'connection_faults_total',
        'Connections closed for what their client did, by reason.',
        this.#faults,
        ['reason'],
      ],
      [
        'login_failures_total',
        'Clients that could not log in, by listener.',
        this.#logins,
        ['listener'],
      ],
      ['connections_accepted_total', 'Connections accepted.', this.connectionsAccepted],
      [
        'pressure_pauses_total',
        'Times that producers were no longer read because too many bytes were dirty.',
        this.pressurePauses,
      ],
    ]
    for (const [name, help, count, labels] of rows) {
      const samples = count instanceof Tally ? () => count.samples() : one(count)
      counter(this.registry, {
        name: `logcluster_${name}`,
        help,
        samples,
        ...(labels === undefined ? {} : { labels }),
      })
    }
    gauge(this.registry, {
      name: 'logcluster_connections',
      help: 'Open connections.',
      samples: () => {
        const connections = this.#sources.connections?.()
        return connections === undefined ? [] : [{ value: connections }]
      },
    })
  }
}

function latencyHistogram(): DurationHistogram<'api'> {
  return new DurationHistogram(
    'logcluster_request_duration_seconds',
    'From the whole request to its answer in the output queue, by API; long polls wait in it.',
    'api',
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30],
  )
}

function lagHistogram(registry: Registry): Histogram {
  return new Histogram({
    name: 'logcluster_event_loop_lag_seconds',
    help: 'How much later than asked a timer of the event loop ran.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers: [registry],
  })
}
