import type { Refusal } from './commands.ts'
import type { Mistake } from './decision.ts'

/** Commands that wait for their decision; more are refused. */
export const queuedCommandCountMax = 1_000

export const notController: Refusal = {
  type: 'refused',
  error: 'NOT_CONTROLLER',
  message: 'This broker is not the controller, or is stopping. Try again.',
}

export const overloaded: Refusal = {
  type: 'refused',
  error: 'REQUEST_TIMED_OUT',
  message: `The metadata store is slow: ${queuedCommandCountMax} changes wait for it already. Try again later.`,
}

export const waitedTooLong: Refusal = {
  type: 'refused',
  error: 'REQUEST_TIMED_OUT',
  message:
    'The metadata store did not answer within the time of the request. Nothing was done: try again.',
}

export function tooLarge(bytes: number, bytesMax: number): Refusal {
  return {
    type: 'refused',
    error: 'INVALID_REQUEST',
    message: `The request changes ${bytes} bytes of metadata at once; at most ${bytesMax} fit. Split it.`,
  }
}

export function refusalOf({ error, message }: Mistake): Refusal {
  return { type: 'refused', error, message }
}

/** Brokers and clients try again. */
export function quarantined(reason: string): Refusal {
  return {
    type: 'refused',
    error: 'REQUEST_TIMED_OUT',
    message: `Nothing is decided, because the metadata log is not what a broker followed: ${reason} Restore it, or end the quarantine.`,
  }
}

export function notBuiltYet(what: string): Refusal {
  return {
    type: 'refused',
    error: 'UNSUPPORTED_VERSION',
    message: `This version of the controller does not know ${what} yet.`,
  }
}
