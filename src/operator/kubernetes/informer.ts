import { sleep, type Clock } from '../../env/clock.ts'
import type { Random } from '../../env/random.ts'
import { deferred } from '../../lib/deferred.ts'
import type { ListPage, ListScope } from './api.ts'
import { ApiError, isExpired } from './api-error.ts'
import type { Cache } from './cache.ts'
import {
  InformerState,
  type Change,
  type InformerEffect,
  type InformerEvent,
} from './informer-state.ts'
import type { ObjectName, Stored } from './objects.ts'
import { chanceOf } from './pause.ts'
import type { Resource } from './resources.ts'
import { isSilence } from './transport.ts'
import type { WatchApi, WatchEvent } from './watch-api.ts'

export interface InformerOptions<Object extends Stored> {
  readonly api: WatchApi
  readonly clock: Clock
  readonly random: Random
  readonly resource: Resource<Object>
  readonly scope: ListScope
  /** The word by which `indexed` finds an object; null for none. */
  readonly indexOf: (object: Object) => string | null
  /** Called for each change, in order. What it throws ends the informer and rejects `run`: it is never swallowed. */
  readonly onChange: (change: Change<Object>) => void
  /** A list or watch that failed, in words. The informer goes on by itself. */
  readonly onFailure: (reason: string) => void
  readonly signal: AbortSignal
}

/** What an effect is that the informer waits for. */
type Lasting<Object> = Exclude<InformerEffect<Object>, { readonly do: 'tell' | 'sync' }>

/** Seconds that a watch lasts at least; chance adds as much again, so that not all end at once. */
const watchSecondsMin = 300
/** So much earlier than we count a watch may end by its own time limit: the API server began to count before. */
const inTimeMs = 1000

/** Follows one kind by `InformerState` and is the cache of what it has seen. */
export class Informer<Object extends Stored> implements Cache<Object> {
  readonly #options: InformerOptions<Object>
  readonly #state: InformerState<Object>
  readonly #synced = deferred<void>()
  #isSynced = false

  constructor(options: InformerOptions<Object>) {
    this.#options = options
    this.#state = new InformerState(options.indexOf, () => chanceOf(options.random))
  }

  /** Resolves when the first list is complete and told. */
  get synced(): Promise<void> {
    return this.#synced.promise
  }

  get isSynced(): boolean {
    return this.#isSynced
  }

  get kind(): string {
    return this.#options.resource.kind
  }

  get size(): number {
    return this.#state.size
  }

  get(at: ObjectName): Object | undefined {
    return this.#state.get(at)
  }

  all(): Iterable<Object> {
    return this.#state.all()
  }

  indexed(word: string): readonly Object[] {
    return this.#state.indexed(word)
  }

  /** Follows until the signal. Rejects only with what `onChange` threw, or with a mistake of ours. */
  async run(): Promise<void> {
    let effect = this.#step({ type: 'started' })
    while (effect !== null && !this.#options.signal.aborted) effect = await this.#perform(effect)
  }

  /** Performs at once what can be, and returns what takes its time. */
  #step(event: InformerEvent<Object>): Lasting<Object> | null {
    let lasting: Lasting<Object> | null = null
    for (const effect of this.#state.step(event)) {
      if (effect.do === 'tell') this.#options.onChange(effect.change)
      else if (effect.do === 'sync') this.#sync()
      else lasting = effect
    }
    return lasting
  }

  async #perform(effect: Lasting<Object>): Promise<Lasting<Object> | null> {
    const { clock } = this.#options
    switch (effect.do) {
      case 'wait':
        await sleep(clock, effect.delayMs)
        return this.#step({ type: 'woke' })
      case 'list':
        return await this.#list(effect.from)
      case 'latest':
        return await this.#latest()
      case 'watch':
        return await this.#watch(effect.resourceVersion)
    }
  }

  async #list(from: string | null): Promise<Lasting<Object> | null> {
    const { api, resource, scope } = this.#options
    let page: ListPage<Object>
    try {
      page = await api.page(resource, scope, from)
    } catch (error) {
      return this.#step(this.#failed(error))
    }
    return this.#step({ type: 'listed', page })
  }

  async #latest(): Promise<Lasting<Object> | null> {
    const { api, resource, scope } = this.#options
    let resourceVersion: string
    try {
      resourceVersion = await api.latest(resource, scope)
    } catch (error) {
      return this.#step(this.#failed(error))
    }
    return this.#step({ type: 'latest', resourceVersion })
  }

  async #watch(resourceVersion: string): Promise<Lasting<Object> | null> {
    const { api, clock, random, resource, scope } = this.#options
    const timeoutSeconds = Math.floor(watchSecondsMin * (1 + chanceOf(random)))
    const events = api.watch(resource, scope, { resourceVersion, timeoutSeconds })
    let openedAtMs: number | null = null
    const ended = (): InformerEvent<Object> => {
      const livedMs = openedAtMs === null ? 0 : clock.monotonic() - openedAtMs
      const isInTime = livedMs >= timeoutSeconds * 1000 - inTimeMs
      return isInTime ? { type: 'ended' } : { type: 'cut', livedMs }
    }
    try {
      for (;;) {
        const event = await nextOf(events)
        if (event === null) return this.#step(ended())
        if (event instanceof ApiError) {
          const failed = this.#failed(event)
          if (isSilence(event)) return this.#step({ type: 'silent' })
          return this.#step(openedAtMs === null || isExpired(event) ? failed : ended())
        }
        if (event.type === 'opened') openedAtMs = clock.monotonic()
        else this.#step(event)
      }
    } finally {
      await events.return(undefined)
    }
  }

  #failed(error: unknown): InformerEvent<Object> {
    if (!(error instanceof ApiError)) throw error
    if (!this.#options.signal.aborted) this.#options.onFailure(error.message)
    return { type: 'failed', isExpired: isExpired(error) }
  }

  #sync(): void {
    this.#isSynced = true
    this.#synced.resolve()
  }
}

/** The next of the watch; null at its end, an ApiError where it failed. */
async function nextOf<Object>(
  events: AsyncGenerator<WatchEvent<Object>>,
): Promise<WatchEvent<Object> | ApiError | null> {
  try {
    const { done, value } = await events.next()
    return done === true ? null : value
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
}
