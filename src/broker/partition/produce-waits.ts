import type { Clock, Timer } from '../../env/env.ts'
import type { ErrorName } from '../wire/errors.ts'
import { refusal } from './answers.ts'
import type { AppendResult } from './requests.ts'

type Done = (result: AppendResult) => void

interface Waiting {
  readonly done: Done
  readonly result: AppendResult & { ok: true }
  readonly timer: Timer
}

/** Appends that are written and wait until the in-sync replicas have them. */
export class ProduceWaits {
  readonly #clock: Clock
  readonly #forget: (id: number) => void
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0

  /** `forget` hears of those who waited too long. */
  constructor(clock: Clock, forget: (id: number) => void) {
    this.#clock = clock
    this.#forget = forget
  }

  /** Gives the number by which it is settled. */
  add(result: AppendResult & { ok: true }, timeoutMs: number, done: Done): number {
    const id = ++this.#lastId
    const timer = this.#clock.after(timeoutMs, () => {
      this.#waiting.delete(id)
      this.#forget(id)
      const message = `The in-sync replicas did not have the batch within ${timeoutMs} ms; it stays in the log.`
      done(refusal('REQUEST_TIMED_OUT', message, result.logStartOffset))
    })
    this.#waiting.set(id, { done, result, timer })
    return id
  }

  /** It is committed, or `error` says why it is not waited for any longer. */
  settle(id: number, error: ErrorName | null): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    waiting.timer.cancel()
    const { result, done } = waiting
    done(error === null ? result : refusal(error, messageOf(error), result.logStartOffset))
  }

  /** The partition is gone from here. */
  close(error: ErrorName): void {
    const message =
      error === 'UNKNOWN_TOPIC_OR_PARTITION' ? 'The topic was deleted.' : messageOf(error)
    for (const { timer, done } of this.#waiting.values()) {
      timer.cancel()
      done(refusal(error, message, 0))
    }
    this.#waiting.clear()
  }
}

function messageOf(error: ErrorName): string {
  return error === 'NOT_LEADER_OR_FOLLOWER'
    ? 'The batch was written, but this broker does not lead the partition in that epoch any longer.'
    : 'The batch was written, but not enough replicas are in sync any longer.'
}
