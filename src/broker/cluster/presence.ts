import type { Clock } from '../../env/clock.ts'
import { deferred, type Deferred } from '../../lib/deferred.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { Answer, Command, Refusal, Registration } from './controller/commands.ts'
import { Interruption, Pause } from './pause.ts'

export interface PresenceOptions {
  readonly clock: Clock
  readonly brokerId: number
  readonly heartbeatIntervalMs: number
  readonly beat?: (() => number) | undefined
  /** Without an answer of a controller for so long, nobody waits for one to stop. */
  readonly sessionTimeoutMs: number
  readonly image: () => MetadataImage
  /** One attempt: a refusal, or null where the controller could not be asked or gave no answer. */
  readonly askOnce: (command: Command, timeoutMs: number) => Promise<Answer | null>
  /** A sign of life was asked for, and this came of it after that time. */
  readonly beaten?: ((outcome: HeartbeatOutcome, seconds: number) => void) | undefined
  /** The controller registered this start; before the image has it. */
  readonly registered: (epoch: number) => void
  readonly failed: (error: Error) => void
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

/** `unanswered`: no controller was found, it did not answer in time, or there was another one meanwhile. */
type HeartbeatOutcome = 'ok' | 'refused' | 'unanswered'

const retryDelayMs = 200
/** A registration waits for an append to a store that may be slow. */
const registrationTimeoutMs = 10_000
/** Requests to stop are repeated faster than signs of life. */
const farewellIntervalMs = 100

/**
 * This start of the broker among those that the controller knows: it is registered once, acts by the log only when it has
 * applied its own registration (durability.md R2), and then tells every second that it lives and how far it is.
 */
export class Presence {
  readonly #options: PresenceOptions
  readonly #pause: Pause
  #registration: Registration | null = null
  #epoch = -1
  #applied: Deferred<void> | null = null
  #beat = 0
  #isBeating = false
  #isReady = false
  #isStopped = false
  #controllerEpoch = -1
  readonly #asking = new Interruption()
  /** When a controller took a sign of life last. */
  #takenMs = -Infinity
  #farewell: Deferred<void> | null = null

  constructor(options: PresenceOptions) {
    this.#options = options
    this.#pause = new Pause(options.clock)
  }

  /** Of this start; -1 before it is registered. */
  get epoch(): number {
    return this.#epoch
  }

  /** Registers this start, however long it takes; resolves when its record is applied here. */
  async register(make: () => Registration): Promise<void> {
    this.#applied = deferred()
    let reason = ''
    while (!this.#isStopped) {
      const registration = (this.#registration = make())
      const command = { type: 'registerBroker', ...registration } as const
      const answer = await this.#asking.wait(this.#options.askOnce(command, registrationTimeoutMs))
      if (answer?.type === 'brokerRegistered') {
        this.#registered(answer.brokerEpoch)
        break
      }
      if (answer?.type === 'refused') reason = this.#refused(answer, reason)
      await this.#pause.wait(retryDelayMs)
    }
    await this.#applied.promise
  }

  /** It is being registered in another way: as the only broker of a cluster. */
  asked(registration: Registration): void {
    this.#registration = registration
  }

  /** What was asked for in another way was done. */
  adopt(epoch: number): void {
    this.#epoch = epoch
    this.#startBeating()
  }

  /** It has an epoch, and `image` has it in that one: nothing is to be registered. */
  isIn({ brokers }: MetadataImage): boolean {
    return this.#epoch >= 0 && brokers.get(this.#options.brokerId)?.epoch === this.#epoch
  }

  /** Before `image` is published: it may tell that this process was registered anew, where the answer was lost. */
  imageComes({ brokers }: MetadataImage): void {
    const own = brokers.get(this.#options.brokerId)
    if (this.#epoch < 0 || own === undefined || own.epoch <= this.#epoch) return
    if (own.incarnationId !== this.#registration?.incarnationId) return
    this.#epoch = own.epoch
    this.#options.registered(own.epoch)
  }

  /** This broker can serve what it is given: it is not fenced any more by its own wish. */
  setReady(): void {
    this.#isReady = true
    this.#pause.cut()
  }

  /** There is another controller: nobody waits for the one before, and the new one hears of this broker at once. */
  hurry(): void {
    this.#asking.cut()
    this.#pause.cut()
  }

  /** A new image was published. */
  imageChanged(image: MetadataImage): void {
    if (image.controllerEpoch !== this.#controllerEpoch) this.hurry()
    this.#controllerEpoch = image.controllerEpoch
    const own = image.brokers.get(this.#options.brokerId)
    if (this.#epoch >= 0 && own !== undefined && own.epoch > this.#epoch) return this.#replaced()
    if (this.#isBeating && own === undefined) return this.#forgotten()
    if (own?.epoch !== this.#epoch) return
    this.#applied?.resolve()
    this.#startBeating()
    if (own.isFenced && this.#isReady) this.#pause.cut()
  }

  /** Asks to go until the controller lets this broker go, or none has answered for a session, or for `timeoutMs`. */
  shutDown(timeoutMs: number): Promise<void> {
    if (!this.#isBeating) return Promise.resolve()
    if (this.#farewell === null) {
      const farewell = (this.#farewell = deferred())
      this.#takenMs = this.#options.clock.monotonic()
      const timer = this.#options.clock.after(timeoutMs, () => farewell.resolve())
      void farewell.promise.then(() => timer.cancel())
      this.#pause.cut()
    }
    return this.#farewell.promise
  }

  stop(): void {
    this.#isStopped = true
    this.#farewell?.resolve()
    this.#applied?.resolve()
    this.hurry()
  }

  #registered(epoch: number): void {
    this.#epoch = epoch
    this.#options.registered(epoch)
    this.imageChanged(this.#options.image())
  }

  /** Told once for each reason. */
  #refused({ error, message }: Refusal, before: string): string {
    if (error !== before && error !== 'NOT_CONTROLLER') {
      this.#options.warn('The controller does not register this broker yet', { error, message })
    }
    return error
  }

  #startBeating(): void {
    if (this.#isBeating || this.#isStopped) return
    this.#isBeating = true
    void this.#beatOn()
  }

  async #beatOn(): Promise<void> {
    const { heartbeatIntervalMs, clock } = this.#options
    while (!this.#isStopped) {
      const startedMs = clock.monotonic()
      await this.#beatOnce()
      if (this.#isStopped) return
      const periodMs = this.#farewell === null ? heartbeatIntervalMs : farewellIntervalMs
      await this.#pause.wait(Math.max(0, startedMs + periodMs - clock.monotonic()))
    }
  }

  async #beatOnce(): Promise<void> {
    const { brokerId, image, heartbeatIntervalMs, sessionTimeoutMs, clock, beat } = this.#options
    const command = {
      type: 'heartbeat',
      brokerId,
      brokerEpoch: this.#epoch,
      appliedSequence: image().sequence,
      wantsShutdown: this.#farewell !== null,
      wantsFence: !this.#isReady,
      beat: beat?.() ?? ++this.#beat,
    } as const
    const askedMs = clock.monotonic()
    const asked = this.#options.askOnce(command, heartbeatIntervalMs * 2)
    const answer = await this.#asking.wait(asked)
    if (this.#isStopped) return
    this.#options.beaten?.(outcomeOf(answer), (clock.monotonic() - askedMs) / 1000)
    if (answer?.type === 'heartbeatTaken') {
      this.#takenMs = clock.monotonic()
      if (answer.mayShutDown) this.#farewell?.resolve()
    }
    if (answer?.type === 'refused') this.#beatRefused(answer)
    const isForgotten = clock.monotonic() - this.#takenMs >= sessionTimeoutMs
    if (isForgotten) this.#farewell?.resolve()
  }

  #beatRefused({ error, message }: Refusal): void {
    if (error !== 'BROKER_ID_NOT_REGISTERED' && error !== 'STALE_BROKER_EPOCH') return
    const own = this.#options.image().brokers.get(this.#options.brokerId)
    // What this broker knows is older than what the controller does: its image will tell.
    if (own?.epoch === this.#epoch) return
    this.#options.warn('The controller does not know this broker', { error, message })
  }

  #replaced(): void {
    this.#end(
      `Another process registered as broker ${this.#options.brokerId}: two have the same node.id. Give one of them another, and its own directory.`,
    )
  }

  /** Nothing of its state is this cluster's any more; its next start is a broker like any other that comes new. */
  #forgotten(): void {
    this.#end(
      `Broker ${this.#options.brokerId} was unregistered while it ran: the cluster knows it no longer. It registers again when it is started again; to remove it leave it stopped.`,
    )
  }

  #end(message: string): void {
    if (this.#isStopped) return
    this.stop()
    this.#options.failed(new Error(message))
  }
}

function outcomeOf(answer: Answer | null): HeartbeatOutcome {
  if (answer?.type === 'heartbeatTaken') return 'ok'
  return answer === null ? 'unanswered' : 'refused'
}
