import type { Timer } from '../../env/clock.ts'
import { randomUuid } from '../../env/random.ts'
import type { Uuid } from '../../lib/uuid.ts'
import type { MetadataImage } from '../metadata/image.ts'
import { decodeBatch, type MetadataRecord } from '../metadata/records.ts'
import type { WireClient } from '../wire/client/client.ts'
import { Asker } from './asker.ts'
import type { Answer, Command, Registration } from './controller/commands.ts'
import { ControllerLink } from './controller-link.ts'
import { type ControllerShell, Deposed } from './controller-shell.ts'
import { ImageWaits } from './image-waits.ts'
import { KnownLog } from './known-log.ts'
import { type Look, look } from './look.ts'
import { makeOffice } from './make-office.ts'
import type { HeldOffice, Office } from './office.ts'
import type { ClusterOptions, StandAlone, StartFacts } from './options.ts'
import type { PartitionChange, PartitionChangeOutcome } from './partition-changes.ts'
import type { OpenedCluster, PeerService } from './peer-service.ts'
import { Presence } from './presence.ts'
import { plainFacts, registerIn, registrationOf } from './registering.ts'
import { serveMetadata } from './serve-metadata.ts'
import { isOnlyBroker } from './stand-in.ts'
import {
  endOf,
  isOfStore,
  outcomeUnknown,
  quarantineOf,
  reasonOf,
  refusedBy,
  type Unread,
} from './standing-alone.ts'
import { Succession } from './succession.ts'

type Read = Extract<Look, { readonly kind: 'read' }>

/** Who is told what becomes of a membership. */
export interface MembershipListener {
  /** The last that was published, or what the broker stands on. */
  image(): MetadataImage
  publish(image: MetadataImage, records: readonly MetadataRecord[]): void
  /** The controller registered this broker in this epoch; before `publish` has it. */
  registered(epoch: number): void
  failed(error: Error): void
  /** For whoever must know the cluster before this broker is registered in it, as `image` tells it. */
  opened(image: MetadataImage): OpenedCluster
}

/** Milliseconds between two looks at a store that answers: each reads all of it. */
const quarantineLookMs = 5_000

/**
 * This broker's part in the cluster. It holds the controller's office, or it follows the log while another does and watches
 * for the office to become free; both can be won and lost again and again. Where it is the only broker and has a copy to stand
 * on, it may stand alone instead: it looks until the store is there and holds what this broker followed (durability.md 1.6).
 */
export class Membership implements PeerService {
  readonly #options: ClusterOptions
  readonly #listener: MembershipListener
  readonly #known: KnownLog
  readonly #link: ControllerLink
  readonly #asker: Asker
  readonly #presence: Presence
  readonly #waits: ImageWaits
  readonly #succession: Succession
  #incarnationId: Uuid
  #facts: StartFacts | null = null
  /** On its way to office, as the only broker. */
  #candidate: ControllerShell | null = null
  #alone: StandAlone | null = null
  /** Somebody else wrote where this broker was the controller. */
  #deposed: Deposed | null = null
  #nextLook: Timer | null = null
  /** What was asked of the store last, by an office that was lost or by a look: one thing at a time. */
  #looking: Promise<unknown> = Promise.resolve()
  #isStopped = false

  constructor(options: ClusterOptions, listener: MembershipListener) {
    const { env, copy, store, brokerId, timers = {} } = options
    const { clock } = env
    const image = (): MetadataImage => listener.image()
    this.#options = options
    this.#listener = listener
    this.#incarnationId = randomUuid(env.random)
    this.#waits = new ImageWaits(clock)
    this.#known = new KnownLog({
      clock,
      copy,
      snapshotIntervalMax: store.snapshotIntervalMax,
      image,
      publish: (next, records) => this.#publish(next, records),
    })
    const onRumour = (): void => {
      this.#succession.office?.shell.resign('another broker is, in a later epoch')
      for (const each of [this.#succession, this.#presence]) each.hurry()
    }
    this.#link = new ControllerLink({ clock, brokerId, peers: options.peers, image, onRumour })
    const brokerEpoch = (): number => this.#presence.epoch
    this.#asker = new Asker({
      clock,
      link: this.#link,
      office: () => this.office,
      caller: () => ({
        clusterId: image().isCreated ? image().clusterId : '',
        brokerId,
        brokerEpoch: brokerEpoch(),
      }),
      seen: (sequence, timeoutMs) => this.#waits.until(sequence, timeoutMs),
    })
    const told = {
      image,
      failed: (error: Error) => listener.failed(error),
      warn: (message: string, fields: Readonly<Record<string, unknown>>) =>
        options.warn?.(message, fields),
    }
    this.#presence = new Presence({
      ...told,
      clock,
      brokerId,
      beat: options.beat,
      beaten: options.beaten,
      heartbeatIntervalMs: timers.heartbeatIntervalMs ?? 1_000,
      sessionTimeoutMs: timers.sessionTimeoutMs ?? 6_000,
      askOnce: async (command, timeoutMs) => {
        const attempt = await this.#asker.once(command, timeoutMs)
        return attempt.kind === 'answered' ? attempt.answer : null
      },
      registered: epoch => listener.registered(epoch),
    })
    this.#succession = new Succession({
      ...told,
      cluster: options,
      known: this.#known,
      link: this.#link,
      brokerEpoch,
      publish: (next, records) => this.#publish(next, records),
      quarantined: error => this.#setAlone(error === null ? null : quarantineOf(error)),
    })
  }

  get brokerId(): number {
    return this.#options.brokerId
  }

  get image(): MetadataImage {
    return this.#listener.image()
  }

  get claim(): PeerService['claim'] {
    return this.#link.claim
  }

  heard(claim: PeerService['claim']): void {
    this.#link.heard(claim)
  }

  fetchMetadata(
    request: Parameters<PeerService['fetchMetadata']>[0],
    onEarlier: (end: () => void) => void,
  ): ReturnType<PeerService['fetchMetadata']> {
    if (this.office === null && !this.#succession.isFollowing) return null
    const served = {
      known: this.#known,
      image: () => this.image,
      claim: () => this.#link.claim,
      isController: () => this.office !== null,
    }
    return serveMetadata(served, request, onEarlier)
  }

  /** True while the store does not answer. */
  get isWaiting(): boolean {
    return this.#succession.office?.shell.isWaiting ?? this.#alone?.kind === 'outage'
  }

  get standsAlone(): StandAlone | null {
    return this.#alone
  }

  /** This broker, while it is the controller. */
  get office(): Office | null {
    return this.#succession.office
  }

  get controllerHeardMs(): number {
    // A process that stood still holds an office of which the lease ran out.
    if (this.#succession.office?.mayAppend !== true) return this.#link.heardMs
    return this.#options.env.clock.monotonic()
  }

  /** As `Cluster.ask`; refused at once while this broker stands alone. */
  async ask(command: Command, timeoutMs?: number): Promise<Answer> {
    if (this.#succession.isFollowing && this.#alone === null) {
      return this.#asker.ask(command, timeoutMs)
    }
    if (this.office === null) return refusedBy(this.#alone)
    try {
      return await this.office.ask(command, timeoutMs)
    } catch (error) {
      // The controller is gone, and the broker goes on.
      if (this.#alone !== null || isOfStore(error)) return outcomeUnknown
      throw error
    }
  }

  alterPartitions(changes: readonly PartitionChange[]): Promise<PartitionChangeOutcome[]> {
    return this.#asker.alterPartitions(changes)
  }

  connectTo(brokerId: number): Promise<WireClient> {
    return this.#link.connectTo(brokerId)
  }

  setReady(): void {
    this.#presence.setReady()
  }

  /** A broker that is alone has nobody to hand over to. */
  shutDown(timeoutMs: number): Promise<void> {
    if (this.image.brokers.size <= 1) return Promise.resolve()
    return this.#presence.shutDown(timeoutMs)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#nextLook?.cancel()
    this.#presence.stop()
    this.#waits.stop()
    await this.#looking
    await this.#candidate?.stop()
    await this.#succession.stop()
    this.#options.peers?.close()
  }

  /**
   * The only broker of a cluster becomes the controller over what was read, and registers. Nobody sees an image before the one
   * that has both. `onSilence`: the store does not answer meanwhile; it is waited for.
   */
  async attach(read: Read, onSilence: () => void = () => {}): Promise<void> {
    const { copy, isSoleBroker = true } = this.#options
    const { log, image } = read
    const news = log.tail.filter(({ sequence }) => sequence > this.image.sequence)
    const held = { image, records: news.flatMap(({ payload }) => decodeBatch(payload)) }
    const isHeld = (): boolean => this.#succession.office === office
    this.#known.begin(log)
    this.#known.setOwned(true)
    const office: HeldOffice = makeOffice(this.#options, read, this.#known, {
      onPublish: (next, records) => {
        if (isHeld()) return this.#publish(next, records)
        held.image = next
        held.records.push(...records)
      },
      onSilence: () => {
        if (!isHeld()) onSilence()
      },
      onFailure: error => {
        if (isHeld()) this.#lost(office, error)
      },
    })
    this.#candidate = office.shell
    const epoch = await this.#enter(office, () => held.image)
    if ((copy?.local.unregisteredStarts ?? 0) > 0) await copy?.keep({ unregisteredStarts: 0 })
    if (this.#isStopped) return office.stop()
    this.#candidate = null
    this.#succession.hold(office)
    this.#deposed = null
    this.#setAlone(null)
    this.#listener.registered(epoch)
    if (!isSoleBroker) this.#presence.adopt(epoch)
    this.#publish(held.image, held.records)
  }

  /**
   * One of several brokers: it holds the office, or follows whoever does. Resolves when it is registered, and the image has
   * that (durability.md R2).
   */
  async join(found: Exclude<Look, Unread>): Promise<void> {
    this.#known.begin(found.log)
    try {
      if (found.kind === 'read') await this.#succession.claim(found)
    } catch (error) {
      if (!isOfStore(error)) throw error
    }
    if (this.office === null) this.#succession.follow()
    this.#waits.reached(this.image.sequence)
    if (!(await this.#waits.until(1))) return
    // Who had the office as the only broker is registered still, and goes on in the same epoch.
    if (this.#presence.isIn(this.image)) return
    await this.#registration(this.image)
    await this.#presence.register(() => this.#registrationNow())
  }

  /** Serves on, from what the copy has, and looks again later. */
  standAlone(found: Unread, reason = reasonOf(found)): void {
    const { env, retryDelayMs = 500 } = this.#options
    // Silence in between does not end a quarantine.
    if (found.kind === 'unusable' || this.#alone?.kind !== 'quarantine') this.#setAlone(reason)
    if (this.#isStopped) return
    const delayMs =
      found.kind === 'unusable' ? quarantineLookMs : Math.max(retryDelayMs, found.retryAfterMs ?? 0)
    this.#nextLook = env.clock.after(delayMs, () => void this.#lookAgain())
  }

  /** Serves on so until `attaching` comes to its end. */
  standAloneUntil(attaching: Promise<void>): void {
    this.#setAlone(reasonOf({ kind: 'unavailable', message: 'it went away during the start' }))
    attaching.catch((error: unknown) => this.#attachFailed(error))
  }

  /** Once `image` is known, and before the controller hears of this start. */
  async #registration(image: MetadataImage): Promise<Registration> {
    const { facts } = this.#options
    const opened = this.#listener.opened(image)
    if (facts !== undefined) this.#facts ??= await facts(opened)
    return this.#registrationNow()
  }

  #registrationNow(): Registration {
    const facts = this.#facts ?? plainFacts(this.#options)
    const start = { incarnationId: this.#incarnationId, facts, cursor: this.#known.cursor }
    return registrationOf(this.#options, start)
  }

  /** Claims the office and registers in it. */
  async #enter(office: HeldOffice, image: () => MetadataImage): Promise<number> {
    try {
      await office.shell.start()
      const registration = await this.#registration(image())
      this.#presence.asked(registration)
      return await registerIn(office.shell, registration)
    } catch (error) {
      office.stop()
      await office.shell.settled()
      throw error
    }
  }

  /** Another writer, or a store that is not what it was, ends only a broker that has nothing to stand on. */
  #lost(office: HeldOffice, error: Error): void {
    const { copy, brokerId, isSoleBroker = true } = this.#options
    const isOnly = isOnlyBroker(this.image, brokerId)
    if (!isSoleBroker && isOfStore(error) && !(isOnly && copy !== undefined)) {
      return this.#succession.lost(office, error)
    }
    if (copy === undefined || !isOfStore(error)) return this.#listener.failed(error)
    this.#succession.drop(office)
    this.#looking = office.shell.settled()
    if (error instanceof Deposed) this.#deposed = error
    this.standAlone({ kind: 'unavailable', message: error.message }, endOf(error))
  }

  async #lookAgain(): Promise<void> {
    const { isSoleBroker = true } = this.#options
    try {
      const looking = this.#looking.then(() => look(this.#options))
      this.#looking = looking.catch(() => {})
      const found = await looking
      if (this.#isStopped) return
      if (found.kind === 'unavailable' || found.kind === 'unusable') return this.standAlone(found)
      const isRivals = found.image.controllerEpoch > this.image.controllerEpoch
      if (isSoleBroker && this.#deposed !== null && isRivals) {
        return this.#listener.failed(this.#deposed)
      }
      // Each registration stands for one start in leader epochs of its own.
      this.#incarnationId = randomUuid(this.#options.env.random)
      if (found.kind === 'held' || !isOnlyBroker(found.image, this.brokerId)) {
        this.#setAlone(null)
        await this.#known.alone(async () => this.#known.catchUp(found.log))
        return await this.join(found)
      }
      await this.attach(found)
    } catch (error) {
      this.#attachFailed(error)
    }
  }

  #attachFailed(error: unknown): void {
    if (this.#isStopped) return
    if (!isOfStore(error)) return this.#listener.failed(error as Error)
    if (error instanceof Deposed) this.#deposed = error
    this.standAlone({ kind: 'unavailable', message: error.message }, endOf(error))
  }

  #publish(image: MetadataImage, records: readonly MetadataRecord[]): void {
    const { isSoleBroker = true } = this.#options
    if (!isSoleBroker) this.#presence.imageComes(image)
    this.#listener.publish(image, records)
    this.#waits.reached(image.sequence)
    this.#succession.hurry()
    if (!isSoleBroker) this.#presence.imageChanged(image)
  }

  #setAlone(reason: StandAlone | null): void {
    const before = this.#alone
    this.#alone = reason
    const isNews = before?.kind !== reason?.kind || before?.message !== reason?.message
    if (isNews) this.#options.onStandAlone?.(reason)
  }
}
