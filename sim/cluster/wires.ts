import { nextConnectionId } from '../../src/env/connection-id.ts'
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
  type NetworkCounters,
} from '../../src/env/network.ts'
import { answerSizeMin, requestSizeMin } from '../../src/env/admission.ts'
import { deferred } from '../../src/lib/deferred.ts'
import type { Prng } from '../../src/lib/prng.ts'
import type { SimClock } from '../clock.ts'
import { WireEnd, type Delivered, type Wiring } from './wire-end.ts'
import type { Life } from './life.ts'

export interface WiresOptions {
  readonly time: SimClock
  readonly prng: Prng
  /** Is told of every piece of bytes that arrives. */
  readonly delivered: Delivered
}

/** Somebody who listens, and the process that he is. */
interface Listening {
  readonly life: Life
  readonly options: ListenOptions
  readonly events: ListenerEvents
}

const firstEphemeralPort = 32_768

/** A connection attempt that nobody answered is repeated, as the kernel does with a SYN. */
const synRetryMs = 1000

/** Milliseconds that pieces of bytes are under way, drawn anew for each. */
export interface Delays {
  readonly minMs: number
  readonly maxMs: number
}

/**
 * The network of a simulated world: hosts by name, and between each two of them, in each direction, a wire that delays,
 * cuts bytes into pieces, and stands still while it is cut. What was sent meanwhile comes when it is whole again, as TCP
 * sends it again.
 */
export class Wires implements Wiring {
  readonly time: SimClock
  readonly prng: Prng
  readonly delivered: Delivered
  delays: Delays = { minMs: 0.05, maxMs: 1 }
  readonly #listening = new Map<string, Listening>()
  readonly #down = new Set<string>()
  readonly #cut = new Set<string>()
  readonly #ends = new Set<WireEnd>()
  #lastPort = firstEphemeralPort

  constructor({ time, prng, delivered }: WiresOptions) {
    this.time = time
    this.prng = prng
    this.delivered = delivered
  }

  /** Cuts or mends one direction. */
  setCut(from: string, to: string, isCut: boolean): void {
    if (isCut) this.#cut.add(`${from}>${to}`)
    else if (this.#cut.delete(`${from}>${to}`)) this.#goOn()
  }

  isCut(from: string, to: string): boolean {
    if (this.#cut.size > 0 && this.#cut.has(`${from}>${to}`)) return true
    return this.#down.size > 0 && (this.#down.has(from) || this.#down.has(to))
  }

  /** A host without power answers nobody. */
  setDown(host: string, isDown: boolean): void {
    if (isDown) this.#down.add(host)
    else if (this.#down.delete(host)) this.#goOn()
  }

  isDown(host: string): boolean {
    return this.#down.has(host)
  }

  /** Connections that are there, in the order in which they were made: each by one of its ends. */
  get ends(): readonly WireEnd[] {
    return [...this.#ends].filter(end => end.isOpen)
  }

  /** The process is gone. Its kernel goes on: what it had sent arrives, and then the end, or a reset. */
  lifeEnded(life: Life): void {
    for (const end of this.#ends) if (end.life === life) end.abandon(this.prng.chance(1, 2))
    this.#stopListening(life)
  }

  /** The machine is gone: nobody is told. */
  machineDied(life: Life): void {
    for (const end of this.#ends) if (end.life === life) end.vanish()
    this.#stopListening(life)
  }

  /** For a Network only, as what follows. */
  takePort(): number {
    return ++this.#lastPort
  }

  listen(place: string, listening: Listening): void {
    if (this.#listening.has(place)) throw new NetworkError(`${place} is taken`, 'EADDRINUSE')
    this.#listening.set(place, listening)
  }

  unlisten(place: string): void {
    this.#listening.delete(place)
  }

  listeningAt({ host, port }: Address): Listening | undefined {
    return this.#listening.get(`${host}:${port}`)
  }

  delayMs(): number {
    const { minMs, maxMs } = this.delays
    return minMs + (this.prng.below(1024) / 1024) * (maxMs - minMs)
  }

  join(end: WireEnd): void {
    this.#ends.add(end)
  }

  leave(end: WireEnd): void {
    this.#ends.delete(end)
  }

  #goOn(): void {
    for (const end of this.#ends) end.goOn()
  }

  #stopListening(life: Life): void {
    for (const [place, listening] of this.#listening) {
      if (listening.life === life) this.#listening.delete(place)
    }
  }
}

const counters: NetworkCounters = {
  bytesReceived: 0,
  bytesSendfile: 0,
  bytesCopied: 0,
  copiedInJavaScript: { 'frame-assembly': 0, 'file-read': 0 },
  requestMemoryBytes: 0,
  requestMemoryWaits: 0,
}

/** The network as one process of one host has it. */
export class HostNetwork implements Network {
  readonly kind = 'simulated'
  readonly counters = counters
  readonly #wires: Wires
  readonly #host: string
  readonly #life: Life

  constructor(wires: Wires, host: string, life: Life) {
    this.#wires = wires
    this.#host = host
    this.#life = life
  }

  /** At this host, whatever address is named. */
  async listen(options: ListenOptions, events: ListenerEvents): Promise<Listener> {
    const port = options.port === 0 ? this.#wires.takePort() : options.port
    const place = `${this.#host}:${port}`
    this.#wires.listen(place, { life: this.#life, options, events })
    return {
      host: this.#host,
      port,
      close: async () => this.#wires.unlisten(place),
    }
  }

  connect(options: ConnectOptions, events: ConnectionEvents): Promise<Connection> {
    const wires = this.#wires
    const { host, port, timeoutMs } = options
    const connected = deferred<Connection>()
    const untilMs = wires.time.monotonic() + timeoutMs
    const fail = (code: string): void =>
      this.#life.deliver(() =>
        connected.reject(new NetworkError(`${host}:${port} cannot be reached: ${code}`, code)),
      )
    const knock = (): void => {
      if (this.#life.isDead) return
      const nobody = wires.isCut(this.#host, host) || wires.isCut(host, this.#host)
      if (nobody) {
        const againMs = wires.time.monotonic() + synRetryMs
        if (againMs < untilMs) wires.time.after(synRetryMs, knock)
        else wires.time.after(untilMs - wires.time.monotonic(), () => fail('ETIMEDOUT'))
        return
      }
      const listening = wires.listeningAt({ host, port })
      if (listening === undefined) {
        wires.time.after(wires.delayMs(), () => fail('ECONNREFUSED'))
        return
      }
      const client = this.#accept(listening, options)
      wires.time.after(wires.delayMs(), () =>
        this.#life.deliver(() => {
          client.open(events)
          connected.resolve(client)
        }),
      )
    }
    wires.time.after(wires.delayMs(), knock)
    return connected.promise
  }

  #accept(listening: Listening, options: ConnectOptions): WireEnd {
    const local = { host: this.#host, port: this.#wires.takePort() }
    const remote = { host: options.host, port: options.port }
    const client = new WireEnd(this.#wires, {
      id: nextConnectionId(),
      life: this.#life,
      local,
      remote,
      frameBytes: [answerSizeMin, options.frameSizeMax],
    })
    const server = new WireEnd(this.#wires, {
      id: nextConnectionId(),
      life: listening.life,
      local: remote,
      remote: local,
      frameBytes: [requestSizeMin, listening.options.frameSizeMax],
    })
    WireEnd.join(client, server)
    listening.life.deliver(() => {
      const heard = listening.events.accepted(server)
      if (heard === null) server.close()
      else server.open(heard)
    })
    return client
  }
}
