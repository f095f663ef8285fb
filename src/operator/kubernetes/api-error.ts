/**
 * What a failure tells of the request. `refused`: it did not happen. `unreachable`: it did not arrive.
 * `unknown`: it may have happened, the answer is lost. `stopped`: it was not sent, because this process may not act
 * (it no longer leads, or it ends).
 */
export type FailureKind = 'refused' | 'unreachable' | 'unknown' | 'stopped'

/** What the API server says of a refusal, in its Status object. */
export interface Refusal {
  readonly code: number
  /** Kubernetes' word: NotFound, AlreadyExists, Conflict, Invalid, Forbidden, Expired, TooManyRequests, ... */
  readonly reason: string
  readonly message: string
  /** What the server asked us to wait; null where it said nothing. */
  readonly retryAfterMs: number | null
}

/**
 * A request to the API server that failed. It carries text only: errors of agents and sockets hold the client's
 * private key, so none of them is kept as a cause.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly kind: FailureKind
  /** HTTP status; 0 where none came. */
  readonly code: number
  /** Kubernetes' reason; '' where none came. */
  readonly reason: string
  readonly retryAfterMs: number | null

  constructor(kind: FailureKind, refusal: Partial<Refusal> & { readonly message: string }) {
    super(refusal.message)
    this.kind = kind
    this.code = refusal.code ?? 0
    this.reason = refusal.reason ?? ''
    this.retryAfterMs = refusal.retryAfterMs ?? null
  }
}

/** The object is another by now than the write was meant for. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.code === 409 && error.reason === 'Conflict'
}

export function isAlreadyExists(error: unknown): boolean {
  return error instanceof ApiError && error.code === 409 && error.reason === 'AlreadyExists'
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.code === 404
}

/** The operator's role does not hold it: in namespaced mode a condition, never a failure. */
export function isForbidden(error: unknown): boolean {
  return error instanceof ApiError && error.code === 403
}

/** The spec was refused by the schema, a CEL rule or an admission policy; the message says why. */
export function isInvalid(error: unknown): boolean {
  return error instanceof ApiError && (error.code === 422 || error.code === 400)
}

/** The version that a list or watch asked for is compacted away. */
export function isExpired(error: unknown): boolean {
  return error instanceof ApiError && error.code === 410
}
