import { endpointFor, isLoopback, type ListenerAddress } from '../config/listeners.ts'
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
  /** No other broker is known: with others loopback would lead to the wrong one. */
  readonly isSole: () => boolean
}

/** Where the brokers are, as seen by a client of one listener (G46). This stone knows one broker: itself. */
export class Endpoints {
  readonly #options: EndpointsOptions

  constructor(options: EndpointsOptions) {
    this.#options = options
  }

  get controllerId(): number {
    return this.#options.brokerId
  }

  seenFrom(context: Pick<RequestContext, 'listenerName' | 'local'>): BrokerEndpoint[] {
    const { host, port } = this.#own(context)
    return [{ brokerId: this.#options.brokerId, host, port, rack: null }]
  }

  #own({ listenerName, local }: Pick<RequestContext, 'listenerName' | 'local'>) {
    const { listeners, tellsLoopback, isSole } = this.#options
    const listener = listeners.find(({ name }) => name === listenerName)
    if (listener === undefined) return local
    // The tunnel's other end is on the client's own machine, where the name is understood in both families.
    if (tellsLoopback && isLoopback(local.host) && isSole()) {
      return { host: 'localhost', port: local.port }
    }
    return endpointFor(listener, local)
  }
}
