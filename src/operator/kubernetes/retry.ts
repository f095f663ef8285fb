import type { ApiError } from './api-error.ts'
import { pauseMs } from './pause.ts'

/** What is known when a request has failed. */
export interface Attempt {
  /** 1 for the first. */
  readonly number: number
  /** Milliseconds since the first was sent. */
  readonly agoMs: number
  /** Whether it may be sent again although it may have happened: reads, applies, deletes of an exact object. */
  readonly isRepeatable: boolean
}

const attemptsMax = 5
/** Beyond it the caller is told: its own queue waits longer than a request should. */
const retryForMs = 30_000
const bounds = { msMin: 200, msMax: 5000 }

/**
 * Milliseconds until the request is sent again; null where its failure is the caller's. What the server refused
 * unread (429) or what never arrived may be sent again whatever it is; what may have happened only where twice is
 * as good as once.
 */
export function retryAfterMs(error: ApiError, attempt: Attempt, chance: number): number | null {
  const isHarmless =
    error.code === 429 ||
    error.kind === 'unreachable' ||
    (error.kind === 'unknown' && attempt.isRepeatable)
  if (!isHarmless || attempt.number >= attemptsMax) return null
  const delayMs = Math.max(error.retryAfterMs ?? 0, pauseMs(attempt.number, bounds, chance))
  return attempt.agoMs + delayMs > retryForMs ? null : delayMs
}
