import { lookup } from 'node:dns/promises'
import { existsSync } from 'node:fs'
import { present } from '../../lib/assert.ts'
import type { ColdGate } from '../../env/cold-gate.ts'
import { NetworkError } from '../../env/network.ts'
import type {
  Connection,
  ConnectionEvents,
  ConnectOptions,
  Listener,
  ListenerEvents,
  ListenOptions,
  Network,
  NetworkCounters,
  SendStream,
} from '../../env/network.ts'
import {
  acceptBacklog,
  acceptPauseMs,
  keepAliveSeconds,
  requestMemoryBounds,
  requestMemoryUnlistened,
  requestSizeMin,
} from '../../env/admission.ts'
import type { ConnectionEnds, Binding, CounterName } from './binding.ts'
import { errnoName } from './errno.ts'
import { NativeConnection } from './native-connection.ts'
import { NativeDials } from './native-dials.ts'
import { NativeStream } from './native-stream.ts'

/** The network whose sockets the addon owns. */
export class NativeNetwork implements Network {
  readonly kind = 'native'
  readonly #binding: Binding
  readonly #listeners = new Map<number, Listening>()
  readonly #dials: NativeDials
  /** By the addon's number, which is used again after `closed`. */
  readonly #connections: (NativeConnection | undefined)[] = []
  /** The kernel counts what a thread read from devices only where it was built to (/proc/self/io is there then). */
  readonly #measuresDevices = existsSync('/proc/self/io')

  constructor(binding: Binding) {
    this.#binding = binding
    this.#dials = new NativeDials(binding)
    this.#boundMemory(requestMemoryUnlistened)
  }

  async listen(options: ListenOptions, events: ListenerEvents): Promise<Listener> {
    const { port, frameSizeMax, requestMemoryMax } = options
    const hosts = options.host === '' ? everywhere : [await addressOf(options.host)]
    const neverStarves = requestMemoryMax === Infinity
    let listener = -1
    let host = ''
    for (host of hosts) {
      const limits = [requestSizeMin, frameSizeMax, keepAliveSeconds, acceptBacklog] as const
      listener = this.#binding.listen(host, port, ...limits, Number(neverStarves))
      if (listener >= 0) break
    }
    if (listener < 0) {
      const code = errnoName(listener)
      throw new NetworkError(`cannot listen on ${options.host}:${port}: ${code}`, code)
    }
    if (!neverStarves) this.#boundMemory(requestMemoryMax)
    const boundPort = this.#binding.answer[0]!
    const listening = { events, coldGate: options.coldGate ?? null }
    this.#listeners.set(listener, listening)
    return { host, port: boundPort, close: () => this.#stopListening(listener, listening) }
  }

  connect(options: ConnectOptions, events: ConnectionEvents): Promise<Connection> {
    return this.#dials.connect(options, events)
  }

  /** Any of its connections may count in it. */
  openStream(): SendStream {
    return new NativeStream(this.#binding, this.#measuresDevices)
  }

  get counters(): NetworkCounters {
    return {
      bytesReceived: this.#counter('received'),
      bytesSendfile: this.#counter('sentBySendfile'),
      bytesCopied: this.#counter('sentByCopy'),
      copiedInJavaScript: { 'frame-assembly': 0, 'file-read': 0 },
      requestMemoryBytes: this.#counter('held'),
      requestMemoryWaits: this.#counter('starved'),
    }
  }

  /** The addon's callbacks, from here on. */
  accepted(listener: number, handle: number, ...ends: ConnectionEnds): void {
    const connection = this.#join(handle, ends)
    const listening = present(this.#listeners.get(listener), 'a listener')
    const events = eventsOf(listening.events, connection)
    if (events === null) connection.close()
    else connection.open(events, listening.coldGate)
  }

  acceptFailed(listener: number, errno: number): void {
    const listening = this.#listeners.get(listener)
    setTimeout(() => {
      if (this.#listeners.get(listener) === listening) this.#binding.listenerResume(listener)
    }, acceptPauseMs)
    listening?.events.acceptFailed(errnoName(errno))
  }

  connected(dial: number, handle: number, ...ends: ConnectionEnds): void {
    this.#dials.connected(dial, this.#join(handle, ends))
  }

  connectFailed(dial: number, errno: number): void {
    this.#dials.failed(dial, errno)
  }

  framesCame(handle: number, count: number): void {
    this.#connection(handle).framesCame(count)
  }

  drained(handle: number): void {
    this.#connection(handle).drained()
  }

  coldAsked(handle: number, bytes: number): void {
    this.#connection(handle).coldAsked(bytes)
  }

  coldEnded(handle: number, sentBytes: number, nextBytes: number): void {
    this.#connection(handle).coldEnded(sentBytes, nextBytes)
  }

  closed(handle: number, kind: number, detail: number): void {
    const connection = this.#connection(handle)
    this.#connections[handle] = undefined
    connection.closed(kind, detail)
  }

  #join(handle: number, ends: ConnectionEnds): NativeConnection {
    const connection = new NativeConnection(this.#binding, handle, ends, () => this.openStream())
    this.#connections[handle] = connection
    return connection
  }

  #counter(name: CounterName): number {
    return this.#binding.counters[this.#binding.constants.counters.indexOf(name)]!
  }

  #boundMemory(bytesMax: number): void {
    const { any, small, large, begun, kept, short } = requestMemoryBounds(bytesMax)
    this.#binding.requestMemoryBounds(any, small, large, begun, kept, short)
  }

  #connection(handle: number): NativeConnection {
    return present(this.#connections[handle], 'a connection')
  }

  async #stopListening(listener: number, listening: Listening): Promise<void> {
    if (this.#listeners.get(listener) !== listening) return
    this.#listeners.delete(listener)
    this.#binding.listenerClose(listener)
  }
}

interface Listening {
  readonly events: ListenerEvents
  readonly coldGate: ColdGate | null
}

/** Both families, or IPv4 where the machine has no IPv6, as Node does. */
const everywhere = ['::', '0.0.0.0']

async function addressOf(host: string): Promise<string> {
  try {
    return (await lookup(host)).address
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'ENOTFOUND'
    throw new NetworkError(`cannot listen on ${host}: ${code}`, code)
  }
}

/** What the listener says; an exception is a no, and nobody is there to be told. */
function eventsOf(listener: ListenerEvents, connection: Connection): ConnectionEvents | null {
  try {
    return listener.accepted(connection)
  } catch {
    return null
  }
}
