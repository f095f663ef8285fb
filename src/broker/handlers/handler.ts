import type { Address, SendStream } from '../../env/env.ts'
import type { Session } from '../security/session.ts'
import type { Api } from '../wire/field.ts'

/**
 * Answers one API key. `handle` gets the decoded request and returns the response, now or later; answers
 * leave in request order whatever the order they were ready in (G13). It is called in arrival order for each
 * connection, and what it does before its first `await` is done in that order (G14).
 *
 * Mistakes of the client are data in the response. It throws a `ConnectionFault` where Kafka closes the
 * connection instead of answering, and an `InvariantError` where nothing may go on.
 */
export interface Handler<Request = unknown, Response extends object = object> {
  readonly api: Api
  handle(request: Request, context: RequestContext): Answer<Response> | Promise<Answer<Response>>
}

/** A response, or null where the client expects none (acks=0, G15). */
export type Answer<Response extends object = object> = Response | null

/** What a handler may know of, and do to, the request it answers. */
export interface RequestContext {
  readonly clientId: string | null
  readonly apiVersion: number
  readonly connectionId: number
  /** From where. */
  readonly remote: Address
  /** The address that the client dialled. */
  readonly local: Address
  /** Name of the listener that it came by (`PLAINTEXT`). */
  readonly listenerName: string
  /** Who asked, and how he logs in. */
  readonly session: Session
  /** Counters for what the answer sends of files, of the network that the connection belongs to. */
  openStream(): SendStream
  /** Monotonic milliseconds when the request was complete. */
  readonly receivedAtMs: number
  /**
   * Keeps the request's bytes valid beyond the return of `handle`; to be called before it returns. The function
   * that it gives must be called exactly once, when nothing refers to the bytes any more.
   */
  keepFrame(): () => void
  /** Calls `act` once if the connection closes before this request is answered: a parked fetch ends then. */
  onClosed(act: () => void): void
  /** Calls `act` once if the broker begins to stop before this request is answered: who waits for records stops waiting. */
  onStopping(act: () => void): void
}

/** What the client did is answered by closing its connection; `reason` goes to the log and to a counter. */
export class ConnectionFault extends Error {
  override readonly name = 'ConnectionFault'
  /** A few constant words in kebab-case, for counters: `acks-zero-refused`. */
  readonly reason: string

  constructor(reason: string, message: string) {
    super(message)
    this.reason = reason
  }
}

/** The router: one handler for each API key that is served. */
export class HandlerTable {
  readonly #byKey = new Map<number, Handler>()

  constructor(handlers: Iterable<Handler>) {
    for (const handler of handlers) {
      if (this.#byKey.has(handler.api.key)) {
        throw new TypeError(`two handlers answer API key ${handler.api.key}`)
      }
      this.#byKey.set(handler.api.key, handler)
    }
  }

  /** Takes in what is served from now on; who answers a key already goes on. */
  add(handlers: Iterable<Handler>): void {
    for (const handler of handlers) {
      if (!this.#byKey.has(handler.api.key)) this.#byKey.set(handler.api.key, handler)
    }
  }

  /** What answers, in no order. */
  all(): Iterable<Handler> {
    return this.#byKey.values()
  }

  find(apiKey: number): Handler | undefined {
    return this.#byKey.get(apiKey)
  }

  /** The APIs that are served, by key: what ApiVersions lists. */
  apis(): Api[] {
    return [...this.#byKey.values()].map(handler => handler.api).toSorted((a, b) => a.key - b.key)
  }
}
