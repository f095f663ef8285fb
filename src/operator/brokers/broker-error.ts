import type { ErrorName } from '../../broker/wire/errors.ts'

/**
 * Why a broker did not do what was asked. `unreachable`: there was no connection, or no answer in time; it may be
 * starting, stopping or gone, and may have done it all the same. `refused`: it does not believe our credentials.
 * `answered`: it answered by an error, or does not understand the question.
 */
export type BrokerErrorKind = 'unreachable' | 'refused' | 'answered'

/** One broker, and what became of a request to it, as a sentence fit for a condition. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError'
  readonly kind: BrokerErrorKind
  /** What it answered; null where it answered nothing. */
  readonly error: ErrorName | null

  constructor(
    kind: BrokerErrorKind,
    message: string,
    { error = null, ...options }: ErrorOptions & { readonly error?: ErrorName | null } = {},
  ) {
    super(message, options)
    this.kind = kind
    this.error = error
  }
}
