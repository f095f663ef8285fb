import type { ErrorName } from '../../wire/errors.ts'
import type { AppendOrigin } from './batch.ts'

/** What a batch is judged by: the topic's settings, the clock, and who sends it. */
export interface BatchRules {
  /** `max.message.bytes`: of the whole batch, as it came. */
  readonly maxMessageBytes: number
  /** True where `cleanup.policy` has `compact`: every record needs a key. */
  readonly compacted: boolean
  readonly origin: AppendOrigin
  /** False where the client's version of Produce, below 7, knows no zstd (KIP-110). */
  readonly allowsZstd: boolean
  readonly nowMs: number
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  /** `message.timestamp.before.max.ms` and `message.timestamp.after.max.ms`. */
  readonly beforeMaxMs: number
  readonly afterMaxMs: number
}

/** `index`: of the record within its batch, from 0. */
export interface RecordFault {
  readonly index: number
  readonly message: string
}

/** Why a batch is not appended: the client's mistake, to be answered as it stands. */
export interface BatchRefusal {
  readonly ok: false
  readonly error: ErrorName
  /** What is wrong, where, and what to do. */
  readonly message: string
  /** KIP-467. Empty where no single record is to blame. */
  readonly recordErrors: readonly RecordFault[]
  /** True where Kafka refuses before it asks the log, and so does not tell where the log starts. */
  readonly beforeLog?: boolean
}

export function refuse(
  error: ErrorName,
  message: string,
  recordErrors: readonly RecordFault[] = [],
): BatchRefusal {
  return { ok: false, error, message, recordErrors }
}

/** As `refuse`, of what is wrong with the batch whatever log it is meant for. */
export function refuseBeforeLog(error: ErrorName, message: string): BatchRefusal {
  return { ok: false, error, message, recordErrors: [], beforeLog: true }
}

/**
 * True where a topic of CreateTime does not want this timestamp. -1 says that there is none. Times before 1970 and
 * beyond the safe range (nanoseconds) are times as any other.
 */
export function isOutOfBounds(timestampMs: number, rules: BatchRules): boolean {
  return timestampMs !== -1 && isFar(timestampMs, rules)
}

/** As `isOutOfBounds`, for the least or greatest of several, which say nothing of those between if one is -1. */
export function isFar(timestampMs: number, rules: BatchRules): boolean {
  if (rules.timestampType === 'LogAppendTime') return false
  const ageMs = rules.nowMs - timestampMs
  return exceeds(ageMs, rules.beforeMaxMs) || exceeds(-ageMs, rules.afterMaxMs)
}

/** Kafka's greatest limit is 2^63 - 1 ms, which no difference of times exceeds. */
function exceeds(ms: number, limitMs: number): boolean {
  return limitMs < Number.MAX_SAFE_INTEGER && ms > limitMs
}

export function timestampMessage(subject: string, timestampMs: number, rules: BatchRules): string {
  return (
    `${subject} is ${timestampMs}; the topic takes what is at most ${rules.beforeMaxMs} ms before and ` +
    `${rules.afterMaxMs} ms after now, ${rules.nowMs}. Correct the clock, or change ` +
    'message.timestamp.before.max.ms or message.timestamp.after.max.ms of the topic.'
  )
}
