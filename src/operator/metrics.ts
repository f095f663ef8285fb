import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { counter, gauge } from '../broker/telemetry/instruments.ts'
import { processInstruments } from '../broker/telemetry/process-instruments.ts'
import type { ProcessNumbers } from '../broker/telemetry/sources.ts'
import { Tally, type Sample } from '../broker/telemetry/tally.ts'
import type { Clock } from '../env/clock.ts'
import type { WorkQueue } from './kubernetes/work-queue.ts'

/** How a pass ended, in controller-runtime's words. */
export type ReconcileResult = 'success' | 'error' | 'requeue' | 'requeue_after'

/** How one pass went. */
interface Pass {
  readonly result: ReconcileResult
  readonly seconds: number
  readonly waitedSeconds: number
  /** Wall clock at its end. */
  readonly atMs: number
}

/** What a controller counts. */
export interface ControllerMeter {
  /** The queue whose state is told at each scrape, and how many passes may run at a time. */
  attach(queue: WorkQueue, clock: Clock, workers: number): void
  passed(pass: Pass): void
}

/** Where the operator's other numbers come from, asked at each scrape. */
export interface OperatorSources {
  readonly build: { readonly version: string; readonly node: string }
  readonly process: () => ProcessNumbers
  readonly isLeading: () => boolean
  /** The name of the Lease. */
  readonly leaseName: string
  /** Objects in the caches, by kind. */
  readonly objects: () => Iterable<{ readonly kind: string; readonly count: number }>
  /** Conditions of our own kinds. */
  readonly conditions: () => Iterable<SeenCondition>
}

/** A condition of some object. */
interface SeenCondition {
  readonly kind: string
  readonly type: string
  readonly status: string
}

interface MeteredQueue {
  readonly queue: WorkQueue
  readonly clock: Clock
  readonly workers: number
}

const prefix = 'logcluster_operator'
const results: readonly ReconcileResult[] = ['success', 'error', 'requeue', 'requeue_after']
const passBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30]

/**
 * What `/metrics` of the operator tells, in the shape of controller-runtime with a prefix of ours, so that what is known
 * of other operators holds here.
 */
export class OperatorMetrics {
  readonly #registry = new Registry()
  readonly #controllers: readonly string[]
  readonly #queues = new Map<string, MeteredQueue>()
  readonly #passes: Counter<'controller' | 'result'>
  readonly #errors: Counter<'controller'>
  readonly #passSeconds: Histogram<'controller'>
  readonly #queueSeconds: Histogram<'name'>
  readonly #workSeconds: Histogram<'name'>
  readonly #lastSuccess: Gauge<'controller'>
  readonly #requests: Counter<'verb' | 'code'>
  readonly #requestSeconds: Histogram<'verb'>
  readonly #watchFailures: Counter<'kind'>
  readonly #eventsDropped: Counter
  #sources: Partial<OperatorSources> = {}

  /** `controllers` by the kind that each reconciles. Their counts begin at 0. */
  constructor(controllers: readonly string[]) {
    this.#controllers = controllers
    this.#passes = this.#counter('reconcile_total', 'Passes, by how they ended.', [
      'controller',
      'result',
    ])
    this.#errors = this.#counter('reconcile_errors_total', 'Passes that failed.', ['controller'])
    this.#passSeconds = this.#histogram('reconcile_time_seconds', 'How long a pass took.', {
      labelNames: ['controller'],
      buckets: passBuckets,
    })
    this.#queueSeconds = this.#histogram(
      'workqueue_queue_duration_seconds',
      'How long a key was due before its pass began.',
      { labelNames: ['name'], buckets: passBuckets },
    )
    this.#workSeconds = this.#histogram(
      'workqueue_work_duration_seconds',
      'How long a key was worked on.',
      { labelNames: ['name'], buckets: passBuckets },
    )
    this.#lastSuccess = new Gauge({
      name: `${prefix}_last_success_timestamp_seconds`,
      help: 'When a pass last succeeded; 0 where none has.',
      labelNames: ['controller'],
      registers: [this.#registry],
    })
    this.#requests = this.#counter(
      'api_requests_total',
      'Requests to the API server, by verb and HTTP status, or what came in its place.',
      ['verb', 'code'],
    )
    this.#requestSeconds = this.#histogram(
      'api_request_duration_seconds',
      'From a request to the head of its answer.',
      { labelNames: ['verb'], buckets: requestBuckets },
    )
    this.#watchFailures = this.#counter(
      'watch_failures_total',
      'Lists and watches that failed, by kind; they are tried again.',
      ['kind'],
    )
    this.#eventsDropped = this.#counter(
      'events_dropped_total',
      'Events of Kubernetes that could not be written.',
      [],
    )
    this.#beginAtZero()
    this.#registerQueues()
    this.#registerSources()
  }

  /** Adds sources as they come up. */
  attach(sources: Partial<OperatorSources>): void {
    this.#sources = { ...this.#sources, ...sources }
  }

  controller(name: string): ControllerMeter {
    return {
      attach: (queue, clock, workers) => void this.#queues.set(name, { queue, clock, workers }),
      passed: ({ result, seconds, waitedSeconds, atMs }) => {
        this.#passes.inc({ controller: name, result })
        if (result === 'error') this.#errors.inc({ controller: name })
        this.#passSeconds.observe({ controller: name }, seconds)
        this.#workSeconds.observe({ name }, seconds)
        this.#queueSeconds.observe({ name }, waitedSeconds)
        if (result === 'success' || result === 'requeue_after') {
          this.#lastSuccess.set({ controller: name }, atMs / 1000)
        }
      },
    }
  }

  /** One request to the API server has ended. */
  request(verb: string, code: string, seconds: number): void {
    this.#requests.inc({ verb, code })
    this.#requestSeconds.observe({ verb }, seconds)
  }

  /** These kinds are watched: their failures are counted from 0. */
  watched(kinds: Iterable<string>): void {
    for (const kind of kinds) this.#watchFailures.inc({ kind }, 0)
  }

  watchFailed(kind: string): void {
    this.#watchFailures.inc({ kind })
  }

  eventDropped(): void {
    this.#eventsDropped.inc()
  }

  /** The text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  #beginAtZero(): void {
    for (const controller of this.#controllers) {
      for (const result of results) this.#passes.inc({ controller, result }, 0)
      this.#errors.inc({ controller }, 0)
      this.#passSeconds.zero({ controller })
      this.#queueSeconds.zero({ name: controller })
      this.#workSeconds.zero({ name: controller })
      this.#lastSuccess.set({ controller }, 0)
    }
    for (const verb of [
      'get',
      'list',
      'latest',
      'watch',
      'create',
      'apply',
      'update',
      'patch',
      'delete',
    ]) {
      this.#requestSeconds.zero({ verb })
      for (const code of ['403', '429', '500', 'unreachable', 'unknown']) {
        this.#requests.inc({ verb, code }, 0)
      }
    }
  }

  #registerQueues(): void {
    type Read = (queue: WorkQueue, nowMs: number, workers: number) => number
    const each = (label: string, read: Read) => () =>
      [...this.#queues].map(([name, { queue, clock, workers }]) => ({
        labels: { [label]: name },
        value: read(queue, clock.monotonic(), workers),
      }))
    const gauges: readonly [string, string, string, Read][] = [
      ['active_workers', 'controller', 'Passes that are running.', queue => queue.runningCount],
      [
        'max_concurrent_reconciles',
        'controller',
        'Passes that may run at a time.',
        (_queue, _nowMs, workers) => workers,
      ],
      ['workqueue_depth', 'name', 'Keys that are due and wait for a worker.', queue => queue.depth],
      [
        'workqueue_failing_keys',
        'name',
        'Keys whose last pass failed.',
        queue => queue.failingCount,
      ],
      [
        'workqueue_longest_running_processor_seconds',
        'name',
        'How long the longest running pass has been running.',
        (queue, nowMs) => Math.max(0, ...[...queue.running.values()].map(at => nowMs - at)) / 1000,
      ],
      [
        'workqueue_unfinished_work_seconds',
        'name',
        'How long all running passes together have been running.',
        (queue, nowMs) =>
          [...queue.running.values()].reduce((sum, at) => sum + nowMs - at, 0) / 1000,
      ],
    ]
    for (const [name, label, help, read] of gauges) {
      const instrument = { name: `${prefix}_${name}`, help, labels: [label] }
      gauge(this.#registry, { ...instrument, samples: each(label, read) })
    }
    const counters: readonly [string, string, Read][] = [
      ['workqueue_adds_total', 'Times that a key was added.', queue => queue.counts.adds],
      ['workqueue_retries_total', 'Times that a key failed.', queue => queue.counts.retries],
    ]
    for (const [name, help, read] of counters) {
      const instrument = { name: `${prefix}_${name}`, help, labels: ['name'] }
      counter(this.#registry, { ...instrument, samples: each('name', read) })
    }
    this.#registerStarts()
  }

  /** The start, not the age: what is too long is for the alert to say. */
  #registerStarts(): void {
    gauge(this.#registry, {
      name: `${prefix}_reconcile_start_timestamp_seconds`,
      help: 'When the longest running pass began; absent where none is running.',
      labels: ['controller'],
      samples: () =>
        [...this.#queues].flatMap(([controller, { queue, clock }]) => {
          const startMs = Math.min(...queue.running.values())
          if (startMs === Infinity) return []
          const value = (clock.now() - (clock.monotonic() - startMs)) / 1000
          return [{ labels: { controller }, value }]
        }),
    })
  }

  #registerSources(): void {
    gauge(this.#registry, {
      name: `${prefix}_leader_election_master_status`,
      help: '1 where this process leads.',
      labels: ['name'],
      samples: () => {
        const { leaseName: name = '', isLeading } = this.#sources
        return [{ labels: { name }, value: isLeading?.() === true ? 1 : 0 }]
      },
    })
    gauge(this.#registry, {
      name: `${prefix}_objects`,
      help: 'Objects that the operator looks after, by kind.',
      labels: ['kind'],
      samples: () =>
        [...(this.#sources.objects?.() ?? [])].map(({ kind, count }) => ({
          labels: { kind },
          value: count,
        })),
    })
    gauge(this.#registry, {
      name: `${prefix}_conditions`,
      help: 'Objects whose condition has this status, by kind and condition.',
      labels: ['kind', 'condition', 'status'],
      samples: () => counted(this.#sources.conditions?.() ?? []),
    })
    gauge(this.#registry, {
      name: `${prefix}_build_info`,
      help: 'The version of the operator and of Node.js.',
      labels: ['version', 'node'],
      samples: () => {
        const { build } = this.#sources
        return build === undefined ? [] : [{ labels: { ...build }, value: 1 }]
      },
    })
    processInstruments(this.#registry, () => {
      const { process } = this.#sources
      return process === undefined ? {} : { process }
    })
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name: `${prefix}_${name}`, help, labelNames, registers: [this.#registry] })
  }

  #histogram<Label extends string>(
    name: string,
    help: string,
    options: { readonly labelNames: Label[]; readonly buckets: number[] },
  ): Histogram<Label> {
    return new Histogram({
      name: `${prefix}_${name}`,
      help,
      ...options,
      registers: [this.#registry],
    })
  }
}

/** How many objects there are of each kind, condition and status. */
function counted(conditions: Iterable<SeenCondition>): Iterable<Sample> {
  const tally = new Tally(['kind', 'condition', 'status'])
  for (const { kind, type, status } of conditions) tally.cell(kind, type, status).value++
  return tally.samples()
}
