import { endpointFor, type ListenerAddress } from '../config/listeners.ts'
import type { RequestContext } from './handler.ts'

export interface BrokerEndpoint {
  readonly brokerId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** Where the brokers are, as seen by a client of one listener (G46). This stone knows one broker: itself. */
export class Endpoints {
  readonly #brokerId: number
  readonly #listeners: readonly ListenerAddress[]

  constructor(brokerId: number, listeners: readonly ListenerAddress[]) {
    this.#brokerId = brokerId
    this.#listeners = listeners
  }

  get controllerId(): number {
    return this.#brokerId
  }

  seenFrom(context: Pick<RequestContext, 'listenerName' | 'local'>): BrokerEndpoint[] {
    const listener = this.#listeners.find(({ name }) => name === context.listenerName)
    const at = listener === undefined ? context.local : endpointFor(listener, context.local)
    return [{ brokerId: this.#brokerId, host: at.host, port: at.port, rack: null }]
  }
}
