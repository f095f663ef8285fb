import type { Timer } from '../../env/clock.ts'
import { randomUuid } from '../../env/random.ts'
import { assert } from '../../lib/assert.ts'
import type { MetadataImage } from '../metadata/image.ts'
import { legacyDirectoryId } from '../metadata/directory-id.ts'
import { decodeBatch, featureLevel, type MetadataRecord } from '../metadata/records.ts'
import { StoreError, type StoredLog } from '../metadata/store.ts'
import type { WireClient } from '../wire/client/client.ts'
import { WireClientError } from '../wire/client/client-error.ts'
import type { Office } from './office.ts'
import type { PartitionChange, PartitionChangeOutcome } from './partition-changes.ts'
import type { ClusterOptions, StandAlone } from './options.ts'
import { ControllerShell, Deposed } from './controller-shell.ts'
import type { Answer, Command, Refusal } from './controller/commands.ts'
import { type Look, look } from './look.ts'
import { rulesOf } from './rules.ts'

type Read = Extract<Look, { readonly kind: 'read' }>

/** Who is told what becomes of a membership. */
export interface MembershipListener {
  /** The last that was published, or what the broker stands on. */
  image(): MetadataImage
  publish(image: MetadataImage, records: readonly MetadataRecord[]): void
  /** This broker is the controller, and registered in this epoch; before `publish` has it. */
  registered(epoch: number): void
  /** Once, last. */
  failed(error: Error): void
}

/** Milliseconds between two looks at a store that answers: each reads all of it. */
const quarantineLookMs = 5_000

/**
 * This broker's hold on the store: it is the controller, or, where it has a copy to stand on, it stands alone and looks
 * again and again until the store is there and holds what this broker followed (durability.md 1.6).
 */
export class Membership {
  readonly #options: ClusterOptions
  readonly #listener: MembershipListener
  /** null while this broker stands alone. */
  #shell: ControllerShell | null = null
  /** On its way to office. */
  #candidate: ControllerShell | null = null
  #candidateFailure: Error | null = null
  #alone: StandAlone | null = null
  /** Somebody else wrote where this broker was the controller. */
  #deposed: Deposed | null = null
  #nextLook: Timer | null = null
  #looking: Promise<unknown> = Promise.resolve()
  #isStopped = false

  constructor(options: ClusterOptions, listener: MembershipListener) {
    this.#options = options
    this.#listener = listener
  }

  /** True while the store does not answer. */
  get isWaiting(): boolean {
    return this.#shell?.isWaiting ?? this.#alone?.kind === 'outage'
  }

  get standsAlone(): StandAlone | null {
    return this.#alone
  }

  /** As `ControllerShell.ask`; refused at once while this broker stands alone. */
  async ask(command: Command, timeoutMs?: number): Promise<Answer> {
    if (this.#shell === null) return refusedBy(this.#alone)
    try {
      return await this.#shell.ask(command, timeoutMs)
    } catch (error) {
      // The controller is gone, and the broker goes on.
      if (this.#alone !== null) return outcomeUnknown
      throw error
    }
  }

  /** This broker, while it is the controller. */
  get office(): Office | null {
    return this.#shell
  }

  alterPartitions(changes: readonly PartitionChange[]): Promise<PartitionChangeOutcome[]> {
    return Promise.resolve(changes.map(() => ({ kind: 'rejected', error: 'NOT_CONTROLLER' })))
  }

  connectTo(brokerId: number): Promise<WireClient> {
    const peer = this.#listener.image().brokers.get(brokerId)?.peer ?? null
    const { peers } = this.#options
    if (peer !== null && peers !== undefined) return peers.connect(peer)
    const message = `broker ${brokerId} has no private listener that this one could dial`
    return Promise.reject(new WireClientError('unreachable', message))
  }

  /** A broker that is alone has nobody to hand over to. */
  shutDown(_timeoutMs?: number): Promise<void> {
    return Promise.resolve()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#nextLook?.cancel()
    await this.#looking
    await this.#candidate?.stop()
    await this.#shell?.stop()
  }

  /** This broker is the controller, and registered. */
  get isAttached(): boolean {
    return this.#shell !== null
  }

  /**
   * Becomes the controller over what was read, and registers. Nobody sees an image before the one that has both.
   * `onSilence`: the store does not answer meanwhile; it is waited for.
   */
  async attach({ log, image }: Read, onSilence: () => void = () => {}): Promise<void> {
    const { copy } = this.#options
    const news = log.tail.filter(({ sequence }) => sequence > this.#listener.image().sequence)
    const held = { image, records: news.flatMap(({ payload }) => decodeBatch(payload)) }
    const shell = this.#makeShell(log, image, {
      onSilence,
      hold: (next, records) => {
        held.image = next
        held.records.push(...records)
      },
    })
    this.#candidate = shell
    this.#candidateFailure = null
    await shell.start()
    const epoch = await this.#register(shell)
    if ((copy?.local.unregisteredStarts ?? 0) > 0) await copy?.keep({ unregisteredStarts: 0 })
    if (this.#isStopped) return
    this.#candidate = null
    this.#shell = shell
    this.#deposed = null
    this.#setAlone(null)
    this.#listener.registered(epoch)
    this.#listener.publish(held.image, held.records)
  }

  /** Serves on, from what the copy has, and looks again later. */
  standAlone(found: Exclude<Look, { readonly kind: 'read' }>): void {
    const { env, retryDelayMs = 500 } = this.#options
    this.#setAlone(reasonOf(found))
    if (this.#isStopped) return
    const delayMs = found.kind === 'unusable' ? quarantineLookMs : retryDelayMs
    this.#nextLook = env.clock.after(delayMs, () => void this.#lookAgain())
  }

  /** Serves on, from what the copy has, until `attaching` comes to its end. */
  standAloneUntil(attaching: Promise<void>): void {
    this.#setAlone(reasonOf({ kind: 'unavailable', message: 'it went away during the start' }))
    attaching.catch((error: unknown) => this.#attachFailed(error))
  }

  #makeShell(
    log: StoredLog,
    image: MetadataImage,
    candidate: { hold: MembershipListener['publish']; onSilence: () => void },
  ): ControllerShell {
    const { env, store, clusterId, brokerId, retryDelayMs = 500 } = this.#options
    const { producerIdBlockCount } = this.#options
    const shell = new ControllerShell({
      clock: env.clock,
      store,
      cursor: log.cursor,
      retryDelayMs,
      controller: {
        brokerId,
        claimId: randomUuid(env.random),
        clusterId: clusterId ?? randomUuid(env.random),
        image,
        nextSequence: log.cursor.nextSequence,
        snapshotSequence: log.snapshot?.sequence ?? 0,
        snapshotIntervalMax: store.snapshotIntervalMax,
        unsnapshottedMax: store.unsnapshottedMax,
        room: store.room,
        payloadBytesMax: store.payloadBytesMax,
        rules: rulesOf(this.#options),
        ...(producerIdBlockCount === undefined ? {} : { producerIdBlockCount }),
      },
      onPublish: (next, records) => {
        if (this.#shell === shell) this.#listener.publish(next, records)
        else candidate.hold(next, records)
      },
      onSilence: () => {
        if (this.#shell !== shell) candidate.onSilence()
      },
      onFailure: error => {
        if (this.#shell === shell) this.#lost(error)
        else this.#candidateFailure = error
      },
    })
    return shell
  }

  async #register(shell: ControllerShell): Promise<number> {
    const { env, brokerId, rack = null, listeners, copy } = this.#options
    const answer = await shell.ask({
      type: 'registerBroker',
      brokerId,
      incarnationId: randomUuid(env.random),
      rack,
      listeners,
      peer: null,
      directoryId: this.#options.directoryId ?? legacyDirectoryId(brokerId),
      startClass: 'C',
      damaged: [],
      featureLevelMax: featureLevel,
      lastSequence: 0,
      lastHash: null,
      unregisteredStarts: copy?.local.unregisteredStarts ?? 0,
    })
    if (answer.type === 'refused') throw this.#candidateFailure ?? new Error(answer.message)
    assert(answer.type === 'brokerRegistered', 'an answer fits its command')
    return answer.brokerEpoch
  }

  /** Another writer, or a store that is not what it was, ends only a broker that has nothing to stand on. */
  #lost(error: Error): void {
    if (this.#options.copy === undefined || !isOfStore(error)) return this.#listener.failed(error)
    this.#shell = null
    if (error instanceof Deposed) this.#deposed = error
    this.standAlone({ kind: 'unavailable', message: error.message })
  }

  async #lookAgain(): Promise<void> {
    try {
      const looking = look(this.#options)
      this.#looking = looking.catch(() => {})
      const found = await looking
      if (this.#isStopped) return
      if (found.kind !== 'read') return this.standAlone(found)
      const isRivals = found.image.controllerEpoch > this.#listener.image().controllerEpoch
      if (this.#deposed !== null && isRivals) return this.#listener.failed(this.#deposed)
      await this.attach(found)
    } catch (error) {
      this.#attachFailed(error)
    }
  }

  #attachFailed(error: unknown): void {
    if (this.#isStopped) return
    if (!isOfStore(error)) return this.#listener.failed(error as Error)
    if (error instanceof Deposed) this.#deposed = error
    this.standAlone({ kind: 'unavailable', message: error.message })
  }

  #setAlone(reason: StandAlone | null): void {
    const before = this.#alone
    this.#alone = reason
    const isNews = before?.kind !== reason?.kind || before?.message !== reason?.message
    if (isNews) this.#options.onStandAlone?.(reason)
  }
}

function isOfStore(error: unknown): error is Error {
  return error instanceof Deposed || (error instanceof StoreError && error.reason !== 'failed')
}

function reasonOf(found: Exclude<Look, { readonly kind: 'read' }>): StandAlone {
  if (found.kind === 'unusable') return { kind: 'quarantine', message: found.error.message }
  return { kind: 'outage', message: `The metadata store does not answer: ${found.message}.` }
}

/** To be tried again: clients do so by themselves. */
function refusedBy(alone: StandAlone | null): Refusal {
  const message = `Nothing can be changed: ${alone?.message ?? 'the broker is starting.'}`
  return { type: 'refused', error: 'REQUEST_TIMED_OUT', message: `${message} Try again later.` }
}

const outcomeUnknown: Refusal = {
  type: 'refused',
  error: 'REQUEST_TIMED_OUT',
  message:
    'The metadata store went away meanwhile: it may have happened or not. Look before you try again.',
}
