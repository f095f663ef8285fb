import { StoreError } from '../metadata/store.ts'
import type { Refusal } from './controller/commands.ts'
import { Deposed } from './controller-shell.ts'
import type { Look } from './look.ts'
import type { StandAlone } from './options.ts'

/** A look that found nothing to go on from. */
export type Unread = Extract<Look, { readonly kind: 'unavailable' | 'unusable' }>

/** The store is not what it was, or another writes to it: the broker goes on. */
export function isOfStore(error: unknown): error is Error {
  return error instanceof Deposed || (error instanceof StoreError && error.reason !== 'failed')
}

export function quarantineOf({ message }: StoreError): StandAlone {
  return { kind: 'quarantine', message }
}

export function reasonOf(found: Unread): StandAlone {
  if (found.kind === 'unusable') return quarantineOf(found.error)
  return { kind: 'outage', message: `The metadata store does not answer: ${found.message}.` }
}

/** Why an office ended. */
export function endOf(error: Error): StandAlone {
  if (error instanceof Deposed) return { kind: 'outage', message: error.message }
  return reasonOf({ kind: 'unavailable', message: error.message })
}

/** To be tried again: clients do so by themselves. */
export function refusedBy(alone: StandAlone | null): Refusal {
  const message = `Nothing can be changed: ${alone?.message ?? 'the broker is starting.'}`
  return { type: 'refused', error: 'REQUEST_TIMED_OUT', message: `${message} Try again later.` }
}

export const outcomeUnknown: Refusal = {
  type: 'refused',
  error: 'REQUEST_TIMED_OUT',
  message:
    'The metadata store went away meanwhile: it may have happened or not. Look before you try again.',
}
