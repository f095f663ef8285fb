import type { Address, CloseReason, Connection, Env, Frame, OutPart } from '../../../env/env.ts'
import { present } from '../../../lib/assert.ts'
import { deferred } from '../../../lib/deferred.ts'
import type { Api, Draft, Fields, Infer } from '../field.ts'
import { readCorrelationId, readResponse, requestFrame } from '../frame.ts'
import { apiVersions } from '../messages/index.ts'
import { WireError } from '../wire-error.ts'
import { WireClientError } from './client-error.ts'
import { InFlight, type Sent } from './in-flight.ts'
import { negotiate, readApiVersions, type Versions } from './versions.ts'

export interface WireClientOptions {
  /** How the peer's logs and metrics name us; null names nobody. */
  readonly clientId?: string | null
  /** Which program asks (KIP-511): letters, digits, dots and dashes. */
  readonly software?: { readonly name: string; readonly version: string }
  /** An answer above this ends the connection. */
  readonly frameSizeMax?: number
  /** Milliseconds for the connection to come about. */
  readonly connectTimeoutMs?: number
  /** Milliseconds for an answer, where a request does not say otherwise. */
  readonly requestTimeoutMs?: number
  /** Requests that may wait for their answers; more are refused. */
  readonly inFlightMax?: number
  /** Taken for granted, where the peer is not to be asked. */
  readonly versions?: Versions
  /** The first to speak when versions are known, such as SASL's exchange; where it rejects there is no client. */
  readonly authenticate?: (client: WireClient) => Promise<void>
}

export interface RequestOptions {
  /** This version and no other; the highest that both know where left out. */
  readonly version?: number
  readonly timeoutMs?: number
}

/** An answer as it lies in its frame. */
export interface Borrowed<Value> {
  /** Its records are views of the frame: valid until `release`. */
  readonly value: Value
  /** Gives the frame back to the network, once. */
  release(): void
}

/** What a client needs of the world. */
export type WireClientEnv = Pick<Env, 'network' | 'clock'>

/**
 * The front door of the room: speaks Kafka's protocol to one broker over one connection, for whoever is no broker to it: peers, the operator,
 * the command line, tests.
 *
 * It promises that requests leave at once and in the order of the calls, however many wait for answers; that each
 * promise is settled once, by its answer, by its deadline or by the end of the connection; that an answer is given to
 * the request it belongs to, or the connection ends (there is nothing between: what comes after a wrong answer cannot
 * be trusted, and what comes after a late one is late too); and that it only rejects with a WireClientError, but
 * for what `authenticate` throws. It never connects again: `Connections` does. Error codes are data in an answer;
 * `refuseErrors` throws them, and `retrying` tries again by their class.
 */
export class WireClient {
  /** Of the peer, as it was asked for. */
  readonly address: Address
  readonly #env: WireClientEnv
  readonly #options: WireClientOptions
  readonly #inFlight: InFlight
  readonly #closed = deferred<WireClientError>()
  #connection: Connection | null = null
  #versions: Versions | null = null
  #lastCorrelationId = 0
  #end: WireClientError | null = null

  /** Connects, learns the versions, authenticates. Rejects where one of them fails, and leaves nothing behind. */
  static async connect(
    env: WireClientEnv,
    address: Address,
    options: WireClientOptions = {},
  ): Promise<WireClient> {
    const client = new WireClient(env, address, options)
    try {
      await client.#open()
    } catch (error) {
      client.close()
      client.#connection?.close()
      throw error
    }
    return client
  }

  private constructor(env: WireClientEnv, address: Address, options: WireClientOptions) {
    this.#env = env
    this.address = address
    this.#options = options
    this.#inFlight = new InFlight(env.clock, sent => this.#late(sent))
  }

  get isOpen(): boolean {
    return this.#end === null
  }

  /** Resolves when the connection is gone, with the reason. */
  get closed(): Promise<WireClientError> {
    return this.#closed.promise
  }

  /** Our end: what the peer knows the connection by. */
  get local(): Address {
    return present(this.#connection, 'a connection').local
  }

  /** Requests that have no answer yet. */
  get inFlightCount(): number {
    return this.#inFlight.count
  }

  /**
   * Sends a request and resolves to its answer. Records of the request are sent as they are and may not be changed
   * before the answer came; those of the answer are the caller's.
   */
  async request<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    value: Draft<Request>,
    { version: wanted, timeoutMs }: RequestOptions = {},
  ): Promise<Infer<Response>> {
    const version = this.#versionOf(api, wanted)
    const owned = holdsViews(api.response)
    return await this.#exchange(
      { api, version, value, timeoutMs },
      ({ bytes }) => readResponse(api, version, owned ? Uint8Array.from(bytes) : bytes).value,
    )
  }

  /**
   * As `request`, without a copy of the records: whoever has written or passed them on gives the frame back, and until
   * then the network keeps its memory. A frame can be given back after the end of the connection.
   */
  async borrow<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    value: Draft<Request>,
    { version: wanted, timeoutMs }: RequestOptions = {},
  ): Promise<Borrowed<Infer<Response>>> {
    const version = this.#versionOf(api, wanted)
    return await this.#exchange({ api, version, value, timeoutMs, keepsFrame: true }, frame => ({
      value: readResponse(api, version, frame.bytes).value,
      release: () => frame.release(),
    }))
  }

  /**
   * Sends a request that is not answered: Produce with acks=0.
   * @throws WireClientError
   */
  send<Request extends Fields>(
    api: Api<Request>,
    value: Draft<Request>,
    { version }: Pick<RequestOptions, 'version'> = {},
  ): void {
    if (this.#end !== null) throw this.#end
    this.#write(api, this.#versionOf(api, version), value)
  }

  /** Ends the connection at once; what has no answer is rejected. */
  close(): void {
    this.#fail(new WireClientError('local', `the connection to ${this.#peer} was closed here`))
  }

  [Symbol.dispose](): void {
    this.close()
  }

  async #open(): Promise<void> {
    const { network } = this.#env
    const { frameSizeMax = 2 ** 27, connectTimeoutMs = 10_000, versions } = this.#options
    const options = { ...this.address, frameSizeMax, timeoutMs: connectTimeoutMs }
    try {
      this.#connection = await network.connect(options, {
        frames: frames => this.#take(frames),
        drained: () => {},
        closed: reason => this.#fail(this.#errorOf(reason)),
      })
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause)
      throw new WireClientError('unreachable', message, { cause })
    }
    // A peer that speaks first has ended the connection before we have it.
    if (this.#end !== null) throw this.#end
    this.#versions = versions ?? (await negotiate(version => this.#askVersions(version)))
    await this.#options.authenticate?.(this)
  }

  #askVersions(version: number): Promise<Infer<typeof apiVersions.response>> {
    const { name, version: ofSoftware } = this.#options.software ?? thisSoftware
    const value = { clientSoftwareName: name, clientSoftwareVersion: ofSoftware }
    return this.#exchange({ api: apiVersions, version, value }, ({ bytes }) =>
      readApiVersions(version, bytes),
    )
  }

  #versionOf(api: Api, wanted: number | undefined): number {
    return present(this.#versions, 'versions that both know').choose(api, wanted)
  }

  /** Sends `asked`; resolves to what `read` makes of the answer. */
  #exchange<Request extends Fields, Answer>(
    asked: Asked<Request>,
    read: (frame: Frame) => Answer,
  ): Promise<Answer> {
    if (this.#end !== null) return Promise.reject(this.#end)
    const { inFlightMax = 1000, requestTimeoutMs = 30_000 } = this.#options
    const what = `${asked.api.name} v${asked.version}`
    if (this.#inFlight.count >= inFlightMax) {
      const message = `${inFlightMax} requests to ${this.#peer} wait for answers: no room for ${what}`
      return Promise.reject(new WireClientError('in-flight', message))
    }
    const later = deferred<Answer>()
    const correlationId = this.#write(asked.api, asked.version, asked.value)
    this.#inFlight.add({
      correlationId,
      what,
      timeoutMs: asked.timeoutMs ?? requestTimeoutMs,
      answered: frame => {
        later.resolve(read(frame))
        return asked.keepsFrame ?? false
      },
      failed: error => later.reject(error),
    })
    return later.promise
  }

  /** Returns the correlation id. */
  #write<Request extends Fields>(
    api: Api<Request>,
    version: number,
    value: Draft<Request>,
  ): number {
    const correlationId = (this.#lastCorrelationId + 1) & 0x7fffffff
    const { clientId = thisSoftware.name } = this.#options
    const parts = requestFrame(api, version, { correlationId, clientId }, value)
    this.#lastCorrelationId = correlationId
    present(this.#connection, 'a connection').send(parts as OutPart[])
    return correlationId
  }

  #take(frames: readonly Frame[]): void {
    for (const frame of frames) {
      let isKept = false
      try {
        if (this.#end === null) isKept = this.#answer(frame)
      } finally {
        if (!isKept) frame.release()
      }
    }
  }

  /** Whether whoever asked keeps the frame. */
  #answer(frame: Frame): boolean {
    const sent = this.#inFlight.first
    let isKept: boolean
    try {
      const correlationId = readCorrelationId(frame.bytes)
      if (correlationId !== sent?.correlationId) {
        const awaited = sent === undefined ? 'none was awaited' : `${sent.correlationId} was due`
        return this.#broken(`sent answer ${correlationId} where ${awaited}`)
      }
      isKept = sent.answered(frame)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      return this.#broken(`sent an answer that is none: ${error.message}`)
    }
    this.#inFlight.shift()
    return isKept
  }

  #broken(what: string): false {
    this.#fail(new WireClientError('protocol', `${this.#peer} ${what}`))
    return false
  }

  #late({ what, timeoutMs }: Sent): void {
    const message = `${this.#peer} did not answer ${what} within ${timeoutMs} ms`
    this.#fail(new WireClientError('timeout', message))
  }

  #errorOf({ kind, detail }: CloseReason): WireClientError {
    if (kind === 'peer') return new WireClientError('closed', `${this.#peer} closed the connection`)
    const message = `the connection to ${this.#peer} broke: ${detail}`
    return new WireClientError(kind === 'socket' ? 'closed' : 'protocol', message)
  }

  /** The end, once: of the connection, and of whatever waits. */
  #fail(error: WireClientError): void {
    if (this.#end !== null) return
    this.#end = error
    this.#connection?.close()
    this.#inFlight.failAll(error)
    this.#closed.resolve(error)
  }

  get #peer(): string {
    return `${this.address.host}:${this.address.port}`
  }
}

interface Asked<Request extends Fields> {
  readonly api: Api<Request>
  readonly version: number
  readonly value: Draft<Request>
  readonly timeoutMs?: number | undefined
  /** The answer has views of its frame, which is given back by who asked. */
  readonly keepsFrame?: boolean
}

/** Who does not say more. */
const thisSoftware = { name: 'logcluster', version: 'unknown' }

/** Whether a message has records, which decode to views of the frame: it goes back to the network, they stay. */
function holdsViews(fields: Fields): boolean {
  let holds = viewing.get(fields)
  if (holds === undefined) {
    holds = Object.values(fields).some(({ kind }) => holdsRecords(kind))
    viewing.set(fields, holds)
  }
  return holds
}

const viewing = new WeakMap<Fields, boolean>()

function holdsRecords(kind: Fields[string]['kind']): boolean {
  if (kind.type === 'array') return holdsRecords(kind.of.kind)
  if (kind.type === 'struct')
    return Object.values(kind.fields).some(each => holdsRecords(each.kind))
  return kind.type === 'records'
}
