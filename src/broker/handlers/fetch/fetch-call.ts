import type { Clock } from '../../../env/env.ts'
import type { Asked, Told } from './asked.ts'
import { FetchPass, type Look, type PassDeps } from './fetch-pass.ts'
import type { Fetching } from './follower.ts'
import { parkUntil } from './parked-fetch.ts'

export interface FetchDeps extends PassDeps {
  readonly clock: Clock
}

type Later<T> = T | Promise<T>

/** One fetch from its first look to its answer. */
export class FetchCall {
  readonly #deps: FetchDeps
  readonly #asked: Asked
  readonly #fetching: Fetching
  readonly #minBytes: number
  #closed = false
  #wasLookedAt = false

  constructor(deps: FetchDeps, asked: Asked, fetching: Fetching) {
    const { request, context } = fetching
    this.#deps = deps
    this.#asked = asked
    this.#fetching = fetching
    this.#minBytes = Math.min(request.minBytes, request.maxBytes, deps.answerBytesMax)
    context.onClosed(() => (this.#closed = true))
  }

  run(): Later<Told> {
    const look = this.#look()
    return look instanceof Promise ? look.then(later => this.#weigh(later)) : this.#weigh(look)
  }

  /** Answers with what the look gave where it is enough, else parks and answers with a second look. */
  #weigh({ found, bytes, urgent }: Look): Later<Told> {
    const { clock } = this.#deps
    const { request, context } = this.#fetching
    const waitMs = request.maxWaitMs - (clock.monotonic() - context.receivedAtMs)
    const isEnough = urgent || bytes >= this.#minBytes || this.#asked.isEmpty
    if (isEnough || waitMs <= 0 || this.#closed) return this.#asked.answer(found)
    this.#asked.settle(found)
    if (this.#asked.isBehind(found)) return this.run()
    return parkUntil({
      clock,
      waitMs,
      bytesMissing: this.#minBytes - bytes,
      watch: watcher => this.#asked.wait(found, watcher),
      onClosed: act => context.onClosed(act),
      onStopping: act => context.onStopping(act),
    }).then(async () => this.#asked.answer((await this.#look()).found))
  }

  /** One pass over what has to be looked at; synchronous as long as every look-up is in the page cache. */
  #look(): Later<Look> {
    if (this.#closed) return { found: [], bytes: 0, urgent: true }
    const { request, context, follower } = this.#fetching
    const isRepeated = this.#wasLookedAt
    this.#wasLookedAt = true
    return new FetchPass(this.#deps, this.#asked, {
      follower,
      isRepeated,
      context,
      bytesMax: Math.min(request.maxBytes, this.#deps.answerBytesMax),
      isClosed: () => this.#closed,
    }).run()
  }
}
