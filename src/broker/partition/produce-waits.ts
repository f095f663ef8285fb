import { Alarm } from '../../env/alarm.ts'
import type { Clock } from '../../env/env.ts'
import type { ErrorName } from '../wire/errors.ts'
import { refusal } from './answers.ts'
import type { AppendResult } from './requests.ts'

type Done = (result: AppendResult) => void

interface Waiting {
  readonly done: Done
  readonly result: AppendResult & { ok: true }
  readonly timeoutMs: number
  /** Monotonic. */
  readonly dueMs: number
}

/** Appends that are written and wait until the in-sync replicas have them, or the device; one timer for all of them. */
export class ProduceWaits {
  readonly #clock: Clock
  readonly #forget: (id: number) => void
  readonly #waiting = new Map<number, Waiting>()
  readonly #alarm: Alarm
  #lastId = 0

  /** `forget` hears of those who waited too long. */
  constructor(clock: Clock, forget: (id: number) => void) {
    this.#clock = clock
    this.#forget = forget
    this.#alarm = new Alarm(clock, () => this.#expire())
  }

  /** Gives the number by which it is settled. `timeoutMs`: Infinity where it waits as long as that takes. */
  add(result: AppendResult & { ok: true }, timeoutMs: number, done: Done): number {
    const id = ++this.#lastId
    const dueMs = this.#clock.monotonic() + timeoutMs
    this.#waiting.set(id, { done, result, timeoutMs, dueMs })
    this.#alarm.ringBy(dueMs)
    return id
  }

  /** It is as safe as it was to be, or `error` says why that is not waited for any longer. */
  settle(id: number, error: ErrorName | null): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    const { result, done } = waiting
    done(error === null ? result : refusal(error, messageOf(error), result.logStartOffset))
  }

  /** The partition is gone from here. */
  close(error: ErrorName): void {
    const message =
      error === 'UNKNOWN_TOPIC_OR_PARTITION' ? 'The topic was deleted.' : messageOf(error)
    const all = [...this.#waiting.values()]
    this.#waiting.clear()
    this.#alarm.cancel()
    for (const { done } of all) done(refusal(error, message, 0))
  }

  #expire(): void {
    const nowMs = this.#clock.monotonic()
    for (const [id, { done, result, timeoutMs, dueMs }] of this.#waiting) {
      if (dueMs > nowMs) {
        this.#alarm.ringBy(dueMs)
        continue
      }
      this.#waiting.delete(id)
      this.#forget(id)
      const message = `The in-sync replicas did not have the batch within ${timeoutMs} ms; it stays in the log.`
      done(refusal('REQUEST_TIMED_OUT', message, result.logStartOffset))
    }
  }
}

function messageOf(error: ErrorName): string {
  return messages[error] ?? 'The batch was written, but not enough replicas are in sync any longer.'
}

const messages: Partial<Record<ErrorName, string>> = {
  NOT_LEADER_OR_FOLLOWER:
    'The batch was written, but this broker does not lead the partition in that epoch any longer.',
  KAFKA_STORAGE_ERROR:
    'The batch was written, but could not be flushed: it may be gone after a power loss.',
}
