/**
 * A broken invariant. Nothing may go on after it: the process ends. A client's mistake is data in the answer
 * instead, and a broken frame a WireError that ends its connection only.
 */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

/** States what must hold, in production too. */
export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new InvariantError(invariant)
}

/** The end of an exhaustive `switch`: the type checker proves that it is never reached. */
export function unreachable(value: never): never {
  throw new InvariantError(`unexpected value ${JSON.stringify(value)}`)
}

/** A value that must be there; `what` names it in the error. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new InvariantError(`${what} is missing`)
  return value
}
