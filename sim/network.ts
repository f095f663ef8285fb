import { DuplexNetwork } from '../src/env/duplex/network.ts'
import { sleep, type Clock } from '../src/env/clock.ts'
import {
  NetworkError,
  type Address,
  type Connection,
  type ConnectionEvents,
  type ConnectOptions,
  type Listener,
  type ListenerEvents,
  type ListenOptions,
  type Network,
} from '../src/env/network.ts'
import { present } from '../src/lib/assert.ts'
import { SimSocket, type ByteStreamOptions } from './byte-stream.ts'

export interface SimNetworkOptions extends Partial<ByteStreamOptions> {
  /** Tells when an attempt to connect to a silent place is given up; such attempts need it. */
  readonly clock?: Clock
  /** Where its connections come from. */
  readonly host?: string
}

interface Listening {
  readonly network: SimNetwork
  readonly options: ListenOptions
  readonly events: ListenerEvents
}

const firstEphemeralPort = 32_768

/** Who listens where: all simulated networks that can reach each other share one. */
export class SimWires {
  readonly #listening = new Map<string, Listening>()
  readonly #silent = new Set<string>()
  #lastPort = firstEphemeralPort

  takePort(): number {
    return ++this.#lastPort
  }

  add(host: string, port: number, listening: Listening): void {
    const place = `${host}:${port}`
    if (this.#listening.has(place)) throw new NetworkError(`${place} is taken`, 'EADDRINUSE')
    this.#listening.set(place, listening)
  }

  remove(host: string, port: number): void {
    this.#listening.delete(`${host}:${port}`)
  }

  /** Whether nobody hears what is sent to start a connection, until told otherwise; a refusal is an answer too. */
  setSilent(host: string, port: number, isSilent: boolean): void {
    if (isSilent) this.#silent.add(`${host}:${port}`)
    else this.#silent.delete(`${host}:${port}`)
  }

  isSilent(host: string, port: number): boolean {
    return this.#silent.has(`${host}:${port}`)
  }

  /** The client's end of a new connection. @throws NetworkError ECONNREFUSED */
  connect(
    host: string,
    port: number,
    from: Address = { host: 'client', port: this.takePort() },
  ): SimSocket {
    const listening = this.#listening.get(`${host}:${port}`)
    if (listening === undefined)
      throw new NetworkError(`nobody listens on ${host}:${port}`, 'ECONNREFUSED')
    return listening.network.accept(listening, { remote: from, local: { host, port } })
  }
}

/**
 * The network in memory: the connections of `real/network.ts` over byte streams that cut, reset and go silent
 * as a Prng or a test says.
 */
export class SimNetwork extends DuplexNetwork implements Network {
  readonly kind = 'simulated'
  readonly wires: SimWires
  readonly #streams: ByteStreamOptions
  readonly #clock: Clock | null
  readonly #host: string

  constructor(wires = new SimWires(), options: SimNetworkOptions = {}) {
    super()
    this.wires = wires
    this.#clock = options.clock ?? null
    this.#host = options.host ?? 'client'
    this.#streams = { ...options, later: options.later ?? queueMicrotask }
  }

  async listen(options: ListenOptions, events: ListenerEvents): Promise<Listener> {
    const { host } = options
    const port = options.port === 0 ? this.wires.takePort() : options.port
    this.wires.add(host, port, { network: this, options, events })
    return {
      host,
      port,
      close: async () => this.wires.remove(host, port),
    }
  }

  async connect(options: ConnectOptions, events: ConnectionEvents): Promise<Connection> {
    const { host, port, timeoutMs } = options
    if (this.wires.isSilent(host, port)) {
      await sleep(present(this.#clock, 'a clock'), timeoutMs)
      throw new NetworkError(`${host}:${port} did not answer within ${timeoutMs} ms`, 'ETIMEDOUT')
    }
    const local = { host: this.#host, port: this.wires.takePort() }
    const duplex = this.wires.connect(host, port, local)
    return this.attachDialled({ duplex, limits: options, remote: { host, port }, local }, events)
  }

  /** Makes a connection and gives the client's end of it. */
  accept(
    { options, events }: Listening,
    ends: { readonly remote: Address; readonly local: Address },
  ): SimSocket {
    const [server, client] = SimSocket.pair(this.#streams)
    this.#streams.later(() => {
      this.attach({ duplex: server, limits: options, ...ends }, each => events.accepted(each))
    })
    return client
  }
}
