import type { ColdGate } from './cold-gate.ts'
import type { DiskFile } from './disk.ts'

/**
 * Sockets as the server sees them: whole frames in, whole responses out. Twins: the addon's (`broker/native`:
 * receives into slabs, sends files with sendfile(2)), `real/network.ts` over any Duplex, and the simulator's.
 */
export interface Network {
  readonly kind: 'native' | 'node' | 'simulated'
  /** Starts to accept. Rejects with a NetworkError (EADDRINUSE, EACCES ...). */
  listen(options: ListenOptions, events: ListenerEvents): Promise<Listener>
  /** Connects to a listener. Rejects with a NetworkError (ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH ...). */
  connect(options: ConnectOptions, events: ConnectionEvents): Promise<Connection>
  readonly counters: NetworkCounters
}

export interface ListenOptions {
  /** Empty: every address of the machine, of both families where it has both. */
  readonly host: string
  /** 0 takes a free port; `Listener.port` tells which. */
  readonly port: number
  /** A frame's announced size above this, or below 8, closes the connection (G12). */
  readonly frameSizeMax: number
  /**
   * Memory for requests that are arriving or not yet released, of all connections that the network accepted. What does
   * not fit is not read; of several listeners, the last one's number counts. Infinity: connections of this listener are
   * counted, and read however full the memory is; it changes nothing for others. Answers on connections that it made are
   * not counted: whoever asked for them bounds them, and they must come for requests to end.
   */
  readonly requestMemoryMax: number
  /** Says when ranges leave that are `cold`; where it is left out, at once. */
  readonly coldGate?: ColdGate
}

export interface ConnectOptions {
  readonly host: string
  readonly port: number
  /** A frame's announced size above this closes the connection. */
  readonly frameSizeMax: number
  /** Milliseconds until an attempt that nobody answered is given up with ETIMEDOUT. */
  readonly timeoutMs: number
}

export interface ListenerEvents {
  /** A connection came. Its events, or null to close it at once. */
  accepted(connection: Connection): ConnectionEvents | null
  /** accept(2) failed (EMFILE ...). Accepting goes on by itself after a pause, it does not spin. */
  acceptFailed(code: string): void
}

export interface Listener {
  readonly host: string
  readonly port: number
  /** Stops accepting. Connections live on. */
  close(): Promise<void>
}

/**
 * What a connection tells. An exception thrown by one of these closes that connection only, with reason
 * `callback`, and is given to `closed`.
 */
export interface ConnectionEvents {
  /** All frames completed by one poll, in order. Each must be released exactly once, later if need be. */
  frames(frames: readonly Frame[]): void
  /** The output queue is empty again after a `send` left something in it. */
  drained(): void
  /** Said once, last. Frames that are not released yet stay valid until they are. */
  closed(reason: CloseReason): void
}

/** Why a connection ended. `peer`: FIN. `local`: we closed it. The rest carry the error in `detail`. */
export interface CloseReason {
  readonly kind: 'peer' | 'local' | 'frame' | 'socket' | 'short-file' | 'callback'
  readonly detail: string
}

/** One request or answer: the bytes after the length prefix, inside a receive slab that is reused when all of its frames are released. */
export interface Frame {
  readonly bytes: Uint8Array
  release(): void
}

export interface Connection {
  /** Unique in the process. */
  readonly id: number
  readonly remote: Address
  readonly local: Address
  /** Bytes queued and not yet taken by the kernel. */
  readonly queuedBytes: number
  /** Bytes of a frame that has begun and is not complete; 0 between frames. */
  readonly partialBytes: number
  /** Bytes received since the connection began. */
  readonly receivedBytes: number
  /** It is not read, because the memory for requests is spent (`requestMemoryMax`). */
  readonly isStarved: boolean
  /** Counters for file ranges that this connection sends (one a consumer and partition); see SendStream. */
  openStream(): SendStream
  /**
   * Queues one message: all parts leave in this order, after everything queued before. Byte parts are copied
   * or kept; the caller does not touch them again. The connection keeps its own reference to each file.
   */
  send(parts: readonly OutPart[]): void
  /** Stops and restarts reading: back-pressure. Idempotent. */
  pause(): void
  resume(): void
  /** Closes at once; what is queued is dropped. */
  close(): void
  /** Closes when what is queued has left. */
  end(): void
}

export interface Address {
  readonly host: string
  readonly port: number
}

/** An address as it is told: IPv4 that came by a listener of both families (RFC 4291, 2.5.5.2) is written as IPv4. */
export function plainHost(host: string): string {
  const mapped = '::ffff:'
  return host.startsWith(mapped) ? host.slice(mapped.length) : host
}

export type OutPart = Uint8Array | FileRange

/** Bytes of a file that leave for a socket without passing through JavaScript, where the platform can. */
export interface FileRange {
  readonly file: DiskFile
  readonly position: number
  readonly length: number
  /** Sent by a thread of its own, because the device may have to deliver it. */
  readonly cold: boolean
  readonly stream: SendStream
  /** Of a cold range: what of its file the thread that sends it gives back to the kernel then (`DiskFile.dropCache`). */
  readonly drop?: ByteSpan
}

export interface ByteSpan {
  readonly position: number
  readonly length: number
}

/**
 * What one reader of one partition was sent, and how much of it the page cache had. Surplus read-ahead is
 * carried to the stream's next range (durability.md Q3).
 */
export interface SendStream {
  /** Bytes of file ranges sent. */
  sentBytes(): number
  /** Those of them that no device delivered meanwhile; null where it cannot be measured. */
  hitBytes(): number | null
  /** Nothing of it is queued, or sent and not counted yet. False where that is not known. */
  isSettled(): boolean
  /** Gives the counters back. The stream is not used after. */
  close(): void
}

/** Process-wide, raised by the network; read by telemetry. */
export interface NetworkCounters {
  readonly bytesReceived: number
  /** Bytes sent by sendfile(2), and by copying (headers, small parts, the fallback). */
  readonly bytesSendfile: number
  readonly bytesCopied: number
  /** Bytes that passed through JavaScript by a copy that the addon does without. */
  readonly copiedInJavaScript: CopiedBytes
  /** Memory of frames not yet released and of frames still arriving, by what their buffers take. */
  readonly requestMemoryBytes: number
  /** Times that a connection was not read because of that memory. */
  readonly requestMemoryWaits: number
}

/**
 * Bytes copied, by reason. `frame-assembly`: a request came in several pieces. `file-read`: a file range was read
 * into memory to be sent.
 */
type CopiedBytes = Readonly<Record<'frame-assembly' | 'file-read', number>>

/** A failed listen or an impossible call. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError'
  readonly code: string

  constructor(message: string, code: string) {
    super(message)
    this.code = code
  }
}

export function isFileRange(part: OutPart): part is FileRange {
  return 'file' in part
}
