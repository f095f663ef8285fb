import { type Address, type Clock, DiskError, type Env } from '../../env/env.ts'
import { readUint32 } from '../../lib/bytes.ts'
import type { MetadataImage } from '../metadata/image.ts'
import { type Lease, StoreUnavailable } from '../metadata/store.ts'
import { WireClientError } from '../wire/client/client-error.ts'
import { fetchMetadata, type FetchMetadataAnswer } from '../wire/private/index.ts'
import { type ControllerLink, NotSent } from './controller-link.ts'
import type { BrokerSilence } from './controller/events.ts'
import { BrokenChain, type KnownLog } from './known-log.ts'
import { Interruption, Pause } from './pause.ts'
import type { Lane } from './peers.ts'
import { isSilence, Silence } from './silence.ts'

/** How the office is tried for. */
export interface TakeOptions {
  /** Also where another broker has its lease. */
  readonly force: boolean
  /** The controller whose process was seen to be gone. */
  readonly deadId?: number
  /** The controller, where it answers nothing. */
  readonly silence?: BrokerSilence | null
}

export interface FollowingOptions {
  readonly env: Pick<Env, 'clock' | 'random'>
  readonly brokerId: number
  readonly lease: Lease
  readonly known: KnownLog
  readonly link: ControllerLink
  readonly image: () => MetadataImage
  /** The epoch of this broker's registration; -1 before. */
  readonly brokerEpoch: () => number
  /** Tries to win the office; resolves when it is won or not to be had. Never rejects. */
  readonly takeOffice: (options: TakeOptions) => Promise<void>
  /** Reads the store, and takes what is new there. Never rejects. */
  readonly readStore: () => Promise<void>
  /** The store held what this broker may not follow, when it was read last. */
  readonly isQuarantined: () => boolean
  /** Whether that controller's lease may be broken, where nobody listens in its place. */
  readonly mayForce: (controllerId: number) => boolean
  /** Nothing that is told can be taken any more. */
  readonly failed: (error: Error) => void
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

/** How long a controller waits for a record before it says that there is none. */
const pollMs = 1_000
/** And how long its answer may take altogether. */
const pollTimeoutMs = 3_000
const retryDelayMs = 150
/** Asks another peer what it knows. */
const lookPeriodMs = 2_000
/** Looks at the lease. */
const watchPeriodMs = 2_000
/** And at that of a controller that answers nothing. */
const silentWatchPeriodMs = 500
/** Without a word from a controller for so long, the store is read. */
const silenceMsMax = 3_000
/** A controller whose connection broke, and whose place refuses new ones for so long, is dead (durability.md 1.5). */
const refusedMsMin = 1_000
/** Where there is no lease to agree by, a controller that was heard so lately has the office: as long as a lease would last. */
const leaselessMsMin = 10_000
/** Between the attempts of those who would follow it, by their order: so that one comes first. */
const rankDelayMs = 500

/**
 * Follows the metadata log while another broker is the controller, by whoever tells it: the controller by a long poll, every
 * few seconds some other peer, and the store where no controller is heard of. Watches the lease meanwhile, to win the
 * office when it is free, or at once when the controller's process is seen to be dead.
 */
export class Following {
  readonly #options: FollowingOptions
  readonly #pollPause: Pause
  readonly #lookPause: Pause
  readonly #watchPause: Pause
  readonly #asking = new Interruption()
  readonly #silence = new Silence()
  #asked: Address | null = null
  #isOver = false
  /** When a controller told something last. */
  #heardMs: number
  /** Since when its place is known to be empty. */
  #brokenMs: number | null = null
  /** What was warned of last, by who told it; of this broker's own disk under its own id. */
  readonly #warned = new Map<number, string>()
  /** Before the next look into the store for a controller. */
  #searchDelayMs = retryDelayMs

  constructor(options: FollowingOptions) {
    const { clock } = options.env
    this.#options = options
    this.#pollPause = new Pause(clock)
    this.#lookPause = new Pause(clock)
    this.#watchPause = new Pause(clock)
    this.#heardMs = clock.monotonic()
    void this.#poll()
    void this.#look()
    void this.#watch()
  }

  get #clock(): Clock {
    return this.#options.env.clock
  }

  /** There may be another controller to be asked: nobody waits for the one before. */
  hurry(): void {
    this.#pollPause.cut()
    if (!isSame(this.#asked, this.#options.link.target)) this.#asking.cut()
  }

  stop(): void {
    this.#isOver = true
    this.#pollPause.cut()
    this.#lookPause.cut()
    this.#watchPause.cut()
    this.#asking.cut()
  }

  async #poll(): Promise<void> {
    while (!this.#isOver) {
      const address = this.#options.link.target
      if (address === null) {
        await this.#search()
        continue
      }
      const { controllerId } = this.#options.link.claim
      this.#asked = address
      const askedMs = this.#clock.monotonic()
      try {
        const answer = await this.#asking.wait(this.#ask(address, 'metadata', pollMs))
        if (answer === null) continue
        const { isController } = answer
        this.#brokenMs = null
        for (const id of [controllerId, this.#options.brokerId]) this.#warned.delete(id)
        this.#silence.ended()
        this.#searchDelayMs = retryDelayMs
        if (isController) this.#heardMs = this.#clock.monotonic()
        else if (!this.#isOver) await this.#pollPause.wait(retryDelayMs)
      } catch (error) {
        if (isSilence(error)) this.#silence.unanswered(controllerId, askedMs)
        else this.#silence.ended()
        const delayMs = await this.#missed(error, controllerId)
        if (!this.#isOver) await this.#pollPause.wait(delayMs)
      }
    }
  }

  /** Nobody is known who could be asked: the store may tell of somebody. */
  async #search(): Promise<void> {
    await this.#pollPause.wait(this.#searchDelayMs)
    this.#searchDelayMs = Math.min(this.#searchDelayMs * 2, lookPeriodMs)
    // In quarantine it is read all the time.
    if (!this.#isOver && !this.#options.isQuarantined()) await this.#options.readStore()
  }

  async #look(): Promise<void> {
    while (!this.#isOver) {
      await this.#lookPause.wait(lookPeriodMs)
      if (this.#isOver) return
      const isUnheard = this.#clock.monotonic() - this.#heardMs >= silenceMsMax
      // A controller that is heard does not end a quarantine: only the store does.
      if (isUnheard || this.#options.isQuarantined()) await this.#options.readStore()
      if (isUnheard) this.hurry()
      await this.#askSomebody()
    }
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      const isSilent = this.#silence.found !== null
      await this.#watchPause.wait(isSilent ? silentWatchPeriodMs : watchPeriodMs)
      if (!this.#isOver) await this.#watchLease()
    }
  }

  async #watchLease(): Promise<void> {
    const { lease, takeOffice } = this.#options
    try {
      const { isHeld, isMine, isMissing } = await lease.observe()
      if (this.#isOver) return
      if (isMissing && !this.#isForsaken()) return
      if (!isHeld || isMine) await takeOffice({ force: false, silence: this.#silence.found })
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error
    }
  }

  /** No controller was heard for as long as a lease would last, and nobody who comes before this broker has followed it. */
  #isForsaken(): boolean {
    const rank = this.#rankBeside(this.#options.link.claim.controllerId)
    const delayMs = leaselessMsMin + 2 * lookPeriodMs * rank
    return this.#clock.monotonic() - this.#heardMs >= delayMs
  }

  /** This broker's place among those who would follow controller `id`, from 0. */
  #rankBeside(id: number): number {
    const { image, brokerId } = this.#options
    const heirs = [...image().brokers.keys()].filter(each => each !== id).toSorted((a, b) => a - b)
    return Math.max(0, heirs.indexOf(brokerId))
  }

  /** Some other broker may know of a controller that the one that is asked all the time does not (durability.md 1.4). */
  async #askSomebody(): Promise<void> {
    const { env, brokerId, link, image } = this.#options
    const others = [...image().brokers.values()].filter(
      ({ id, peer }) => id !== brokerId && id !== link.claim.controllerId && peer !== null,
    )
    const chosen = others[readUint32(env.random.bytes(4), 0) % Math.max(1, others.length)]
    if (chosen?.peer === undefined || chosen.peer === null) return
    try {
      await this.#ask(chosen.peer, 'gossip', 0)
    } catch (error) {
      if (!isOfPeer(error)) await this.#missed(error, chosen.id)
    }
  }

  async #ask(address: Address, lane: Lane, maxWaitMs: number): Promise<FetchMetadataAnswer> {
    const { brokerId, brokerEpoch, known, link, image } = this.#options
    const { nextSequence, lastHash } = known.cursor
    const asked = { address, lane, api: fetchMetadata, timeoutMs: pollTimeoutMs }
    const answer = await link.request(asked, {
      clusterId: image().isCreated ? image().clusterId : '',
      brokerId,
      brokerEpoch: brokerEpoch(),
      lastSequence: nextSequence - 1,
      lastHash,
      maxWaitMs,
    })
    if (this.#isOver) return answer
    if (answer.errorCode !== 0) throw new BrokenChain(answer.errorMessage ?? 'it was refused')
    await known.take(answer)
    return answer
  }

  /** After how long it is to be asked again. */
  async #missed(error: unknown, controllerId: number): Promise<number> {
    if (this.#isOver) return 0
    if (error instanceof BrokenChain || error instanceof DiskError) {
      return (await this.#refused(error, controllerId)) ? retryDelayMs : lookPeriodMs
    }
    if (!isOfPeer(error)) {
      this.#options.failed(error as Error)
    } else if (isEmptyPlace(error)) {
      this.#brokenMs ??= this.#clock.monotonic()
      if (isRefusal(error)) await this.#succeed(controllerId)
    } else {
      this.#brokenMs = null
    }
    return retryDelayMs
  }

  /** What was told could not be taken: told to people once for each reason. False where nothing new is to be hoped for soon. */
  async #refused(error: BrokenChain | DiskError, brokerId: number): Promise<boolean> {
    const { readStore, isQuarantined, warn, brokerId: ownId } = this.#options
    const reason = error.message
    const about = error instanceof DiskError ? ownId : brokerId
    const isNews = this.#warned.get(about) !== reason
    this.#warned.set(about, reason)
    if (error instanceof DiskError) {
      if (isNews) warn('The disk has no room for a copy of the metadata log', { reason })
      return true
    }
    const fields = { broker: brokerId, reason }
    if (isNews) warn('What another broker tells of the metadata log is not taken', fields)
    if (!isQuarantined()) await readStore()
    return isNews && !isQuarantined()
  }

  /** The controller's process is dead, and its machine lives: nobody needs to wait for its lease. */
  async #succeed(deadId: number): Promise<void> {
    const { lease, takeOffice, isQuarantined, mayForce } = this.#options
    if (isQuarantined()) return
    const delayMs = refusedMsMin + rankDelayMs * this.#rankBeside(deadId)
    if (this.#clock.monotonic() - this.#brokenMs! < delayMs) return
    if (!mayForce(deadId)) return
    try {
      const { isHeld, isMine, holder } = await lease.observe()
      if (this.#isOver) return
      if (isHeld && !isMine && holder?.brokerId !== deadId) return
      await takeOffice({ force: true, deadId })
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error
    }
  }
}

function isSame(one: Address | null, other: Address | null): boolean {
  return one?.host === other?.host && one?.port === other?.port
}

/** The other broker, or the way to it, is the reason. */
export function isOfPeer(error: unknown): boolean {
  return error instanceof NotSent || error instanceof WireClientError
}

function isRefusal(error: unknown): boolean {
  return error instanceof NotSent && error.isRefusal
}

/** The connection broke, or there is none to be had: a process that lives, and is only cut off, is silent instead. */
function isEmptyPlace(error: unknown): boolean {
  return isRefusal(error) || (error instanceof WireClientError && error.reason === 'closed')
}
