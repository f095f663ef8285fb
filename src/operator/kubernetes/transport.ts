import { Agent, request, type Dispatcher } from 'undici'
import type { Clock } from '../../env/clock.ts'
import { ApiError } from './api-error.ts'
import type { Credentials, CredentialSource } from './credentials.ts'

/** One request, in HTTP's words. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With its query. */
  readonly path: string
  readonly contentType?: string
  readonly body?: string
  /** Milliseconds without a byte of the answer after which it is given up. */
  readonly silenceMsMax?: number
}

/** An answer whose body is still to be read. */
export interface HttpAnswer {
  readonly status: number
  /** `Retry-After`, milliseconds; null where it was not sent. */
  readonly retryAfterMs: number | null
  readonly body: AsyncIterable<Uint8Array> & { text(): Promise<string> }
}

/** What sends requests: `Transport`, or what a test puts in its place. */
export interface HttpSender {
  /** Rejects with an ApiError where there is no answer. An answer of any status is one. */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer>
}

export interface TransportOptions {
  readonly source: CredentialSource
  readonly clock: Pick<Clock, 'monotonic'>
  readonly userAgent: string
}

/** How long credentials are taken for right without a look, as client-go does with tokens. */
const rereadAfterMs = 60_000
const connectTimeoutMs = 10_000
/** Nothing that the operator asks for takes so long; a network that swallows packets does. */
const silenceMsDefault = 30_000

interface Session {
  readonly credentials: Credentials
  readonly agent: Agent
  readonly readAtMs: number
}

/** One long-lived agent to the API server: connections are kept, and made anew only where certificates have changed. */
export class Transport implements HttpSender {
  readonly #options: TransportOptions
  #session: Session | null = null
  #reading: Promise<Session> | null = null

  constructor(options: TransportOptions) {
    this.#options = options
  }

  async send(asked: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const session = await this.#open()
    const answer = await this.#dispatch(session, asked, signal)
    // A token that was rotated early: one look at its file, and the request was not read by the server.
    if (answer.statusCode !== 401) return answerOf(answer)
    this.#session = { ...session, readAtMs: -Infinity }
    const again = await this.#open()
    if (again.credentials.authorization === session.credentials.authorization)
      return answerOf(answer)
    await answer.body.dump()
    return answerOf(await this.#dispatch(again, asked, signal))
  }

  /** Ends all connections at once. */
  async close(): Promise<void> {
    await this.#session?.agent.destroy()
    this.#session = null
  }

  async #dispatch(
    { credentials, agent }: Session,
    { method, path, contentType, body, silenceMsMax = silenceMsDefault }: HttpRequest,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    try {
      return await request(`${credentials.server}${path}`, {
        method,
        dispatcher: agent,
        signal,
        headersTimeout: silenceMsDefault,
        bodyTimeout: silenceMsMax,
        headers: {
          accept: 'application/json',
          'user-agent': this.#options.userAgent,
          ...(credentials.authorization === null
            ? {}
            : { authorization: credentials.authorization }),
          ...(contentType === undefined ? {} : { 'content-type': contentType }),
        },
        ...(body === undefined ? {} : { body }),
      })
    } catch (error) {
      throw connectionError(error, credentials.server)
    }
  }

  async #open(): Promise<Session> {
    const session = this.#session
    const nowMs = this.#options.clock.monotonic()
    if (session !== null && nowMs - session.readAtMs < rereadAfterMs) return session
    this.#reading ??= this.#read(nowMs).finally(() => {
      this.#reading = null
    })
    return await this.#reading
  }

  async #read(nowMs: number): Promise<Session> {
    const old = this.#session
    let credentials: Credentials
    try {
      credentials = await this.#options.source.read()
    } catch (error) {
      const message = `cannot read the credentials for the API server: ${messageOf(error)}`
      throw new ApiError('unreachable', { message })
    }
    const isSame =
      old !== null && JSON.stringify(old.credentials.tls) === JSON.stringify(credentials.tls)
    const agent = isSame ? old.agent : newAgent(credentials)
    // What is under way may end; watches go on until their own time limit.
    if (!isSame) void old?.agent.close()
    return (this.#session = { credentials, agent, readAtMs: nowMs })
  }
}

function newAgent({ tls: { ca, cert, key, rejectUnauthorized, servername } }: Credentials): Agent {
  return new Agent({
    keepAliveTimeout: 60_000,
    connect: {
      timeout: connectTimeoutMs,
      rejectUnauthorized,
      ...(ca === null ? {} : { ca }),
      ...(cert === null ? {} : { cert }),
      ...(key === null ? {} : { key }),
      ...(servername === null ? {} : { servername }),
    },
  })
}

function answerOf({ statusCode, headers, body }: Dispatcher.ResponseData): HttpAnswer {
  const seconds = Number(headers['retry-after'])
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : null
  return { status: statusCode, retryAfterMs, body }
}

/** Codes of connections that never came about: nothing was sent. */
const neverSent = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** The failure of a connection as text: the error itself holds the agent, and with it the private key. */
export function connectionError(error: unknown, server: string): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof Error && error.name === 'AbortError') {
    return new ApiError('stopped', { message: 'the request was called off: the operator stops' })
  }
  const code = codeOf(error)
  const kind = neverSent.has(code) || isCertificateRefused(code) ? 'unreachable' : 'unknown'
  const what = kind === 'unreachable' ? 'cannot reach' : 'no answer from'
  const message = `${what} the API server at ${server}: ${messageOf(error)}`
  return new ApiError(
    kind,
    code === 'UND_ERR_BODY_TIMEOUT' ? { message, reason: silence } : { message },
  )
}

/** The reason of an answer that stopped in its middle. None of Kubernetes' own. */
const silence = 'Silence'

/** Nothing came for longer than anything should take: a watch whose bookmarks stay away. */
export function isSilence(error: unknown): boolean {
  return error instanceof ApiError && error.reason === silence
}

function isCertificateRefused(code: string): boolean {
  return /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_)/.test(code)
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0])
  return error instanceof Error ? error.message || error.name : 'unknown failure'
}
