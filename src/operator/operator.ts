import type { Logger } from '../broker/telemetry/logger.ts'
import { sleep, type Clock } from '../env/clock.ts'
import type { Random } from '../env/random.ts'
import type { Brokers } from './brokers/brokers.ts'
import { conditionsIn, watch, type Watches } from './caches.ts'
import { Controller } from './controller.ts'
import { guarded } from './guarded-brokers.ts'
import type { KubernetesApi } from './kubernetes/api.ts'
import { EventRecorder } from './kubernetes/event-recorder.ts'
import { HttpApi } from './kubernetes/http-api.ts'
import { Leader } from './kubernetes/leader.ts'
import type { HttpSender } from './kubernetes/transport.ts'
import type { OperatorMetrics } from './metrics.ts'
import { NodeWatches } from './node-watches.ts'
import type { Parts } from './parts.ts'
import type { Reconcile } from './reconciler.ts'

interface OperatorEnv {
  readonly clock: Clock
  readonly random: Random
}

export interface OperatorOptions {
  readonly env: OperatorEnv
  readonly sender: HttpSender
  readonly brokers: Brokers
  readonly logger: Logger
  /** Of this operator, as its package has it. */
  readonly version: string
  readonly metrics: OperatorMetrics
  readonly watchNamespaces: readonly string[]
  readonly defaultImage: string
  readonly lease: { readonly namespace: string; readonly name: string }
  /** Of this process, as its pod is named. */
  readonly instance: string
  /** What makes a controller, by the name that it has in metrics. Its keys are LogClusters, `namespace/name`. */
  readonly reconcilers: Readonly<Record<ControllerName, (parts: Parts) => Reconcile>>
  /** After this nothing may go on: the Lease is lost, or a mistake of ours showed. */
  readonly fatal: (error: unknown) => void
}

/** By the kind that a controller reconciles. */
export type ControllerName = 'logcluster' | 'logtopic'

export const controllerNames: readonly ControllerName[] = ['logcluster', 'logtopic']

/** Passes of one controller at a time: they mostly wait for the API server and for brokers. */
const workers = 4
/** After which a pass that hangs is no longer waited for. Kubernetes gives a pod 30 s to end. */
const stopWithinMs = 15_000
const flushWithinMs = 2000

/** Watches what is wanted and what is, and gives each LogCluster its passes while it leads. */
export class Operator {
  readonly #options: OperatorOptions
  readonly #end = new AbortController()
  readonly #leader: Leader
  readonly #watches: Watches
  readonly #events: EventRecorder
  readonly #controllers: Readonly<Record<ControllerName, Controller>>
  #isStopping = false

  constructor(options: OperatorOptions) {
    this.#options = options
    const api = this.#api(() => this.isLeading)
    this.#leader = this.#newLeader()
    this.#events = this.#newEvents(api)
    this.#watches = this.#newWatches(api)
    const { env, logger, version, defaultImage } = options
    const brokers = guarded(options.brokers, () => this.isLeading)
    const { clock, random } = env
    const { caches } = this.#watches
    const parts = {
      api,
      caches,
      events: this.#events,
      nodes: this.#newNodes(api),
      brokers,
      clock,
      random,
      logger,
      version,
      defaultImage,
    }
    this.#controllers = {
      logcluster: this.#controller('logcluster', parts),
      logtopic: this.#controller('logtopic', parts),
    }
    options.metrics.watched(this.#watches.informers.map(({ kind }) => kind))
    options.metrics.attach({
      isLeading: () => this.isLeading,
      leaseName: options.lease.name,
      objects: () => this.#watches.informers.map(({ kind, size }) => ({ kind, count: size })),
      conditions: () => conditionsIn(caches),
    })
  }

  /** Whether it may act. */
  get isLeading(): boolean {
    return !this.#end.signal.aborted && this.#leader.mayAct()
  }

  /** Kinds that are not listed yet. */
  missing(): readonly string[] {
    return this.#watches.informers.flatMap(({ kind, isSynced }) => (isSynced ? [] : [kind]))
  }

  /**
   * Watches, campaigns, and works once it leads and has seen everything. Returns at once; with the API server down all
   * of it waits.
   */
  start(): void {
    const { fatal, logger } = this.#options
    for (const informer of this.#watches.informers) informer.run().catch(fatal)
    this.#leader.run().catch(fatal)
    this.#begin().catch(fatal)
    logger.info({ lease: this.#options.lease, instance: this.#options.instance }, 'Campaigns')
  }

  /** In order: nothing new begins, what runs ends, its events are told, and only then another may lead. */
  async stop(): Promise<void> {
    const { env, logger } = this.#options
    this.#isStopping = true
    const passes = Promise.all(Object.values(this.#controllers).map(it => it.stop()))
    const late = sleep(env.clock, stopWithinMs).then(() => 'late' as const)
    if ((await Promise.race([passes, late])) === 'late') {
      // It may still act, so nobody may be told that it does not: the Lease runs out by itself.
      logger.warn({ stopWithinMs }, 'A pass did not end in time; the Lease is not given up')
    } else {
      await Promise.race([this.#events.flushed(), sleep(env.clock, flushWithinMs)])
      await this.#leader.release()
    }
    this.#end.abort()
  }

  async #begin(): Promise<void> {
    const { logger } = this.#options
    await Promise.all(this.#watches.informers.map(informer => informer.synced()))
    logger.info({ objects: this.#counts() }, 'Caches are filled')
    await this.#leader.leading
    if (this.#isStopping) return
    logger.info({ lease: this.#options.lease }, 'Leads')
    for (const controller of Object.values(this.#controllers)) controller.start()
  }

  #counts(): Record<string, number> {
    return Object.fromEntries(this.#watches.informers.map(({ kind, size }) => [kind, size]))
  }

  #api(mayWrite: () => boolean): HttpApi {
    const { env, sender, metrics } = this.#options
    return new HttpApi({
      sender,
      clock: env.clock,
      random: env.random,
      mayWrite,
      meter: (verb, code, seconds) => metrics.request(verb, code, seconds),
      signal: this.#end.signal,
    })
  }

  #newLeader(): Leader {
    const { env, lease, instance, fatal, logger } = this.#options
    return new Leader({
      api: this.#api(() => true),
      clock: env.clock,
      ...lease,
      identity: `${instance}_${Buffer.from(env.random.bytes(8)).toString('hex')}`,
      onLost: () => fatal(new Error('the Lease is lost: another operator may lead by now')),
      onFailure: reason => logger.warn({ lease, reason }, 'Could not read or renew the Lease'),
    })
  }

  #newEvents(api: KubernetesApi): EventRecorder {
    const { env, instance, metrics, logger } = this.#options
    return new EventRecorder({
      api,
      clock: env.clock,
      random: env.random,
      instance,
      onDropped: ({ reason: event, note }, reason) => {
        metrics.eventDropped()
        logger.debug({ event, note, reason }, 'Dropped an event')
      },
    })
  }

  #newWatches(api: HttpApi): Watches {
    const { env, watchNamespaces, metrics, logger } = this.#options
    return watch({
      api,
      clock: env.clock,
      random: env.random,
      namespaces: watchNamespaces,
      onCluster: key => this.#controllers.logcluster.add(key),
      onTopics: key => this.#controllers.logtopic.add(key),
      onFailure: (kind, reason) => {
        metrics.watchFailed(kind)
        logger.warn({ kind, reason }, 'Cannot list or watch; tries again')
      },
      signal: this.#end.signal,
    })
  }

  #newNodes(api: HttpApi): NodeWatches {
    const { env, fatal, logger, metrics } = this.#options
    return new NodeWatches({
      ...env,
      api,
      tell: key => this.#controllers.logcluster.add(key),
      onFailure: reason => {
        metrics.watchFailed('Node')
        logger.warn({ kind: 'Node', reason }, 'Cannot list or watch; tries again')
      },
      fatal,
      signal: this.#end.signal,
    })
  }

  #controller(name: ControllerName, parts: Parts): Controller {
    const { env, logger, metrics, reconcilers } = this.#options
    return new Controller({
      name,
      reconcile: reconcilers[name](parts),
      workers,
      clock: env.clock,
      random: env.random,
      logger,
      meter: metrics.controller(name),
    })
  }
}
