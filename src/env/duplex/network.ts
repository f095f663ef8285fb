import type { Duplex } from 'node:stream'
import { answerSizeMin, requestSizeMin } from '../admission.ts'
import type {
  Address,
  Connection,
  ConnectionEvents,
  ConnectOptions,
  ListenOptions,
  NetworkCounters,
  SendStream,
} from '../network.ts'
import { DuplexConnection, type ConnectionHost, type ConnectionOptions } from './connection.ts'
import { RequestMemory } from './request-memory.ts'

export interface Ends {
  readonly remote: Address
  readonly local: Address
}

/** A stream that becomes a connection. */
export interface Attachment<Limits> extends Ends {
  readonly duplex: Duplex
  readonly limits: Limits
}

export type AcceptedLimits = Pick<ListenOptions, 'frameSizeMax' | 'requestMemoryMax' | 'coldGate'>
export type DialledLimits = Pick<ConnectOptions, 'frameSizeMax'>

/**
 * The front door of the room: the part of a Network that does not know where its byte streams come from. Frames, order, bounds and
 * ends are as over the addon, which the conformance suite of networks holds both to.
 */
export class DuplexNetwork {
  readonly #memory = new RequestMemory()
  /** Of answers: whoever asked for them bounds them, and no listener waits for them. */
  readonly #answerMemory = new RequestMemory()
  #bytesReceived = 0
  #bytesCopied = 0
  #bytesAssembled = 0
  #bytesRead = 0

  get counters(): NetworkCounters {
    return {
      bytesReceived: this.#bytesReceived,
      bytesSendfile: 0,
      bytesCopied: this.#bytesCopied,
      copiedInJavaScript: {
        'frame-assembly': this.#bytesAssembled,
        'file-read': this.#bytesRead,
      },
      requestMemoryBytes: this.#memory.bytes,
      requestMemoryWaits: this.#memory.waits,
    }
  }

  /**
   * Makes a connection of `attached.duplex`, which nobody has read from and which allows half-open. The way in
   * for TLS: its sockets come from elsewhere. `accept` as `ListenerEvents.accepted`.
   */
  attach(
    attached: Attachment<AcceptedLimits>,
    accept: (connection: Connection) => ConnectionEvents | null,
  ): void {
    const connection = this.#join({
      ...attached,
      limits: { ...attached.limits, frameSizeMin: requestSizeMin },
      host: this.#host(this.#memory),
    })
    const events = eventsOf(connection, accept)
    if (events === null || attached.duplex.destroyed) attached.duplex.destroy()
    if (events !== null) connection.open(events)
  }

  /** As `attach`, for a stream that we opened to a listener: what it receives are answers. */
  attachDialled(attached: Attachment<DialledLimits>, events: ConnectionEvents): Connection {
    const { frameSizeMax } = attached.limits
    const connection = this.#join({
      ...attached,
      limits: { frameSizeMin: answerSizeMin, frameSizeMax, requestMemoryMax: Infinity },
      host: this.#host(this.#answerMemory),
    })
    connection.open(events)
    return connection
  }

  #join(options: ConnectionOptions): DuplexConnection {
    const connection = new DuplexConnection(options)
    options.duplex.on('error', error => connection.failed(error))
    return connection
  }

  #host(memory: RequestMemory): ConnectionHost {
    return {
      memory,
      openStream: () => new CountingStream(),
      received: bytes => void (this.#bytesReceived += bytes),
      assembled: bytes => void (this.#bytesAssembled += bytes),
      sent: (bytes, stream) => {
        this.#bytesCopied += bytes
        if (stream !== null) this.#bytesRead += bytes
        if (stream instanceof CountingStream) stream.count(bytes)
      },
    }
  }
}

/** Counts what was sent. What the page cache had of it cannot be known without the sending thread's own counters. */
class CountingStream implements SendStream {
  #sentBytes = 0

  count(bytes: number): void {
    this.#sentBytes += bytes
  }

  sentBytes(): number {
    return this.#sentBytes
  }

  hitBytes(): null {
    return null
  }

  isSettled(): boolean {
    return false
  }

  close(): void {
    // Nothing is held.
  }
}

/** What `accept` says; an exception is a no, and nobody is there to be told. */
function eventsOf(
  connection: Connection,
  accept: (connection: Connection) => ConnectionEvents | null,
): ConnectionEvents | null {
  try {
    return accept(connection)
  } catch {
    return null
  }
}
