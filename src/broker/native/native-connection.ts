import { assert, present } from '../../lib/assert.ts'
import type { ColdGate, WaitingJob } from '../../env/cold-gate.ts'
import { nextConnectionId } from '../../env/connection-id.ts'
import type {
  Address,
  CloseReason,
  Connection,
  ConnectionEvents,
  OutPart,
  SendStream,
} from '../../env/network.ts'
import { plainHost } from '../../env/network.ts'
import type { ConnectionEnds, Binding } from './binding.ts'
import { errnoName } from './errno.ts'
import { takeFrames } from './native-frame.ts'
import { sendMessage } from './native-message.ts'

/** A connection that the addon polls, reads and writes. */
export class NativeConnection implements Connection {
  readonly id = nextConnectionId()
  readonly remote: Address
  readonly local: Address
  readonly #binding: Binding
  readonly #handle: number
  readonly #streams: () => SendStream
  #events: ConnectionEvents | null = null
  #coldGate: ColdGate | null = null
  /** What a callback threw, or null. */
  #thrown: string | null = null
  /** Bytes received in all, once the connection is closed and the addon has forgotten it. */
  #receivedInAll: number | null = null

  /** `streams` gives streams of its network. */
  constructor(binding: Binding, handle: number, ends: ConnectionEnds, streams: () => SendStream) {
    const [remoteHost, remotePort, localHost, localPort] = ends
    this.#binding = binding
    this.#handle = handle
    this.#streams = streams
    this.remote = addressOf(remoteHost, remotePort)
    this.local = addressOf(localHost, localPort)
  }

  get queuedBytes(): number {
    return this.#numbers()[0]
  }

  get partialBytes(): number {
    return this.#numbers()[1]
  }

  get receivedBytes(): number {
    return this.#numbers()[2]
  }

  get isStarved(): boolean {
    return this.#numbers()[3] !== 0
  }

  openStream(): SendStream {
    return this.#streams()
  }

  send(parts: readonly OutPart[]): void {
    if (this.#isClosed) return
    const result = sendMessage(this.#binding, this.#handle, parts)
    assert(result >= 0, 'what is sent is bytes, or ranges of open files')
    if (result > 0) this.coldAsked(result)
  }

  pause(): void {
    if (!this.#isClosed) this.#binding.connectionPause(this.#handle, 1)
  }

  resume(): void {
    if (!this.#isClosed) this.#binding.connectionPause(this.#handle, 0)
  }

  close(): void {
    if (!this.#isClosed) this.#close('local')
  }

  end(): void {
    if (!this.#isClosed) this.#binding.connectionEnd(this.#handle)
  }

  /** The listener took it. Without this, nobody is told of its end. */
  open(events: ConnectionEvents, coldGate: ColdGate | null): void {
    this.#events = events
    this.#coldGate = coldGate
  }

  coldAsked(bytes: number): void {
    if (this.#coldGate === null) this.#go(bytes)
    else this.#coldGate.wait(this.id, this.#coldJob(bytes))
  }

  coldEnded(sentBytes: number, nextBytes: number): void {
    if (this.#coldGate !== null) {
      this.#coldGate.end(this.id, sentBytes, nextBytes > 0 ? this.#coldJob(nextBytes) : null)
    } else if (nextBytes > 0) {
      this.#go(nextBytes)
    }
  }

  framesCame(count: number): void {
    const frames = takeFrames(this.#binding, count)
    const isFine = this.#tell(() => present(this.#events, 'a reader').frames(frames))
    if (!isFine) for (const frame of frames) frame.abandon()
  }

  drained(): void {
    this.#tell(() => this.#events?.drained())
  }

  closed(kind: number, detail: number): void {
    this.#receivedInAll = this.receivedBytes
    this.#coldGate?.leave(this.id)
    try {
      const { closeKinds } = this.#binding.constants
      this.#events?.closed(this.#reason(closeKinds[kind]!, detail))
    } catch {
      // The connection is closed already, which is all that an exception here can ask for.
    }
  }

  #coldJob(bytes: number): WaitingJob {
    return { bytes, go: bytesMax => this.#go(bytesMax) }
  }

  /** Nothing where the connection is being closed. */
  #go(bytesMax: number): void {
    if (!this.#isClosed) this.#binding.connectionGo(this.#handle, bytesMax)
  }

  #close(kind: CloseReason['kind']): void {
    const { closeKinds } = this.#binding.constants
    this.#binding.connectionClose(this.#handle, closeKinds.indexOf(kind))
  }

  /** False where `act` threw: an exception costs this connection and no other. */
  #tell(act: () => void): boolean {
    try {
      act()
      return true
    } catch (error) {
      this.#thrown ??= String(error)
      this.#close('callback')
      return false
    }
  }

  #reason(kind: CloseReason['kind'], detail: number): CloseReason {
    if (kind === 'callback') return { kind, detail: this.#thrown ?? '' }
    if (kind === 'frame') return { kind, detail: `a frame of ${detail} bytes was announced` }
    return { kind, detail: detail === 0 ? '' : errnoName(detail) }
  }

  get #isClosed(): boolean {
    return this.#receivedInAll !== null
  }

  #numbers(): readonly [number, number, number, number] {
    if (this.#receivedInAll !== null) return [0, 0, this.#receivedInAll, 0]
    this.#binding.connectionNumbers(this.#handle)
    const [queued, partial, received, starved] = this.#binding.answer
    return [queued!, partial!, received!, starved!]
  }
}

function addressOf(host: string, port: string): Address {
  return { host: plainHost(host), port: Number(port) }
}
