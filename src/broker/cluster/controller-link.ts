import type { Address, Clock } from '../../env/env.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { WireClient } from '../wire/client/client.ts'
import { WireClientError } from '../wire/client/client-error.ts'
import type { Api, Draft, Fields, Infer } from '../wire/field.ts'
import type { Lane, PeerConnections } from './peers.ts'

/** Who is the controller, and since when. */
export interface ControllerClaim {
  /** -1: nobody that is known. */
  readonly controllerId: number
  readonly controllerEpoch: number
}

export interface ControllerLinkOptions {
  readonly clock: Clock
  readonly brokerId: number
  readonly peers: PeerConnections | undefined
  readonly image: () => MetadataImage
  /** Somebody told of a later controller than the image knows. */
  readonly onRumour: () => void
}

/**
 * The way to whoever is the controller, and what is told of it: the image says who it is, and an answer or a request that
 * carries a later epoch than the image's says that there is another one by now (gossip).
 */
export class ControllerLink {
  readonly #options: ControllerLinkOptions
  #rumour: ControllerClaim = { controllerId: -1, controllerEpoch: -1 }
  #heardMs = -Infinity

  constructor(options: ControllerLinkOptions) {
    this.#options = options
  }

  /** The latest that is known. */
  get claim(): ControllerClaim {
    const { controllerId, controllerEpoch } = this.#options.image()
    const isOlder = controllerEpoch < this.#rumour.controllerEpoch
    return isOlder ? this.#rumour : { controllerId, controllerEpoch }
  }

  /**
   * When what an active controller answered last was asked, in monotonic milliseconds; -Infinity where none ever did. The answer
   * may have lain in a socket while this process stood still.
   */
  get heardMs(): number {
    return this.#heardMs
  }

  /** Where it is to be asked; null where that is not known, or where it is this broker itself. */
  get target(): Address | null {
    const { brokerId, image } = this.#options
    const { controllerId } = this.claim
    if (controllerId === brokerId) return null
    return image().brokers.get(controllerId)?.peer ?? null
  }

  /** What somebody said. */
  heard(claim: ControllerClaim): void {
    if (claim.controllerEpoch <= this.claim.controllerEpoch) return
    const { controllerId, controllerEpoch } = claim
    this.#rumour = { controllerId, controllerEpoch }
    this.#options.onRumour()
  }

  /** An answer came that only the controller gives, to what was asked at `askedMs`. */
  answered(askedMs: number): void {
    this.#heardMs = Math.max(this.#heardMs, askedMs)
  }

  /** A connection of the caller's own to any broker. */
  connectTo(brokerId: number): Promise<WireClient> {
    const { peers, image } = this.#options
    const peer = image().brokers.get(brokerId)?.peer ?? null
    if (peer !== null && peers !== undefined) return peers.connect(peer)
    const message = `broker ${brokerId} has no private listener that this one could dial`
    return Promise.reject(new WireClientError('unreachable', message))
  }

  /**
   * Asks the broker at `address`, and hears who is the controller by its answer.
   * @throws NotSent where nobody can have got it; WireClientError where nobody knows
   */
  async request<Request extends Fields, Response extends Fields>(
    asked: {
      readonly address: Address
      readonly lane: Lane
      readonly api: Api<Request, Response>
      readonly timeoutMs: number
    },
    value: Draft<Request>,
  ): Promise<Infer<Response>> {
    const { peers } = this.#options
    if (peers === undefined) throw new NotSent('this broker has no way to others')
    const client = await peers.at(asked.address, asked.lane).catch((cause: unknown) => {
      throw new NotSent(cause instanceof Error ? cause.message : String(cause), { cause })
    })
    const { api, timeoutMs } = asked
    const answer = await client.request(api, { ...value, ...this.claim }, { timeoutMs })
    this.heard(answer as unknown as ControllerClaim)
    return answer
  }
}

/** The request did not leave this broker. */
export class NotSent extends Error {
  override readonly name = 'NotSent'

  /** The other end said that nobody listens there: the process is gone, and its machine is not. */
  get isRefusal(): boolean {
    const { cause } = this
    if (!(cause instanceof WireClientError) || cause.reason !== 'unreachable') return false
    return (cause.cause as { code?: unknown } | undefined)?.code === 'ECONNREFUSED'
  }
}
