import type { Logger } from '../broker/telemetry/logger.ts'
import { Alarm } from '../env/alarm.ts'
import type { Clock } from '../env/clock.ts'
import type { Random } from '../env/random.ts'
import { ApiError, isConflict } from './kubernetes/api-error.ts'
import { chanceOf } from './kubernetes/pause.ts'
import { WorkQueue, type Taken } from './kubernetes/work-queue.ts'
import type { ControllerMeter, ReconcileResult } from './metrics.ts'
import type { Outcome, Reconcile } from './reconciler.ts'

export interface ControllerOptions {
  /** In metrics and logs. */
  readonly name: string
  readonly reconcile: Reconcile
  /** Passes that run at a time, each for another key. */
  readonly workers: number
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly meter: ControllerMeter
}

/** Gives keys their passes: one at a time for a key, several keys at a time, failed ones again after a pause. */
export class Controller {
  readonly #options: ControllerOptions
  readonly #queue: WorkQueue
  readonly #alarm: Alarm
  readonly #passes = new Set<Promise<void>>()
  #isTaking = false

  constructor(options: ControllerOptions) {
    const { clock, random } = options
    this.#options = options
    this.#queue = new WorkQueue(() => chanceOf(random))
    this.#alarm = new Alarm(clock, () => this.#take())
    options.meter.attach(this.#queue, clock, options.workers)
  }

  /** Wants a pass for `namespace/name`. Before `start` it is only remembered. */
  add(key: string): void {
    this.#queue.add(key, this.#options.clock.monotonic())
    // Not at once: what a watch tells in one go is one pass.
    if (this.#isTaking) this.#alarm.ringBy(this.#options.clock.monotonic())
  }

  /** Begins to work. */
  start(): void {
    this.#isTaking = true
    this.#take()
  }

  /** Takes nothing more; resolves when what is running is through. */
  async stop(): Promise<void> {
    this.#isTaking = false
    this.#alarm.cancel()
    await Promise.all(this.#passes)
  }

  #take(): void {
    while (this.#isTaking && this.#passes.size < this.#options.workers) {
      const taken = this.#queue.take(this.#options.clock.monotonic())
      if (taken === null) break
      const pass = this.#pass(taken).finally(() => {
        this.#passes.delete(pass)
        this.#take()
      })
      this.#passes.add(pass)
    }
    if (this.#isTaking) this.#alarm.ringBy(this.#queue.nextAtMs)
  }

  async #pass({ key, waitedMs }: Taken): Promise<void> {
    const { reconcile, clock, meter } = this.#options
    const startMs = clock.monotonic()
    let result: ReconcileResult
    try {
      result = this.#succeeded(key, await reconcile(nameOf(key)))
    } catch (error) {
      result = this.#failed(key, error)
    }
    const seconds = (clock.monotonic() - startMs) / 1000
    meter.passed({ result, seconds, waitedSeconds: waitedMs / 1000, atMs: clock.now() })
  }

  #succeeded(key: string, { requeueAfterMs }: Outcome): ReconcileResult {
    this.#queue.succeeded(key, this.#options.clock.monotonic(), requeueAfterMs)
    return requeueAfterMs === null ? 'success' : 'requeue_after'
  }

  #failed(key: string, error: unknown): ReconcileResult {
    const { clock, logger, name } = this.#options
    const retryMs = Math.round(this.#queue.failed(key, clock.monotonic()))
    const fields = { controller: name, object: key, reason: reasonOf(error), retryMs }
    // Somebody wrote between our look and our write: that is what compare-and-set is for.
    if (isConflict(error) || (error instanceof ApiError && error.kind === 'stopped')) {
      logger.debug(fields, 'Looks again')
      return 'requeue'
    }
    logger.warn(fields, 'A pass failed')
    return 'error'
  }
}

function nameOf(key: string): { readonly namespace: string; readonly name: string } {
  const at = key.indexOf('/')
  return { namespace: key.slice(0, at), name: key.slice(at + 1) }
}

/** Of a failure that has a name its sentence; of a mistake of ours where it happened too. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const isOurs = error instanceof TypeError || error.name === 'InvariantError'
  return isOurs ? (error.stack ?? error.message) : error.message
}
