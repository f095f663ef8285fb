import type {
  CloseReason,
  Connection,
  ConnectionEvents,
  Frame,
  Listener,
  ListenerEvents,
  ListenOptions,
  Network,
  NetworkCounters,
  OutPart,
  SendStream,
} from '../../src/env/env.ts'
import { NetworkError } from '../../src/env/network.ts'
import { concat } from '../../src/lib/bytes.ts'

/** A network without sockets: the test says when what arrives, and sees what the server does with it. */
export class ScriptedNetwork implements Network {
  readonly kind = 'simulated'
  readonly counters: NetworkCounters = {
    bytesReceived: 0,
    bytesSendfile: 0,
    bytesCopied: 0,
    copiedInJavaScript: { 'frame-assembly': 0, 'file-read': 0 },
    requestMemoryBytes: 0,
    requestMemoryWaits: 0,
  }
  readonly clients: ScriptedClient[] = []
  /** Ports that refuse to be listened at. */
  readonly taken = new Set<number>()
  readonly listening = new Map<number, ListenerEvents>()
  options: ListenOptions | null = null

  listen(options: ListenOptions, events: ListenerEvents): Promise<Listener> {
    const { host, port } = options
    if (this.taken.has(port)) {
      return Promise.reject(new NetworkError(`port ${port} is taken`, 'EADDRINUSE'))
    }
    this.options = options
    this.listening.set(port, events)
    return Promise.resolve({
      host,
      port,
      close: () => {
        this.listening.delete(port)
        return Promise.resolve()
      },
    })
  }

  connect(): Promise<Connection> {
    return Promise.reject(new NetworkError('a scripted network has no listeners', 'ECONNREFUSED'))
  }

  /** A client connects to `port`; null where it was turned away. */
  dial(port: number, host = '10.0.0.1'): ScriptedClient | null {
    const events = this.listening.get(port)
    if (events === undefined) return null
    const client = new ScriptedClient(this.clients.length + 1, host, port)
    const accepted = events.accepted(client)
    if (accepted === null) return null
    client.events = accepted
    this.clients.push(client)
    return client
  }
}

/** Both ends of one connection. */
export class ScriptedClient implements Connection {
  readonly id: number
  readonly remote: { readonly host: string; readonly port: number }
  readonly local: { readonly host: string; readonly port: number }
  events: ConnectionEvents | null = null
  queuedBytes = 0
  partialBytes = 0
  receivedBytes = 0
  isStarved = false
  isPaused = false
  /** Takes nothing of what is sent until `take`. */
  isStuck = false
  closedBy: CloseReason | null = null
  /** Every `send`, in order. */
  readonly sends: OutPart[][] = []
  /** Of each frame given to the server: how often it was released. */
  readonly releases: number[] = []
  #isEnding = false

  constructor(id: number, host: string, port: number) {
    this.id = id
    this.remote = { host, port: 40_000 + id }
    this.local = { host: '127.0.0.1', port }
  }

  /** Frames (without their length) that one poll completes. */
  arrive(...frames: readonly Uint8Array[]): void {
    const polled = frames.map((bytes): Frame => {
      const at = this.releases.push(0) - 1
      this.receivedBytes += bytes.length
      return { bytes, release: () => void this.releases[at]!++ }
    })
    this.#tell(events => events.frames(polled))
  }

  /** The peer takes what is queued. */
  take(): void {
    const had = this.queuedBytes
    this.queuedBytes = 0
    if (this.#isEnding) return this.#closed({ kind: 'local', detail: '' })
    if (had > 0) this.#tell(events => events.drained())
  }

  /** The peer goes away. */
  leave(): void {
    this.#closed({ kind: 'peer', detail: '' })
  }

  /** All answers so far, each without its length. */
  answers(): Uint8Array[] {
    const stream = concat(this.sends.flat().map(part => part as Uint8Array))
    const found: Uint8Array[] = []
    const view = new DataView(stream.buffer, stream.byteOffset, stream.length)
    for (let at = 0; at < stream.length;) {
      const size = view.getInt32(at)
      found.push(stream.subarray(at + 4, at + 4 + size))
      at += 4 + size
    }
    return found
  }

  send(parts: readonly OutPart[]): void {
    if (this.closedBy !== null) throw new NetworkError('the connection is closed', 'EPIPE')
    this.sends.push([...parts])
    if (this.isStuck) this.queuedBytes += parts.reduce((sum, part) => sum + part.length, 0)
  }

  openStream(): SendStream {
    return { sentBytes: () => 0, hitBytes: () => null, isSettled: () => false, close: () => {} }
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  close(): void {
    this.#closed({ kind: 'local', detail: '' })
  }

  end(): void {
    this.#isEnding = true
    if (this.queuedBytes === 0) this.#closed({ kind: 'local', detail: '' })
  }

  #tell(act: (events: ConnectionEvents) => void): void {
    try {
      act(this.events!)
    } catch (error) {
      this.#closed({ kind: 'callback', detail: String(error) })
    }
  }

  #closed(reason: CloseReason): void {
    if (this.closedBy !== null) return
    this.closedBy = reason
    this.events?.closed(reason)
  }
}
