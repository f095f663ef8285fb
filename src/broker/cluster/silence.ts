import { WireClientError } from '../wire/client/client-error.ts'
import type { BrokerSilence } from './controller/events.ts'
import { NotSent } from './controller-link.ts'

/** One that ran out of time may have been answered while this process itself stood still. */
const unansweredCountMin = 2

/** Of whoever is asked one thing after the other: since when it has not answered. */
export class Silence {
  #found: BrokerSilence | null = null
  #unansweredCount = 0

  /** Whatever it was: it lives, or it is gone for certain. */
  ended(): void {
    this.#found = null
    this.#unansweredCount = 0
  }

  /** What it was asked then ran out of time. */
  unanswered(brokerId: number, askedMs: number): void {
    if (this.#found?.brokerId !== brokerId) this.ended()
    this.#found ??= { brokerId, sinceMs: askedMs }
    this.#unansweredCount++
  }

  /** null where nobody is silent for certain. */
  get found(): BrokerSilence | null {
    return this.#unansweredCount < unansweredCountMin ? null : this.#found
  }
}

/** Whoever was asked said nothing in time, not even that nobody listens, or that nobody comes in here. */
export function isSilence(error: unknown): boolean {
  const cause = error instanceof NotSent ? error.cause : error
  if (!(cause instanceof WireClientError)) return false
  const isRefusal = error instanceof NotSent && error.isRefusal
  return cause.reason === 'timeout' || (cause.reason === 'unreachable' && !isRefusal)
}
