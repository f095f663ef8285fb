import type { ErrorName } from '../wire/errors.ts'

/**
 * One connection's way from a stranger to somebody: what it may ask now, and what it is answered about logging in. A
 * state machine without I/O; each listener says by its door which kind its connections get.
 */
export interface Session {
  /** Who asks; null before that is known. */
  readonly principal: string | null
  /** A broker of this cluster asks: by the private listener, where it has logged in as one. */
  readonly isBroker: boolean
  /** Why there will be no principal any more, for the log; null while there may. The connection ends with its answer. */
  readonly failure: string | null
  /** A request of `apiKey` came. False: the connection is closed instead of an answer. */
  admits(apiKey: number): boolean
  handshake(mechanism: string, version: number): HandshakeAnswer
  authenticate(token: Uint8Array): AuthenticateAnswer
}

export interface HandshakeAnswer {
  readonly error: ErrorName
  /** Those that can be used here. */
  readonly mechanisms: readonly string[]
}

export interface AuthenticateAnswer {
  readonly error: ErrorName
  readonly message: string | null
  readonly token: Uint8Array
}

/** Everybody is ANONYMOUS and may ask whatever is served, as on Kafka's listeners without SASL. It has no state. */
export const openSession: Session = {
  principal: 'ANONYMOUS',
  isBroker: false,
  failure: null,
  admits: () => true,
  handshake: () => ({ error: 'ILLEGAL_SASL_STATE', mechanisms: [] }),
  authenticate: () => ({
    error: 'ILLEGAL_SASL_STATE',
    message: 'This listener has no SASL: clients need not log in.',
    token: new Uint8Array(0),
  }),
}
