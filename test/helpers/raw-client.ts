import { connect, type Socket } from 'node:net'
import { FrameAssembler } from '../../src/env/duplex/frame-assembler.ts'
import type { Api, Draft, Fields, Infer } from '../../src/broker/wire/field.ts'
import { readResponse, requestFrame } from '../../src/broker/wire/frame.ts'
import { concat } from '../../src/lib/bytes.ts'

export interface RawClientOptions {
  /** Where the connection comes from: see `BrokerClientOptions`. */
  readonly localAddress?: string
  readonly clientId?: string | null
  /** For a connection to come about, and for every answer; what takes longer fails. */
  readonly timeoutMs?: number
}

/**
 * Why no frame came. `closed`: the broker ended the connection, or it broke. `late`: it did nothing in time. `wrong`:
 * what came is not what was waited for. `local`: the test closed the client.
 */
export class RawClientError extends Error {
  override readonly name = 'RawClientError'
  readonly reason: 'closed' | 'late' | 'wrong' | 'local'

  constructor(reason: RawClientError['reason'], message: string) {
    super(message)
    this.reason = reason
  }
}

interface Pending {
  readonly answered: (frame: Uint8Array) => void
  readonly failed: (error: RawClientError) => void
}

/**
 * One connection on which a test says what no client would: broken frames, pieces of frames, an end in the middle. What
 * comes back are frames in their order, whatever is in them.
 */
export class RawClient {
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #clientId: string | null
  readonly #timeoutMs: number
  readonly #pending: Pending[] = []
  readonly #assembler = new FrameAssembler(0x7fffffff, 0)
  #lastCorrelationId = 0
  #end: RawClientError | null = null

  static async connect(port: number, options: RawClientOptions = {}): Promise<RawClient> {
    const { timeoutMs = 60_000, localAddress } = options
    const from = localAddress === undefined ? {} : { localAddress }
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, ...from })
    await new Promise<void>((resolve, reject) => {
      const fail = (error: RawClientError): void => {
        clearTimeout(timer)
        socket.destroy()
        reject(error)
      }
      const late = new RawClientError('late', `no connection within ${timeoutMs} ms`)
      const timer = setTimeout(() => fail(late), timeoutMs)
      socket.once('error', error => fail(new RawClientError('closed', error.message)))
      socket.once('connect', () => {
        clearTimeout(timer)
        resolve()
      })
    })
    return new RawClient(socket, options)
  }

  private constructor(
    socket: Socket,
    { clientId = 'raw-client', timeoutMs = 60_000 }: RawClientOptions,
  ) {
    this.#socket = socket
    this.#clientId = clientId
    this.#timeoutMs = timeoutMs
    this.closed = new Promise(resolve => socket.once('close', () => resolve()))
    socket.on('data', chunk => this.#take(chunk))
    socket.on('error', error => this.#fail('closed', `the connection broke: ${error.message}`))
    socket.on('close', () => this.#fail('closed', 'the connection was closed'))
  }

  get isOpen(): boolean {
    return this.#end === null
  }

  /** Frames that are waited for. */
  get openCount(): number {
    return this.#pending.length
  }

  /** A whole request, length prefix included, not sent. */
  frame<Request extends Fields>(
    api: Api<Request>,
    version: number,
    value: Draft<Request>,
    correlationId = ++this.#lastCorrelationId,
  ): Uint8Array {
    const header = { correlationId, clientId: this.#clientId }
    return concat(requestFrame(api, version, header, value) as Uint8Array[])
  }

  /** Sends a whole request, and reads the next frame as its answer. */
  async ask<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    value: Draft<Request>,
  ): Promise<Infer<Response>> {
    const answer = await this.exchange(this.frame(api, version, value))
    return readResponse(api, version, answer).value
  }

  /** Sends bytes as they are. */
  send(bytes: Uint8Array): void {
    if (this.#end === null) this.#socket.write(bytes)
  }

  /** Sends bytes as they are; resolves to the next frame that comes, without its length prefix. */
  exchange(bytes: Uint8Array): Promise<Uint8Array> {
    const answer = this.nextFrame()
    this.send(bytes)
    return answer
  }

  /** The next frame that comes and that nobody else waits for, without its length prefix. */
  nextFrame(): Promise<Uint8Array> {
    if (this.#end !== null) return Promise.reject(this.#end)
    return new Promise((resolve, reject) => {
      const late = (): void => this.#fail('late', `no answer within ${this.#timeoutMs} ms`)
      const timer = setTimeout(late, this.#timeoutMs)
      this.#pending.push({
        answered: frame => {
          clearTimeout(timer)
          resolve(frame)
        },
        failed: error => {
          clearTimeout(timer)
          reject(error)
        },
      })
    })
  }

  /** As `exchange`, but null where the broker closed the connection instead. Throws where it did neither. */
  async answerOrClose(bytes: Uint8Array): Promise<Uint8Array | null> {
    try {
      return await this.exchange(bytes)
    } catch (error) {
      if (error instanceof RawClientError && error.reason === 'closed') return null
      throw error
    }
  }

  /** Stops reading; what the broker sends stays in the kernel. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Says that nothing more will be sent; what the broker still sends is taken. */
  finish(): void {
    this.#socket.end()
  }

  /** Ends the connection at once; who waits fails. */
  close(): void {
    this.#fail('local', 'the client closed the connection')
    this.#socket.destroy()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #take(chunk: Uint8Array): void {
    const { frames, fault } = this.#assembler.push(chunk)
    for (const frame of frames) {
      const pending = this.#pending.shift()
      if (pending === undefined) return this.#fail('wrong', 'an answer came that nobody asked for')
      pending.answered(frame)
    }
    if (fault !== null) this.#fail('wrong', fault)
  }

  #fail(reason: RawClientError['reason'], message: string): void {
    if (this.#end !== null) return
    this.#end = new RawClientError(reason, message)
    for (const { failed } of this.#pending.splice(0)) failed(this.#end)
    if (!this.#socket.destroyed) this.#socket.destroy()
  }
}
