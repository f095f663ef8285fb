import {
  type Endpoint,
  endpointFor,
  isLoopback,
  type ListenerAddress,
} from '../config/listeners.ts'
import type { BrokerImage, MetadataImage } from '../metadata/image.ts'
import type { RequestContext } from './handler.ts'

export interface BrokerEndpoint {
  readonly brokerId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface EndpointsOptions {
  readonly brokerId: number
  readonly listeners: readonly ListenerAddress[]
  /** Who came over loopback is told to come so again, whatever is advertised: `advertised.listeners.loopback.enable`. */
  readonly tellsLoopback: boolean
  readonly image: () => SeenImage
}

type SeenImage = Pick<MetadataImage, 'brokers' | 'controllerId' | 'isFailed'>

/** How a client came: it is told of brokers as they are for those who come so. */
type Way = Pick<RequestContext, 'listenerName' | 'local'>

/** Of the listener where brokers and the operator come. No listener of clients has such a name: theirs are in capitals. */
export const privateListenerName = 'private'

/**
 * Where the brokers are, as seen by a client of one listener (G46): each at the address that it registered for the
 * listener of that name, so that all brokers tell the same of it. A broker that is the only one is told as it was dialled.
 */
export class Endpoints {
  readonly #options: EndpointsOptions

  constructor(options: EndpointsOptions) {
    this.#options = options
  }

  /**
   * Whom clients ask for changes of the cluster: any broker would do, since it asks the controller, but that one needs no
   * detour. While it is not heard of, this broker.
   */
  get controllerId(): number {
    const { brokers, controllerId } = this.#options.image()
    return brokers.get(controllerId)?.isFenced === false ? controllerId : this.#options.brokerId
  }

  /** The brokers that are heard of; this one where no other is. Sorted by id. */
  seenFrom(way: Way): readonly BrokerEndpoint[] {
    return this.look(way).alive
  }

  /** The brokers of one moment. */
  look(way: Way): SeenBrokers {
    const image = this.#options.image()
    const { brokerId } = this.#options
    const { brokers } = image
    const isSole = brokers.size === 0 || (brokers.size === 1 && brokers.has(brokerId))
    const own = this.#own(way, isSole)
    if (isSole) return new SeenBrokers(image, [{ ...told(brokerId, own, image), isFenced: false }])
    const seen = [...brokers.values()].flatMap(broker => {
      const at = registered(broker, way) ?? (broker.id === brokerId ? own : null)
      return at === null ? [] : { ...told(broker.id, at, image), isFenced: broker.isFenced }
    })
    if (seen.some(({ isFenced }) => !isFenced)) return new SeenBrokers(image, seen)
    const others = seen.filter(one => one.brokerId !== brokerId)
    const self = { ...told(brokerId, own, image), isFenced: false }
    return new SeenBrokers(image, [...others, self])
  }

  #own({ listenerName, local }: Way, isSole: boolean): Endpoint {
    const { listeners, tellsLoopback } = this.#options
    const listener = listeners.find(({ name }) => name === listenerName)
    if (listener === undefined) return local
    // The tunnel's other end is on the client's own machine, where the name is understood in both families. With other
    // brokers loopback would lead to the wrong one.
    if (tellsLoopback && isLoopback(local.host) && isSole) {
      return { host: 'localhost', port: local.port }
    }
    return endpointFor(listener, local)
  }
}

type SeenBroker = BrokerEndpoint & {
  /** Nobody has heard of it lately. */
  readonly isFenced: boolean
}

/** The registered brokers that have a listener of the client's, at one moment. */
export class SeenBrokers {
  /** Sorted by id. */
  readonly all: readonly SeenBroker[]
  readonly #image: SeenImage
  readonly #byId: ReadonlyMap<number, SeenBroker>

  constructor(image: SeenImage, brokers: readonly SeenBroker[]) {
    this.#image = image
    this.all = brokers.toSorted((a, b) => a.brokerId - b.brokerId)
    this.#byId = new Map(this.all.map(broker => [broker.brokerId, broker]))
  }

  get alive(): readonly BrokerEndpoint[] {
    return this.all.flatMap(({ isFenced, ...broker }) => (isFenced ? [] : broker))
  }

  has(brokerId: number): boolean {
    return this.#byId.has(brokerId)
  }

  /** Whether it has other listeners at least. */
  isRegistered(brokerId: number): boolean {
    return this.#image.brokers.has(brokerId)
  }

  /** Of a replica there a client can expect nothing now. */
  isOffline(brokerId: number): boolean {
    const seen = this.#byId.get(brokerId)
    if (seen === undefined || seen.isFenced) return true
    const broker = this.#image.brokers.get(brokerId)
    return broker !== undefined && this.#image.isFailed(broker.directoryId)
  }
}

function told(brokerId: number, { host, port }: Endpoint, { brokers }: SeenImage): BrokerEndpoint {
  return { brokerId, host, port, rack: brokers.get(brokerId)?.rack ?? null }
}

/** Null where it has no such listener, or did not know its port when it registered. */
function registered({ listeners, peer }: BrokerImage, { listenerName }: Way): Endpoint | null {
  if (listenerName === privateListenerName) return peer
  const listener = listeners.find(({ name }) => name === listenerName)
  return listener === undefined || listener.port === 0 ? null : listener
}
