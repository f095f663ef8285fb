import { errorName, errors, type ErrorName } from '../errors.ts'

/**
 * Why no answer came. `unreachable`: there was no connection. `closed`: the peer closed it, or it broke. `timeout`: no
 * answer in time, and so the connection was given up. `local`: we closed it. `protocol`: what came is not Kafka's
 * protocol. `unsupported`: no version is common to both. `in-flight`: too many requests wait for answers.
 */
export type ClientErrorReason =
  | 'unreachable'
  | 'closed'
  | 'timeout'
  | 'local'
  | 'protocol'
  | 'unsupported'
  | 'in-flight'

/** A request that got no answer. The peer may have acted on it all the same, unless it is `in-flight` or `unsupported`. */
export class WireClientError extends Error {
  override readonly name = 'WireClientError'
  readonly reason: ClientErrorReason

  constructor(reason: ClientErrorReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

/** A request that was answered by an error code, for callers that want it thrown: `refuseErrors`. */
export class AnsweredError extends Error {
  override readonly name = 'AnsweredError'
  readonly error: ErrorName

  constructor(error: ErrorName, about: string) {
    super(`${about}: ${error}. ${errors[error].message}`)
    this.error = error
  }
}

/** @throws AnsweredError where `code` is an error; `about` says of what, and begins its message. */
export function refuseErrors(code: number, about: string): void {
  const error = errorName(code)
  if (error !== 'NONE') throw new AnsweredError(error, about)
}

/**
 * What to do about an error. `passing`: the same again, later. `moved`: ask anew where it is (Metadata,
 * FindCoordinator), then again. `final`: nothing helps.
 */
export type ErrorClass = 'passing' | 'moved' | 'final'

/** The class of whatever an attempt threw; only errors of this file are ever worth another attempt. */
export function errorClassOf(error: unknown): ErrorClass {
  if (error instanceof AnsweredError) {
    const { retriable, moved } = errors[error.error]
    if (!retriable) return 'final'
    return moved ? 'moved' : 'passing'
  }
  return error instanceof WireClientError ? classes[error.reason] : 'final'
}

const classes: Readonly<Record<ClientErrorReason, ErrorClass>> = {
  // The peer may be gone for good, and another have its part.
  unreachable: 'moved',
  closed: 'moved',
  timeout: 'moved',
  'in-flight': 'passing',
  local: 'final',
  protocol: 'final',
  unsupported: 'final',
}
