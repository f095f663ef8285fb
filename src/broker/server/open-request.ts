import type { Address, Connection, Frame, OutPart, SendStream } from '../../env/env.ts'
import { assert } from '../../lib/assert.ts'
import type { RequestContext } from '../handlers/handler.ts'
import type { Session } from '../security/session.ts'
import type { ApiMeter } from '../telemetry/metrics.ts'

/** How a request ends: bytes, nothing (acks=0), or the end of its connection. */
export type Outcome =
  | { readonly kind: 'send'; readonly parts: readonly OutPart[]; readonly bytes: number }
  | { readonly kind: 'silent' }
  | { readonly kind: 'close' }

/** What the header of a request says of it. */
export interface RequestFacts {
  readonly apiKey: number
  /** Kafka's name of the API, or its number where it is unknown. */
  readonly api: string
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
}

/** Of a request without a header. */
export const unknownFacts: RequestFacts = {
  apiKey: -1,
  api: 'unknown',
  apiVersion: -1,
  correlationId: -1,
  clientId: null,
}

/**
 * A request from its arrival to its answer: the context that its handler sees, and its place in the order of
 * answers.
 */
export class OpenRequest implements RequestContext {
  readonly facts: RequestFacts
  readonly listenerName: string
  readonly session: Session
  readonly receivedAtMs: number
  /** Where it is counted; null where it turned out to be no request of an API that is served. */
  meter: ApiMeter | null = null
  /** null while its handler has not answered. */
  outcome: Outcome | null = null
  readonly #connection: Connection
  readonly #frame: Frame
  /** `handled`: the handler has returned. `kept`: it keeps the frame beyond that. */
  #isHandled = false
  #isKept = false
  #isAbandoned = false
  #isHurried = false
  #stopListeners: (() => void)[] = []
  #closeListeners: (() => void)[] = []

  constructor(
    facts: RequestFacts,
    place: {
      readonly connection: Connection
      readonly frame: Frame
      readonly listenerName: string
      readonly session: Session
    },
    receivedAtMs: number,
  ) {
    this.facts = facts
    this.#connection = place.connection
    this.#frame = place.frame
    this.listenerName = place.listenerName
    this.session = place.session
    this.receivedAtMs = receivedAtMs
  }

  get clientId(): string | null {
    return this.facts.clientId
  }

  get apiVersion(): number {
    return this.facts.apiVersion
  }

  get connectionId(): number {
    return this.#connection.id
  }

  get remote(): Address {
    return this.#connection.remote
  }

  get local(): Address {
    return this.#connection.local
  }

  openStream(): SendStream {
    return this.#connection.openStream()
  }

  keepFrame(): () => void {
    assert(!this.#isHandled, 'a frame is kept before its handler returns')
    assert(!this.#isKept, 'a frame is kept once')
    this.#isKept = true
    let isReleased = false
    return () => {
      assert(!isReleased, 'a kept frame is released once')
      isReleased = true
      this.#frame.release()
    }
  }

  onClosed(act: () => void): void {
    if (this.#isAbandoned) act()
    else if (this.outcome === null) this.#closeListeners.push(act)
  }

  onStopping(act: () => void): void {
    if (this.#isHurried) act()
    else if (this.outcome === null) this.#stopListeners.push(act)
  }

  /**
   * The handler has returned: the frame goes back unless it is kept. A handler that failed after it kept the
   * frame may have given parts of it away, so the frame stays then.
   */
  handled(): void {
    assert(!this.#isHandled, 'a request is handled once')
    this.#isHandled = true
    if (!this.#isKept) this.#frame.release()
  }

  settle(outcome: Outcome): void {
    assert(this.outcome === null, 'a request is answered once')
    this.outcome = outcome
    this.#closeListeners = []
    this.#stopListeners = []
  }

  /** The broker stops: what there is now is the answer. */
  hurry(): void {
    this.#isHurried = true
    const listeners = this.#stopListeners
    this.#stopListeners = []
    for (const act of listeners) act()
  }

  /** Nobody waits for the answer any more. */
  abandon(): void {
    this.#isAbandoned = true
    const listeners = this.#closeListeners
    this.#closeListeners = []
    for (const act of listeners) act()
  }
}
