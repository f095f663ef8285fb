import type { Duplex } from 'node:stream'
import type {
  Address,
  Connection,
  ConnectionEvents,
  NetworkCounters,
  SendStream,
} from '../network.ts'
import { DuplexConnection, type ConnectionHost, type ConnectionLimits } from './connection.ts'
import { RequestMemory } from './request-memory.ts'

export interface DuplexNetworkOptions {
  /** Test builds: a released frame is overwritten, so whoever still reads it is found out. */
  readonly poisonsReleased?: boolean
}

export interface Ends {
  readonly remote: Address
  readonly local: Address
}

/** A stream that becomes a connection. */
export interface Attachment extends Ends {
  readonly duplex: Duplex
  readonly limits: ConnectionLimits
}

/** The part of a Network that does not know where its byte streams come from. */
export class DuplexNetwork {
  readonly #memory = new RequestMemory()
  readonly #poisonsReleased: boolean
  #bytesReceived = 0
  #bytesCopied = 0
  #bytesAssembled = 0
  #bytesRead = 0

  constructor(options: DuplexNetworkOptions = {}) {
    this.#poisonsReleased = options.poisonsReleased ?? false
  }

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

  openStream(): SendStream {
    return new CountingStream()
  }

  /**
   * Makes a connection of `attached.duplex`, which nobody has read from and which allows half-open. The way in
   * for TLS: its sockets come from elsewhere. `accept` as `ListenerEvents.accepted`.
   */
  attach(attached: Attachment, accept: (connection: Connection) => ConnectionEvents | null): void {
    const connection = new DuplexConnection({ ...attached, host: this.#host() })
    attached.duplex.on('error', error => connection.failed(error))
    const events = eventsOf(connection, accept)
    if (events === null || attached.duplex.destroyed) attached.duplex.destroy()
    if (events !== null) connection.open(events)
  }

  #host(): ConnectionHost {
    return {
      memory: this.#memory,
      poisonsReleased: this.#poisonsReleased,
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
