import type { ErrorName } from '../wire/errors.ts'
import type { GroupError, WriteOutcome } from './groups/events.ts'

/** What a partition says of an append, as far as groups need it. */
export type Appended = { readonly ok: true } | { readonly ok: false; readonly error: ErrorName }

/** What a client is told where its group could not be stored (G42): all but one of these it answers by asking again. */
export function outcomeOf(result: Appended, isOffsets: boolean): WriteOutcome {
  if (result.ok) return { ok: true }
  return { ok: false, isInLog: isWritten(result), error: translate(result.error, isOffsets) }
}

/** It has a place in the log, and in its order. */
export function isWritten(result: Appended): boolean {
  return result.ok || staysInLog.has(result.error)
}

/** What a client is told of an append that is written and not known to be committed; null of every other. */
export function delayOf(result: Appended): GroupError | null {
  return result.ok || !isWritten(result) ? null : translate(result.error, false)
}

/** The batch was written before these happened, and this leader does not take it back. */
const staysInLog: ReadonlySet<ErrorName> = new Set([
  'REQUEST_TIMED_OUT',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
])

function translate(error: ErrorName, isOffsets: boolean): GroupError {
  if (tooLarge.has(error)) return isOffsets ? 'INVALID_COMMIT_OFFSET_SIZE' : 'UNKNOWN_SERVER_ERROR'
  return translations[error] ?? 'UNKNOWN_SERVER_ERROR'
}

const translations: Partial<Record<ErrorName, GroupError>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'COORDINATOR_NOT_AVAILABLE',
  NOT_ENOUGH_REPLICAS: 'COORDINATOR_NOT_AVAILABLE',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 'COORDINATOR_NOT_AVAILABLE',
  REQUEST_TIMED_OUT: 'COORDINATOR_NOT_AVAILABLE',
  NOT_LEADER_OR_FOLLOWER: 'NOT_COORDINATOR',
  FENCED_LEADER_EPOCH: 'NOT_COORDINATOR',
  KAFKA_STORAGE_ERROR: 'NOT_COORDINATOR',
}

const tooLarge: ReadonlySet<ErrorName> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])
