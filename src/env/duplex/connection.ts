import type { Duplex } from 'node:stream'
import { assert } from '../../lib/assert.ts'
import type { ColdGate } from '../cold-gate.ts'
import { nextConnectionId } from '../connection-id.ts'
import type {
  Address,
  CloseReason,
  Connection,
  ConnectionEvents,
  Frame,
  OutPart,
  SendStream,
} from '../network.ts'
import { FrameAssembler } from './frame-assembler.ts'
import { OutputQueue, type OutputListener } from './output-queue.ts'
import type { GatedReader, RequestMemory } from './request-memory.ts'

export interface ConnectionLimits {
  readonly frameSizeMin: number
  readonly frameSizeMax: number
  readonly requestMemoryMax: number
  readonly coldGate?: ColdGate
}

/** What connections of one network share. */
export interface ConnectionHost {
  /** What frames of this connection, and of others of its kind, take. */
  readonly memory: RequestMemory
  openStream(): SendStream
  received(bytes: number): void
  assembled(bytes: number): void
  sent: OutputListener['sent']
}

export interface ConnectionOptions {
  readonly duplex: Duplex
  readonly remote: Address
  readonly local: Address
  readonly limits: ConnectionLimits
  readonly host: ConnectionHost
}

/** A connection over any byte stream: a socket, TLS, the simulator's. */
export class DuplexConnection implements Connection, GatedReader {
  readonly id = nextConnectionId()
  readonly remote: Address
  readonly local: Address
  receivedBytes = 0
  readonly #duplex: Duplex
  readonly #limits: ConnectionLimits
  readonly #host: ConnectionHost
  readonly #assembler: FrameAssembler
  readonly #output: OutputQueue
  #events: ConnectionEvents | null = null
  #isPaused = false
  #isGated = false
  /** Set once: from then on what is received is not looked at, and `closed` will be told this. */
  #ending: CloseReason | null = null

  constructor(options: ConnectionOptions) {
    this.remote = options.remote
    this.local = options.local
    this.#duplex = options.duplex
    this.#limits = options.limits
    this.#host = options.host
    this.#assembler = new FrameAssembler(options.limits.frameSizeMax, options.limits.frameSizeMin)
    const { coldGate: gate } = options.limits
    const listener: OutputListener = {
      sent: (bytes, stream) => this.#host.sent(bytes, stream),
      drained: () => this.#call(events => events.drained()),
      ended: () => this.#duplex.end(() => this.#duplex.destroy()),
      failed: detail => this.#destroy({ kind: 'short-file', detail }),
    }
    const cold = gate === undefined ? null : { gate, connectionId: this.id }
    this.#output = new OutputQueue(options.duplex, listener, cold)
  }

  get queuedBytes(): number {
    return this.#output.queuedBytes
  }

  get partialBytes(): number {
    return this.#assembler.partialBytes
  }

  get missingBytes(): number {
    return this.#assembler.missingBytes
  }

  get isStarved(): boolean {
    return this.#isGated
  }

  openStream(): SendStream {
    return this.#host.openStream()
  }

  /** Starts to listen to the stream. To be called once. */
  open(events: ConnectionEvents): void {
    this.#events = events
    this.#duplex.on('data', (chunk: Uint8Array) => this.#received(chunk))
    this.#duplex.on('end', () => this.#destroy({ kind: 'peer', detail: '' }))
    this.#duplex.on('close', () => this.#closed())
    this.#host.memory.join(this, this.#limits.requestMemoryMax)
    this.#updateReading()
  }

  /** The stream failed; its 'close' follows. */
  failed(error: Error): void {
    const { code } = error as NodeJS.ErrnoException
    this.#ending ??= { kind: 'socket', detail: code ?? error.message }
  }

  send(parts: readonly OutPart[]): void {
    this.#output.send(parts)
  }

  pause(): void {
    this.#isPaused = true
    this.#updateReading()
  }

  resume(): void {
    this.#isPaused = false
    this.#updateReading()
  }

  setGate(isClosed: boolean): void {
    this.#isGated = isClosed
    this.#updateReading()
  }

  close(): void {
    this.#destroy({ kind: 'local', detail: '' })
  }

  end(): void {
    this.#ending ??= { kind: 'local', detail: '' }
    this.#updateReading()
    this.#output.end()
  }

  #received(chunk: Uint8Array): void {
    this.receivedBytes += chunk.length
    this.#host.received(chunk.length)
    if (this.#ending !== null) return
    const partialBefore = this.#assembler.partialBytes
    const copiedBefore = this.#assembler.copiedBytes
    const plain = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)
    const { frames, fault } = this.#assembler.push(plain)
    this.#host.assembled(this.#assembler.copiedBytes - copiedBefore)
    const frameBytes = frames.reduce((sum, bytes) => sum + bytes.length, 0)
    this.#host.memory.change(frameBytes, this.#assembler.partialBytes - partialBefore)
    if (frames.length > 0) this.#deliver(frames)
    if (fault !== null) this.#destroy({ kind: 'frame', detail: fault })
  }

  #deliver(bytes: readonly Uint8Array[]): void {
    const frames = bytes.map(each => new DuplexFrame(each, this.#host))
    const isFine = this.#call(events => events.frames(frames))
    // Whoever threw does not release: the bytes stay valid, but they are not counted any more.
    if (!isFine) for (const frame of frames) frame.abandon()
  }

  /** Calls JavaScript that is not ours; false where it threw, which closes this connection and nothing else. */
  #call(act: (events: ConnectionEvents) => void): boolean {
    if (this.#events === null || this.#duplex.destroyed) return true
    try {
      act(this.#events)
      return true
    } catch (error) {
      this.#destroy({ kind: 'callback', detail: String(error) })
      return false
    }
  }

  #destroy(reason: CloseReason): void {
    if (this.#duplex.destroyed) return
    if (this.#ending === null || !isOrderly(reason)) this.#ending = reason
    this.#output.drop()
    this.#duplex.destroy()
  }

  #closed(): void {
    const events = this.#events
    if (events === null) return
    this.#events = null
    this.#output.drop()
    this.#host.memory.change(0, -this.#assembler.partialBytes)
    this.#host.memory.leave(this, this.#limits.requestMemoryMax)
    try {
      events.closed(this.#ending ?? { kind: 'peer', detail: '' })
    } catch {
      // The connection is closed already, which is all that an exception here can ask for.
    }
  }

  #updateReading(): void {
    if (this.#duplex.destroyed) return
    if (this.#ending === null && (this.#isPaused || this.#isGated)) this.#duplex.pause()
    else this.#duplex.resume()
  }
}

function isOrderly({ kind }: CloseReason): boolean {
  return kind === 'local' || kind === 'peer'
}

class DuplexFrame implements Frame {
  readonly bytes: Uint8Array
  readonly #host: ConnectionHost
  #state: 'held' | 'released' | 'abandoned' = 'held'

  constructor(bytes: Uint8Array, host: ConnectionHost) {
    this.bytes = bytes
    this.#host = host
  }

  release(): void {
    assert(this.#state !== 'released', 'a frame is released once')
    const wasHeld = this.#state === 'held'
    this.#state = 'released'
    if (wasHeld) this.#host.memory.change(-this.bytes.length, 0)
  }

  abandon(): void {
    if (this.#state !== 'held') return
    this.#state = 'abandoned'
    this.#host.memory.change(-this.bytes.length, 0)
  }
}
