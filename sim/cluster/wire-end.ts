import { FrameAssembler } from '../../src/env/duplex/frame-assembler.ts'
import {
  isFileRange,
  type Address,
  type CloseReason,
  type Connection,
  type ConnectionEvents,
  type Frame,
  type OutPart,
  type SendStream,
} from '../../src/env/network.ts'
import { concat } from '../../src/lib/bytes.ts'
import { present } from '../../src/lib/assert.ts'
import { countedStream, type CountedStream } from './sent-bytes.ts'
import { bytesOf, nothing, type Queued } from './queued.ts'
import type { Life } from './life.ts'
import type { Prng } from '../../src/lib/prng.ts'
import type { SimClock } from '../clock.ts'

/** Told of bytes as they arrive. */
export type Delivered = (from: Address, to: Address, bytes: Uint8Array) => void

/** The network that an end is part of. */
export interface Wiring {
  readonly time: SimClock
  readonly prng: Prng
  readonly delivered: Delivered
  isCut(from: string, to: string): boolean
  isDown(host: string): boolean
  /** Of the next piece. */
  delayMs(): number
  join(end: WireEnd): void
  leave(end: WireEnd): void
}

export interface WireEndOptions {
  readonly id: number
  readonly life: Life
  readonly local: Address
  readonly remote: Address
  /** Least and most that a frame may announce. */
  readonly frameBytes: readonly [min: number, max: number]
}

/** A host that is down, or a wire that is cut, is tried again so often by who has something for it. */
const retransmitMs = 400

/** One end of a connection, and the wire from it to its peer. */
export class WireEnd implements Connection {
  readonly id: number
  readonly life: Life
  readonly local: Address
  readonly remote: Address
  receivedBytes = 0
  readonly #wires: Wiring
  readonly #assembler: FrameAssembler
  #peer: WireEnd | null = null
  #events: ConnectionEvents | null = null
  #ended: CloseReason | null = null
  #queue: Queued[] = []
  #queuedBytes = 0
  #isMoving = false
  #isPaused = false
  #isOpened = false
  #owesDrained = false
  /** What arrived before anybody listened, or while nobody read. */
  #unread: Uint8Array[] = []
  /** `gone`: without a word, with its machine. */
  #state: 'open' | 'ending' | 'closed' | 'gone' = 'open'
  /** What follows the last bytes. */
  #last: 'none' | 'fin' | 'reset' = 'none'
  #hasFin = false

  constructor(wires: Wiring, options: WireEndOptions) {
    const [min, max] = options.frameBytes
    this.#wires = wires
    this.id = options.id
    this.life = options.life
    this.local = options.local
    this.remote = options.remote
    this.#assembler = new FrameAssembler(max, min)
    wires.join(this)
  }

  static join(a: WireEnd, b: WireEnd): void {
    a.#peer = b
    b.#peer = a
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  get partialBytes(): number {
    return this.#assembler.partialBytes
  }

  /** There is no bound for requests here. */
  get isStarved(): boolean {
    return false
  }

  openStream(): SendStream {
    return countedStream()
  }

  /** Somebody listens from now on; it may have ended before he came to it. */
  open(events: ConnectionEvents): void {
    this.#isOpened = true
    if (this.#ended !== null) this.#tell(events, this.#ended)
    else this.#events = events
    this.#read()
  }

  send(parts: readonly OutPart[]): void {
    if (this.#state !== 'open') return
    for (const part of parts) {
      const release = isFileRange(part) ? part.file.hold() : nothing
      this.#queue.push({ part, bytes: part.length, release })
      this.#queuedBytes += part.length
    }
    this.#owesDrained = true
    this.goOn()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#read()
  }

  close(): void {
    if (this.#state !== 'open' && this.#state !== 'ending') return
    this.#drop()
    this.#last = this.#unread.length > 0 ? 'reset' : 'fin'
    this.#finish({ kind: 'local', detail: '' })
    this.goOn()
  }

  end(): void {
    if (this.#state !== 'open') return
    this.#state = 'ending'
    this.#last = 'fin'
    this.goOn()
  }

  /** Both ends hear of a reset, each as far as it can be told. */
  reset(): void {
    this.#drop()
    this.#last = 'reset'
    this.#finish({ kind: 'socket', detail: 'ECONNRESET' })
    this.goOn()
  }

  /** This end is closed, and the other is never told of it, until it says something: half-open. */
  forget(): void {
    this.#drop()
    this.#last = 'none'
    this.#finish({ kind: 'socket', detail: 'ETIMEDOUT' })
  }

  /** Its process died. `isReset`: what was sent is lost with it. */
  abandon(isReset: boolean): void {
    if (this.#state === 'closed' || this.#state === 'gone') return
    this.#state = 'closed'
    this.#events = null
    if (isReset) this.#drop()
    else this.#keepQueue()
    this.#last = isReset ? 'reset' : 'fin'
    this.goOn()
  }

  /** Its machine died. */
  vanish(): void {
    this.#state = 'gone'
    this.#events = null
    this.#drop()
    this.#last = 'none'
    this.#wires.leave(this)
  }

  /** Starts what there is to deliver on its way, where the wire lets it. */
  goOn(): void {
    if (this.#isMoving || (this.#queue.length === 0 && this.#last === 'none')) return
    if (this.#wires.isCut(this.local.host, this.remote.host)) return
    this.#isMoving = true
    this.#wires.time.after(this.#wires.delayMs(), () => this.#arrive())
  }

  #arrive(): void {
    this.#isMoving = false
    const peer = present(this.#peer, 'a peer')
    if (this.#wires.isCut(this.local.host, this.remote.host)) return
    if (peer.#state === 'gone' || peer.#state === 'closed') {
      this.#noPeer(peer)
      return
    }
    if (this.#queue.length > 0) {
      const bytes = this.#take()
      if (bytes !== null) peer.#receive(bytes)
    }
    if (this.#queue.length > 0) {
      this.goOn()
      return
    }
    this.#emptied(peer)
  }

  #emptied(peer: WireEnd): void {
    const last = this.#last
    this.#last = 'none'
    if (this.#state === 'ending') this.#finish({ kind: 'local', detail: '' })
    else if (this.#owesDrained && this.#state === 'open') {
      this.#owesDrained = false
      this.life.deliver(() => this.#call(events => events.drained()))
    }
    if (last === 'fin') peer.#receiveFin()
    if (last === 'reset') peer.#receiveReset()
    if (this.#state === 'closed') this.#wires.leave(this)
  }

  /** Nobody is there any more: a kernel that lives answers with a reset. */
  #noPeer(peer: WireEnd): void {
    this.#drop()
    this.#last = 'none'
    if (this.#state === 'closed' || this.#state === 'gone') return this.#wires.leave(this)
    if (peer.#state === 'closed' || !this.#wires.isDown(this.remote.host)) this.#receiveReset()
    else this.#wires.time.after(retransmitMs, () => this.#noPeer(peer))
  }

  #receive(bytes: Uint8Array): void {
    this.#wires.delivered(this.remote, this.local, bytes)
    this.life.deliver(() => {
      if (this.#state !== 'open') return
      this.#unread.push(bytes)
      this.#read()
    })
  }

  #receiveFin(): void {
    this.life.deliver(() => {
      if (this.#state !== 'open' && this.#state !== 'ending') return
      this.#hasFin = true
      this.#read()
    })
  }

  #receiveReset(): void {
    this.life.deliver(() => {
      this.#drop()
      this.#last = 'none'
      this.#finish({ kind: 'socket', detail: 'ECONNRESET' })
      this.#wires.leave(this)
    })
  }

  #read(): void {
    while (this.#unread.length > 0 && !this.#isPaused && this.#isOpened && this.isOpen) {
      this.#takeBytes(this.#unread.shift()!)
    }
    if (this.#hasFin && this.#unread.length === 0 && this.#isOpened) {
      this.#hasFin = false
      this.#drop()
      this.#last = 'fin'
      this.#finish({ kind: 'peer', detail: '' })
      this.goOn()
    }
  }

  #takeBytes(chunk: Uint8Array): void {
    this.receivedBytes += chunk.length
    const { frames, fault } = this.#assembler.push(chunk)
    if (frames.length > 0) {
      this.#call(events => events.frames(frames.map(bytes => new ReceivedFrame(bytes))))
    }
    if (fault === null || this.#state !== 'open') return
    this.#drop()
    this.#last = 'fin'
    this.#finish({ kind: 'frame', detail: fault })
    this.goOn()
  }

  /** Whoever throws closes this connection, and no other. */
  #call(act: (events: ConnectionEvents) => void): void {
    if (this.#events === null) return
    try {
      act(this.#events)
    } catch (error) {
      this.#drop()
      this.#last = 'fin'
      this.#finish({ kind: 'callback', detail: String(error) })
      this.goOn()
    }
  }

  #finish(reason: CloseReason): void {
    if (this.#state === 'closed' || this.#state === 'gone') return
    this.#state = 'closed'
    this.#ended = reason
    if (this.#events !== null) this.#tell(this.#events, reason)
    this.#events = null
  }

  #tell(events: ConnectionEvents, reason: CloseReason): void {
    this.#wires.time.soon(() =>
      this.life.deliver(() => {
        try {
          events.closed(reason)
        } catch {
          // It is closed already.
        }
      }),
    )
  }

  /** The next piece, cut anywhere; null where a file does not have what was promised. */
  #take(): Uint8Array | null {
    const { prng } = this.#wires
    const all = this.#queuedBytes
    const bytesMax = prng.chance(1, 6) ? 1 + prng.below(all) : all
    const pieces: Uint8Array[] = []
    let isOwn = true
    let left = bytesMax
    while (left > 0) {
      const next = this.#queue[0]
      if (next === undefined) break
      const piece = bytesOf(next, Math.min(left, next.bytes))
      if (piece === null) {
        this.#drop()
        this.#last = 'fin'
        this.life.deliver(() => this.#finish({ kind: 'short-file', detail: 'short' }))
        return null
      }
      isOwn = isFileRange(next.part)
      left -= piece.length
      this.#shift(next, piece.length)
      pieces.push(piece)
    }
    const [only] = pieces
    // What was read from a file is nobody else's.
    return pieces.length === 1 && isOwn ? only! : concat(pieces)
  }

  #shift(next: Queued, bytes: number): void {
    const { part } = next
    this.#queuedBytes -= bytes
    if (isFileRange(part)) (part.stream as CountedStream).add(bytes)
    if (bytes === next.bytes) {
      this.#queue.shift()
      next.release()
      return
    }
    const rest = isFileRange(part)
      ? { ...part, position: part.position + bytes, length: part.length - bytes }
      : part.subarray(bytes)
    this.#queue[0] = { part: rest, bytes: next.bytes - bytes, release: next.release }
  }

  /** Files die with the life's disk: what the kernel has of them it keeps. */
  #keepQueue(): void {
    const kept: Queued[] = []
    this.#queuedBytes = 0
    for (const next of this.#queue) {
      const part = bytesOf(next, next.bytes)
      next.release()
      if (part === null) continue
      kept.push({ part, bytes: part.length, release: nothing })
      this.#queuedBytes += part.length
    }
    this.#queue = kept
  }

  #drop(): void {
    for (const { release } of this.#queue) release()
    this.#queue = []
    this.#queuedBytes = 0
  }
}

class ReceivedFrame implements Frame {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  release(): void {
    // The collector has it.
  }
}
