import { Duplex } from 'node:stream'
import type { Prng } from '../src/lib/prng.ts'

export interface ByteStreamOptions {
  /** Runs `act` later: when bytes arrive at the other end. */
  readonly later: (act: () => void) => void
  /** Cuts what is written at any byte; whole writes arrive where left out. */
  readonly prng?: Prng
  /** Bytes that each end's socket buffers hold: written and not arrived, arrived and not read. */
  readonly windowBytes?: number
}

/** One end of a simulated connection: a Duplex whose bytes arrive at its peer later, in order, cut anywhere. */
export class SimSocket extends Duplex {
  readonly #options: ByteStreamOptions
  readonly #windowBytes: number
  #peer: SimSocket | null = null
  /** What was written and has not arrived: it waits for room at the peer, and goes on after a clean close. */
  #sent: Uint8Array[] = []
  #sentBytes = 0
  /** Ends the write that found the buffer full. */
  #taken: (() => void) | null = null
  #isSending = false
  #fin: 'open' | 'wanted' | 'sent' = 'open'
  /** Nothing arrives any more: after a reset, or a cut. */
  #isCut = false
  /** Bytes that arrived and that nobody has asked for. */
  #arrived: Uint8Array[] = []
  #arrivedBytes = 0
  #wantsBytes = false
  #hasFin = false

  constructor(options: ByteStreamOptions) {
    super({ allowHalfOpen: true })
    this.#options = options
    this.#windowBytes = options.windowBytes ?? 256 * 1024
  }

  /** Two ends of one connection. */
  static pair(options: ByteStreamOptions): readonly [SimSocket, SimSocket] {
    const a = new SimSocket(options)
    const b = new SimSocket(options)
    a.#peer = b
    b.#peer = a
    return [a, b]
  }

  /** Ends the connection for both with ECONNRESET; what is under way is lost. */
  reset(): void {
    this.#abort()
    this.destroy()
  }

  /** From now on nothing that this end sends arrives, and nobody learns of it: a half-open connection. */
  cut(): void {
    this.#isCut = true
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.#sent.push(chunk)
    this.#sentBytes += chunk.length
    if (this.#sentBytes <= this.#windowBytes) done()
    else this.#taken = done
    this.#send()
  }

  override _final(done: () => void): void {
    this.#close()
    done()
  }

  override _read(): void {
    this.#wantsBytes = true
    this.#giveBytes()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // A close with unread bytes is a reset, as in TCP; else what was written still arrives, and then the end.
    if (error === null && this.#arrivedBytes === 0 && this.#taken === null) this.#close()
    else this.#abort()
    this.#arrived = []
    this.#arrivedBytes = 0
    this.#peer?.goOn()
    done(error)
  }

  #close(): void {
    if (this.#fin === 'open') this.#fin = 'wanted'
    this.#send()
  }

  #abort(): void {
    const peer = this.#peer
    if (peer !== null && !this.#isCut) {
      this.#options.later(() => void peer.destroy(connectionReset()))
    }
    this.#isCut = true
    this.#sent = []
  }

  /** Starts the delivery of the next piece, where one waits and the peer has room for it. */
  #send(): void {
    if (this.#isSending || !this.#canDeliver()) return
    this.#isSending = true
    this.#options.later(() => {
      this.#isSending = false
      if (this.#canDeliver()) this.#deliver()
      this.#send()
    })
  }

  #canDeliver(): boolean {
    return this.#sent.length > 0 ? this.#room() > 0 : this.#fin === 'wanted'
  }

  #deliver(): void {
    const next = this.#sent[0]
    if (next === undefined) {
      this.#fin = 'sent'
      if (!this.#isCut) this.#peer?.finArrived()
      return
    }
    const length = Math.min(this.#room(), this.#pieceBytes(next.length))
    if (length === next.length) this.#sent.shift()
    else this.#sent[0] = next.subarray(length)
    this.#sentBytes -= length
    if (!this.#isCut) this.#peer?.bytesArrived(Uint8Array.from(next.subarray(0, length)))
    if (this.#sentBytes > this.#windowBytes) return
    const taken = this.#taken
    this.#taken = null
    taken?.()
  }

  /** Often all, often little: both the cut between any two bytes and the large chunk are to be seen. */
  #pieceBytes(length: number): number {
    const { prng } = this.#options
    if (prng === undefined || length === 0) return length
    return prng.chance(1, 2)
      ? length
      : 1 + prng.below(prng.chance(1, 2) ? Math.min(16, length) : length)
  }

  #room(): number {
    return this.#isCut ? Infinity : this.#windowBytes - (this.#peer?.unreadBytes ?? 0)
  }

  /** For the peer only, as the next two. */
  protected bytesArrived(bytes: Uint8Array): void {
    if (this.destroyed) {
      this.#abort()
      return
    }
    this.#arrived.push(bytes)
    this.#arrivedBytes += bytes.length
    this.#giveBytes()
  }

  protected finArrived(): void {
    this.#hasFin = true
    this.#giveBytes()
  }

  /** The peer has read something: there may be room now. */
  protected goOn(): void {
    this.#send()
  }

  protected get unreadBytes(): number {
    return this.#arrivedBytes
  }

  #giveBytes(): void {
    while (this.#wantsBytes && this.#arrived.length > 0) {
      const bytes = this.#arrived.shift()!
      this.#arrivedBytes -= bytes.length
      this.#wantsBytes = this.push(bytes)
    }
    if (this.#wantsBytes && this.#hasFin && this.#arrived.length === 0) {
      this.#hasFin = false
      this.push(null)
    }
    this.#peer?.goOn()
  }
}

function connectionReset(): Error {
  return Object.assign(new Error('the connection was reset'), { code: 'ECONNRESET' })
}
