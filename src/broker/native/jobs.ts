import { present } from '../../lib/assert.ts'
import { deferred } from '../../lib/deferred.ts'
import type { Deferred } from '../../lib/deferred.ts'

/** Calls that the addon's threads answer later, each by its number. */
export class Jobs {
  readonly #waiting = new Map<number, Job>()
  #next = 0

  /**
   * Starts a job by `submit`, which is given its number and answers 0 or an errno. Resolves with the result, at
   * least 0; rejects with what `fail` makes of an errno. `kept` stays reachable until then.
   */
  run(
    submit: (job: number) => number,
    fail: (errno: number) => Error,
    kept?: object,
  ): Promise<number> {
    const job = this.#next++
    const answer = deferred<number>()
    this.#waiting.set(job, { answer, fail, kept })
    const submitted = submit(job)
    if (submitted < 0) this.done(job, submitted)
    return answer.promise
  }

  done(number: number, result: number): void {
    const job = present(this.#waiting.get(number), 'a finished job')
    this.#waiting.delete(number)
    if (result < 0) job.answer.reject(job.fail(result))
    else job.answer.resolve(result)
  }
}

interface Job {
  readonly answer: Deferred<number>
  readonly fail: (errno: number) => Error
  readonly kept: object | undefined
}
