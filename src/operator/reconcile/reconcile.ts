import type { LogBroker } from '../crd/broker.ts'
import { canonical } from '../desired/hash.ts'
import { exposed } from '../desired/services.ts'
import { isForbidden, isNotFound } from '../kubernetes/api-error.ts'
import type { ObjectName, Stored } from '../kubernetes/objects.ts'
import type { Resource } from '../kubernetes/resources.ts'
import { logBrokers, logClusters } from '../own-kinds.ts'
import { isEnding, isHeld } from '../plan/deletion.ts'
import type { Observed, Sight } from '../plan/observed.ts'
import { plan as planOf, type Plan } from '../plan/plan.ts'
import { statusDraft } from '../plan/status-draft.ts'
import { Held, needsLiveLook, type Step, type StepEvent } from '../plan/step.ts'
import { brokerStatus } from '../status/broker-status.ts'
import { clusterStatus } from '../status/cluster-status.ts'
import type { Trouble } from '../status/degradation.ts'
import type { Outcome, Reconcile } from '../reconciler.ts'
import { conditionEvents } from './events.ts'
import { AlteredError, Executor, isTelling, TakenError } from './execute.ts'
import { Observer, type Source } from './observe.ts'
import type { ClusterParts } from './parts.ts'
import { Refusals } from './refusals.ts'

/** Until the next look at a cluster in which nothing changed: brokers tell by no watch how they are. */
const restMs = 1500
const busyMs = 250
const silentMsMax = 30_000
const hibernatedMs = 30_000
const unbornMs = 10_000
/** Watches tell what went of what was deleted, but for the metadata. */
const endingMs = 10_000

/** The front door of the room: one pass for one LogCluster, look, decide, act, tell. It remembers nothing that the next one could not find out. */
export function clusterReconcile(parts: ClusterParts): Reconcile {
  const pass = new Pass(parts)
  return at => pass.run(at)
}

class Pass {
  readonly #parts: ClusterParts
  readonly #observer: Observer
  readonly #executor: Executor
  readonly #refusals: Refusals

  constructor(parts: ClusterParts) {
    this.#parts = parts
    this.#observer = new Observer(parts)
    this.#executor = new Executor(parts)
    this.#refusals = new Refusals(parts.clock)
  }

  async run(at: Required<ObjectName>): Promise<Outcome> {
    const look = await this.#observe(at, 'caches')
    if (look === null) return this.#gone(at)
    const ring = this.#parts.ringOf(at.namespace, at.name)
    const first = planOf(look, ring)
    if (!this.#due(at, first.steps).some(needsLiveLook)) return this.#finish(at, look, first)
    // What destroys, or permits, is decided by what is, not by what a watch has told.
    const live = await this.#observe(at, 'live')
    return live === null ? this.#gone(at) : this.#finish(at, live, planOf(live, ring))
  }

  async #observe(at: Required<ObjectName>, source: Source): Promise<Observed | null> {
    const look = await this.#observer.observe(at, source)
    return look === null ? null : { ...look, refusedChecks: this.#refusals.checksOf(at) }
  }

  #gone(at: Required<ObjectName>): Outcome {
    this.#refusals.forget(at)
    return { requeueAfterMs: null }
  }

  /** Without those that were refused a moment ago, and those that wait for them: nobody looks for their sake. */
  #due(at: Required<ObjectName>, steps: readonly Step[]): readonly Step[] {
    const held = new Held()
    return steps.filter(step => {
      if (held.has(step)) return false
      const known = this.#refusals.known(at, step)
      if (known !== null && known.isWritten !== true) held.by(step)
      return known === null
    })
  }

  async #finish(at: Required<ObjectName>, observed: Observed, plan: Plan): Promise<Outcome> {
    const { troubles, isAtWork } = await this.#act(at, observed, plan.steps)
    if (isOver(observed)) return { requeueAfterMs: null }
    // The birth wrote the status, and what comes next is another pass; before it only what is in its way is told.
    const isTold = plan.birth.kind === 'born' || plan.steps.length === 0 || troubles.length > 0
    if (isTold) await this.#tell(observed, plan, troubles)
    return { requeueAfterMs: nextLookMs(observed, plan, isAtWork) }
  }

  /** Does the steps in order, but for those that rest on one that fails. `isAtWork`: there was one to try. */
  async #act(
    at: Required<ObjectName>,
    observed: Observed,
    steps: readonly Step[],
  ): Promise<{ readonly troubles: readonly Trouble[]; readonly isAtWork: boolean }> {
    const troubles: Trouble[] = []
    const held = new Held()
    let isAtWork = false
    for (const step of steps) {
      if (held.has(step)) continue
      const known = this.#refusals.known(at, step)
      isAtWork ||= known === null
      const trouble = known ?? (await this.#actOnce(at, observed, step))
      if (trouble === null) continue
      // Of a check the next plan tells.
      if (step.isCheck !== true || trouble.reason !== forbidden) troubles.push(trouble)
      if (trouble.isWritten !== true) held.by(step)
    }
    return { troubles, isAtWork }
  }

  /** null where it was done. What a person must know is returned; what is of the moment is thrown, and tried again. */
  async #actOnce(
    at: Required<ObjectName>,
    observed: Observed,
    step: Step,
  ): Promise<Trouble | null> {
    const { logger } = this.#parts
    const fields = { cluster: `${at.namespace}/${at.name}`, what: step.what, because: step.because }
    const check = step.do === 'create' && step.isCheck === true ? step.draft : null
    let trouble: Trouble | null = null
    try {
      await this.#executor.execute(step, observed, user => this.#observer.password(at, user))
    } catch (error) {
      this.#observer.forget(at)
      if (!isTelling(error)) throw error
      if (check !== null && isForbidden(error)) {
        this.#refusals.noteCheck(at, check, error.message)
      }
      trouble = this.#refusals.note(at, step, troubleOf(step, error))
      const told = trouble.isWritten ? 'Somebody alters what is applied' : 'A write was refused'
      logger.warn({ ...fields, step: step.do, reason: error.message }, told)
      if (trouble.isWritten !== true) return trouble
    }
    if (check !== null) this.#refusals.noteCheck(at, check, null)
    if (isRemembered(step)) this.#observer.forget(at)
    logger.info(fields, done[step.do])
    if (step.event !== undefined) this.#tellEvent(observed, step.event)
    return trouble
  }

  async #tell(observed: Observed, plan: Plan, troubles: readonly Trouble[]): Promise<void> {
    const now = new Date(this.#parts.clock.now()).toISOString()
    const { cluster } = observed
    const { settings, tooOld } = plan
    for (const view of tooOld === null ? plan.views : []) {
      const { logBroker } = view
      if (logBroker === null) continue
      const status = brokerStatus(view, observed, { settings, now })
      await this.#write(logBrokers, logBroker, { status, onlyIf: 'any version' })
    }
    const status = clusterStatus({ observed, plan, troubles, now })
    // Of one that is not born as it is looked at: nothing may take back the id that it has by now.
    const onlyIf = plan.birth.kind === 'born' ? 'any version' : 'this version'
    const isNews = await this.#write(logClusters, cluster, { status, onlyIf })
    if (!isNews) return
    const events = conditionEvents(cluster.status.conditions, status.conditions ?? [])
    for (const event of events) this.#tellEvent(observed, event)
    this.#warnOfOpenDoors(observed)
  }

  /** False where the status says so already. */
  async #write(
    resource: Resource<Stored>,
    object: (Stored & Pick<LogBroker, 'status'>) | (Stored & { readonly status: object }),
    {
      status,
      onlyIf,
    }: { readonly status: object; readonly onlyIf: Parameters<typeof statusDraft>[2] },
  ): Promise<boolean> {
    if (canonical(inOrder(object.status)) === canonical(inOrder(status))) return false
    try {
      await this.#parts.api.applyStatus(resource, statusDraft(object, status, onlyIf))
    } catch (error) {
      // It went meanwhile: there is nobody left to tell.
      if (isNotFound(error)) return false
      throw error
    }
    return true
  }

  /** There is no authentication yet: whoever reaches a node reaches all data. */
  #warnOfOpenDoors(observed: Observed): void {
    const { cluster } = observed
    if (cluster.status.observedGeneration === cluster.metadata.generation) return
    for (const { name } of exposed(cluster)) {
      this.#tellEvent(observed, {
        type: 'Warning',
        reason: 'OpenNodePort',
        action: 'Expose',
        note: `Listener ${name} is open at a port of every node, and clients need no password: whoever reaches a node reads and writes everything. Restrict it by a firewall or a NetworkPolicy.`,
      })
    }
  }

  #tellEvent({ cluster }: Observed, event: StepEvent): void {
    this.#parts.events.tell({ regarding: cluster, ...event })
  }
}

/** Constant messages, in the past tense. */
const done: Readonly<Record<Step['do'], string>> = {
  create: 'Created an object',
  apply: 'Applied an object',
  'apply status': 'Wrote a status',
  replace: 'Replaced an object',
  patch: 'Patched an object',
  delete: 'Deleted an object',
  'make secret': 'Created a Secret',
  'take over secret': 'Took a Secret over',
  'rotate secret': 'Changed a Secret',
  'remember configs': 'Remembered settings',
  'alter configs': 'Changed settings of a broker',
  'retire directory': 'Retired a directory',
  'move replicas': 'Asked for reassignments',
  'unregister broker': 'Unregistered a broker',
}

const forbidden = 'Forbidden'

/** What a refusal is called where it says more than that. */
const refused: Readonly<Partial<Record<Step['do'], string>>> = {
  'retire directory': 'ReplacementBlocked',
}

function troubleOf(step: Step, error: Error): Trouble {
  const { what } = step
  const { message } = error
  if (error instanceof AlteredError) {
    return { what, reason: 'ObjectAltered', message, isWritten: true }
  }
  if (error instanceof TakenError) return { what, reason: 'NameTaken', message }
  const reason = isForbidden(error) ? forbidden : (refused[step.do] ?? 'WriteRefused')
  return { what, reason, message }
}

/** What it was done to is no cache's: what was seen of it is old now. */
function isRemembered(step: Step): boolean {
  if (step.do.endsWith(' secret') || step.do === 'move replicas') return true
  return (
    'resource' in step && ['PersistentVolume', 'PodMonitor', 'Lease'].includes(step.resource.kind)
  )
}

/** A cluster that is being deleted has nothing to tell once we do not hold it. */
function isOver(observed: Observed): boolean {
  return isEnding(observed) && !isHeld(observed)
}

/** What was refused waits for a person, or for a world that changed by itself: nobody is asked for it four times a second. */
function nextLookMs(observed: Observed, { birth }: Plan, isAtWork: boolean): number {
  const { cluster, sights } = observed
  if (isAtWork) return busyMs
  if (isEnding(observed)) return endingMs
  // Blocked, or paused before it began: what was changed in the spec is told by a watch.
  if (birth.kind !== 'born') return unbornMs
  if ([...sights.values()].some(isSilentOfLate)) return busyMs
  return cluster.spec.state === 'Hibernated' && sights.size === 0 ? hibernatedMs : restMs
}

/** It may be back at any moment; who is away for longer will be for a while. */
function isSilentOfLate(sight: Sight): boolean {
  return sight.kind === 'silent' && sight.forMs < silentMsMax
}

/** A status with its conditions by type, as a list by key has no order. */
function inOrder(status: object): object {
  const { conditions } = status as { conditions?: readonly { readonly type: string }[] }
  if (conditions === undefined) return status
  return { ...status, conditions: conditions.toSorted((a, b) => (a.type < b.type ? -1 : 1)) }
}
