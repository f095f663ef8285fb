import type { Clock } from '../../../env/env.ts'
import type { Asked } from './asked.ts'
import { carried, type Answered } from './carried.ts'
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
  #isClosed = false
  /** There is nothing more to wait for: it is answered with what the next look gives. */
  #isOver = false
  #wasLookedAt = false
  /** Ends the parking, while there is one. */
  #wake = (): void => {}

  constructor(deps: FetchDeps, asked: Asked, fetching: Fetching) {
    const { request, context } = fetching
    this.#deps = deps
    this.#asked = asked
    this.#fetching = fetching
    this.#minBytes = Math.min(request.minBytes, request.maxBytes, deps.answerBytesMax)
    context.onClosed(() => {
      this.#isClosed = true
      this.#end()
    })
  }

  run(): Later<Answered> {
    const look = this.#look()
    return look instanceof Promise ? look.then(later => this.#weigh(later)) : this.#weigh(look)
  }

  /** Answers with what the look gave where it is enough, else waits. */
  #weigh(look: Look): Later<Answered> {
    return this.#isEnough(look) ? this.#answer(look) : this.#wait(look)
  }

  #isEnough({ bytes, urgent }: Look): boolean {
    if (this.#isOver || urgent || bytes >= this.#minBytes || this.#asked.isEmpty) return true
    return this.#waitMs <= 0
  }

  /** What is left of the wait. */
  get #waitMs(): number {
    const { request, context } = this.#fetching
    return request.maxWaitMs - (this.#deps.clock.monotonic() - context.receivedAtMs)
  }

  /**
   * Parks, and looks again when there may be enough; where there is not, parks for what is left of the wait. Whoever is
   * answered with too little asks again at once, and again with the next append.
   */
  async #wait(first: Look): Promise<Answered> {
    // A stopping broker takes as long as the most patient of its readers waits.
    this.#fetching.context.onStopping(() => this.#end())
    let look = first
    do {
      this.#asked.settle(look.found)
      if (!this.#isOver && !this.#asked.isBehind(look.found)) await this.#park(look)
      const next = this.#look()
      look = next instanceof Promise ? await next : next
    } while (!this.#isEnough(look))
    return this.#answer(look)
  }

  async #park({ found, bytes }: Look): Promise<void> {
    const woken = await parkUntil({
      clock: this.#deps.clock,
      waitMs: this.#waitMs,
      bytesMissing: this.#minBytes - bytes,
      watch: watcher => this.#asked.wait(found, watcher),
      endsBy: end => (this.#wake = end),
    })
    if (woken === 'answer') this.#isOver = true
  }

  #end(): void {
    this.#isOver = true
    this.#wake()
  }

  #answer({ found }: Look): Answered {
    const told = this.#asked.answer(found)
    if (this.#isClosed) return { ...told, found: [] }
    const { follower } = this.#fetching
    return { ...told, found: told.found.map(each => carried(this.#deps, follower, each)) }
  }

  /** One pass over what has to be looked at; synchronous as long as every look-up is in the page cache. */
  #look(): Later<Look> {
    if (this.#isClosed) return { found: [], bytes: 0, urgent: true }
    const { request, context, follower } = this.#fetching
    const isRepeated = this.#wasLookedAt
    this.#wasLookedAt = true
    return new FetchPass(this.#deps, this.#asked, {
      follower,
      isRepeated,
      context,
      bytesMax: Math.min(request.maxBytes, this.#deps.answerBytesMax),
      isClosed: () => this.#isClosed,
    }).run()
  }
}
