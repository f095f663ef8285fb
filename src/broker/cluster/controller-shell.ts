import type { Clock, Timer } from '../../env/clock.ts'
import { unreachable } from '../../lib/assert.ts'
import { type Deferred, deferred } from '../../lib/deferred.ts'
import type { Answer, Command, Refusal } from './controller/commands.ts'
import {
  Controller,
  type ControllerEffect,
  type ControllerEvent,
  type ControllerOptions,
} from './controller/controller.ts'
import type { BrokerSilence } from './controller/events.ts'
import type { MetadataImage } from '../metadata/image.ts'
import { encodeBatch, type MetadataRecord } from '../metadata/records.ts'
import type {
  Cursor,
  MetadataStore,
  Silence,
  SnapshotOutcome,
  StoredRecord,
} from '../metadata/store.ts'

export interface ControllerShellOptions {
  readonly clock: Clock
  readonly store: MetadataStore
  /** Where the store's log ends. */
  readonly cursor: Cursor
  readonly controller: ControllerOptions
  /** How long a store that does not answer is left alone. */
  readonly retryDelayMs: number
  /** Whether this broker may append now: asked immediately before each append (durability.md 1.5). Default: it may. */
  mayAppend?(): boolean
  /** The store has it, before anybody is told what is in it. */
  onCommitted?(record: StoredRecord): void
  /** The store noted a snapshot in the log itself. */
  onNoted?(note: StoredRecord): void
  onPublish(image: MetadataImage, records: readonly MetadataRecord[]): void
  /** The store did not answer, and is asked again after a pause. */
  onSilence?(): void
  /** Once, last: the store failed, somebody else is the controller, or an invariant broke. */
  onFailure(error: Error): void
}

/** Somebody else appended to the metadata log: this broker is not the controller any more. */
export class Deposed extends Error {
  override readonly name = 'Deposed'
}

/** Performs the controller's effects on the store, and feeds the outcomes back to it. */
export class ControllerShell {
  readonly #options: ControllerShellOptions
  readonly #controller: Controller
  readonly #claimed = deferred<void>()
  readonly #pending = new Map<number, Deferred<Answer>>()
  #cursor: Cursor
  #lastId = 0
  #retry: Timer | null = null
  /** The store's last word, where it did not answer. */
  #silence: Silence | null = null
  /** It did not answer, and has not answered since. */
  #isUnanswered = false
  #failure: Error | null = null
  #stopped: Deferred<void> | null = null
  /** The operation on the store that is under way, or was last. */
  #operation: Promise<void> = Promise.resolve()

  constructor(options: ControllerShellOptions) {
    this.#options = options
    this.#cursor = options.cursor
    this.#controller = new Controller(options.controller)
  }

  /** What ended it; null while it goes on. */
  get failure(): Error | null {
    return this.#failure
  }

  /** True while the store does not answer, and nothing can be changed. */
  get isWaiting(): boolean {
    return this.#isUnanswered
  }

  /** Resolves when this broker is the controller. @throws Deposed, or whatever `onFailure` is told */
  start(): Promise<void> {
    this.#step({ type: 'started' })
    return this.#claimed.promise
  }

  /**
   * Resolves when what was decided is committed and published; after `timeoutMs`, where that comes first, with
   * REQUEST_TIMED_OUT: what is in flight by then may still happen, what is not does not.
   * @throws the failure that `onFailure` was told, where it came meanwhile: then the outcome is unknown
   */
  ask(command: Command, timeoutMs = Infinity): Promise<Answer> {
    if (this.#failure !== null) return Promise.resolve(failedBefore(this.#failure))
    const id = ++this.#lastId
    const pending = deferred<Answer>()
    this.#pending.set(id, pending)
    this.#step({ type: 'commanded', id, command })
    if (timeoutMs < Infinity && this.#pending.has(id)) this.#limit(id, pending, timeoutMs)
    return pending.promise
  }

  /** Time goes on. */
  tick(nowMs: number): void {
    this.#step({ type: 'tick', nowMs })
  }

  /** That broker's connection broke, and it took no other in time. */
  connectionReset(brokerId: number): void {
    this.#step({ type: 'connectionReset', brokerId })
  }

  /** The controller before this one answered nothing to this broker. */
  foundSilent(silence: BrokerSilence): void {
    this.#step({ type: 'foundSilent', ...silence })
  }

  /** The office is given up: whoever waits does not learn what becomes of what is under way. */
  resign(reason: string): void {
    this.#fail(new Deposed(`This broker is not the controller any more: ${reason}.`))
    this.#checkStopped()
  }

  /** Resolves when the store is not in use any more by this office. */
  settled(): Promise<void> {
    return this.#operation
  }

  /** Takes no more commands, and resolves when nothing is under way, or what is cannot be finished now. */
  stop(): Promise<void> {
    if (this.#stopped === null) {
      this.#stopped = deferred()
      this.#step({ type: 'stopped' })
    }
    return this.#stopped.promise
  }

  #limit(id: number, { promise }: Deferred<Answer>, timeoutMs: number): void {
    const timer = this.#options.clock.after(timeoutMs, () => {
      this.#step({ type: 'withdrawn', id })
      this.#answer(id, notYetKnown)
    })
    const cancel = (): void => timer.cancel()
    promise.then(cancel, cancel)
  }

  #step(event: ControllerEvent): void {
    if (this.#failure === null) {
      try {
        for (const effect of this.#controller.step(event)) this.#perform(effect)
      } catch (error) {
        this.#fail(error as Error)
      }
    }
    this.#checkStopped()
  }

  #perform(effect: ControllerEffect): void {
    switch (effect.type) {
      case 'append':
        return this.#keepGoing(this.#append(effect.epoch, effect.payload))
      case 'snapshot':
        return this.#keepGoing(this.#snapshot(effect.epoch, effect.image))
      case 'wait':
        return this.#wait()
      case 'publish':
        this.#options.onPublish(effect.image, effect.records)
        return this.#claimed.resolve()
      case 'answer':
        return this.#answer(effect.id, effect.answer)
      case 'resign':
        return this.#fail(
          new Deposed('The metadata log was written by another controller; this broker resigned.'),
        )
      default:
        return unreachable(effect)
    }
  }

  async #append(epoch: number, payload: Uint8Array): Promise<void> {
    const { nextSequence: sequence } = this.#cursor
    if (this.#options.mayAppend?.() === false) {
      return this.resign('its lease could not be renewed in time')
    }
    const outcome = await this.#options.store.append(this.#cursor, epoch, payload)
    this.#heard(outcome.kind === 'unavailable' ? outcome : null)
    if (outcome.kind !== 'committed') return this.#step({ type: outcome.kind })
    this.#cursor = outcome.cursor
    if (this.#failure !== null) return
    this.#options.onCommitted?.({ sequence, epoch, hash: outcome.cursor.lastHash, payload })
    this.#step({ type: 'committed', ...this.#progress() })
  }

  async #snapshot(epoch: number, image: MetadataImage): Promise<void> {
    const payload = encodeBatch(image.records())
    const outcome = await this.#options.store.writeSnapshot(this.#cursor, epoch, payload)
    this.#heard(isSilence(outcome) ? outcome : null)
    if (outcome.kind === 'unavailable') return this.#step({ type: 'snapshotUnavailable' })
    if (outcome.kind === 'unknown') return this.#step({ type: 'snapshotUnknown' })
    if (outcome.kind === 'lost') return this.#step({ type: 'lost' })
    this.#cursor = outcome.cursor
    if (this.#failure !== null) return
    if (outcome.note !== undefined) this.#options.onNoted?.(outcome.note)
    this.#step({ type: 'snapshotWritten', ...this.#progress() })
  }

  #heard(silence: Silence | null): void {
    this.#silence = silence
    if (silence === null) this.#isUnanswered = false
  }

  #progress(): { readonly nextSequence: number; readonly usedBytes: number } {
    const { nextSequence } = this.#cursor
    return { nextSequence, usedBytes: this.#options.store.room.usedBytes }
  }

  #keepGoing(operation: Promise<void>): void {
    this.#operation = operation.catch((error: unknown) => {
      this.#fail(error as Error)
      this.#checkStopped()
    })
  }

  #wait(): void {
    this.#isUnanswered = true
    const delayMs = Math.max(this.#options.retryDelayMs, this.#silence?.retryAfterMs ?? 0)
    this.#retry = this.#options.clock.after(delayMs, () => {
      this.#retry = null
      this.#step({ type: 'waited' })
    })
    this.#options.onSilence?.()
  }

  #answer(id: number, answer: Answer): void {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    pending?.resolve(explained(answer, this.#silence))
  }

  #fail(error: Error): void {
    if (this.#failure !== null) return
    this.#failure = error
    this.#retry?.cancel()
    this.#claimed.reject(error)
    // `start` reports it to its caller, if there is one still.
    this.#claimed.promise.catch(() => {})
    for (const pending of this.#pending.values()) pending.reject(error)
    this.#pending.clear()
    this.#options.onFailure(error)
  }

  /** A store that does not answer cannot be waited for: what is under way then has an outcome that nobody knows. */
  #checkStopped(): void {
    if (this.#stopped === null) return
    const isOver = this.#failure !== null || !this.#controller.isBusy || this.#retry !== null
    if (!isOver) return
    this.#retry?.cancel()
    for (const id of this.#pending.keys()) this.#answer(id, outcomeUnknown)
    this.#stopped.resolve()
  }
}

function isSilence(outcome: SnapshotOutcome): outcome is SnapshotOutcome & Silence {
  return outcome.kind === 'unavailable' || outcome.kind === 'unknown'
}

/** With the reason of the store's silence, where whoever asked waited for it in vain. */
function explained(answer: Answer, silence: Silence | null): Answer {
  if (answer.type !== 'refused' || answer.error !== 'REQUEST_TIMED_OUT') return answer
  if (silence?.reason === undefined) return answer
  return { ...answer, message: `${answer.message} (${silence.reason})` }
}

const outcomeUnknown: Refusal = {
  type: 'refused',
  error: 'REQUEST_TIMED_OUT',
  message:
    'The broker stopped while the metadata store did not answer: it may have happened or not.',
}

const notYetKnown: Refusal = {
  type: 'refused',
  error: 'REQUEST_TIMED_OUT',
  message:
    'The metadata store did not answer within the time of the request: it may still happen. Look before you try again.',
}

function failedBefore({ message }: Error): Refusal {
  return { type: 'refused', error: 'NOT_CONTROLLER', message: `No change is possible: ${message}` }
}
