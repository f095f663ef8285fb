import type { ListPage } from './api.ts'
import type { Cache } from './cache.ts'
import { keyOf, type ObjectName, type Stored } from './objects.ts'
import { pauseMs } from './pause.ts'

/** What became of one object: without `before` it came, without `after` it went. */
export interface Change<Object> {
  readonly before: Object | null
  readonly after: Object | null
}

/** What the shell of an informer has seen. */
export type InformerEvent<Object> =
  | { readonly type: 'started' }
  | { readonly type: 'listed'; readonly page: ListPage<Object> }
  /** The answer to `latest`. */
  | { readonly type: 'latest'; readonly resourceVersion: string }
  | { readonly type: 'stored'; readonly object: Object }
  | { readonly type: 'deleted'; readonly object: Object }
  | { readonly type: 'bookmark'; readonly resourceVersion: string }
  /** The watch is over by its own time limit. */
  | { readonly type: 'ended' }
  /** The watch broke off before that, after `livedMs`. */
  | { readonly type: 'cut'; readonly livedMs: number }
  /** The watch brought not even bookmarks. */
  | { readonly type: 'silent' }
  /** A list or watch failed; `isExpired` where the version it asked for is compacted away (410). */
  | { readonly type: 'failed'; readonly isExpired: boolean }
  | { readonly type: 'woke' }

/** What the shell of an informer is to do, in this order. */
export type InformerEffect<Object> =
  | { readonly do: 'list'; readonly from: string | null }
  /** Ask which version is that of now. */
  | { readonly do: 'latest' }
  | { readonly do: 'watch'; readonly resourceVersion: string }
  | { readonly do: 'wait'; readonly delayMs: number }
  | { readonly do: 'tell'; readonly change: Change<Object> }
  /** The first list is complete and told. */
  | { readonly do: 'sync' }

/** A watch that lived this long was none that fails at once. */
const livedMsMin = 5000
const bounds = { msMin: 800, msMax: 30_000 }

/**
 * Follows one kind: a list in pages, then a watch from its version; when that is over, a watch from where it was, if the
 * API server has come so far; when it was cut, brings nothing, or cannot be had, another list, of which only differences are
 * told. Pure: events in, effects out.
 */
export class InformerState<Object extends Stored> implements Cache<Object> {
  readonly #indexOf: (object: Object) => string | null
  readonly #chance: () => number
  readonly #index = new Map<string, Map<string, Object>>()
  #objects = new Map<string, Object>()
  /** What the pages of the list under way have brought. */
  #incoming: Map<string, Object> | null = null
  /** From where a watch goes on; null before the first list and after a 410. */
  #resourceVersion: string | null = null
  #failureCount = 0
  #isSynced = false

  /** `indexOf` gives the word by which `indexed` finds an object; `chance` numbers in [0, 1). */
  constructor(indexOf: (object: Object) => string | null, chance: () => number) {
    this.#indexOf = indexOf
    this.#chance = chance
  }

  get(at: ObjectName): Object | undefined {
    return this.#objects.get(keyOf(at))
  }

  all(): Iterable<Object> {
    return this.#objects.values()
  }

  indexed(word: string): readonly Object[] {
    return [...(this.#index.get(word)?.values() ?? [])]
  }

  get size(): number {
    return this.#objects.size
  }

  step(event: InformerEvent<Object>): InformerEffect<Object>[] {
    switch (event.type) {
      case 'started':
      case 'woke':
        return [this.#next()]
      case 'listed':
        return this.#listed(event.page)
      case 'latest':
        return [this.#goOnFrom(event.resourceVersion)]
      case 'stored':
        this.#resourceVersion = event.object.metadata.resourceVersion
        return this.#store(event.object)
      case 'deleted':
        this.#resourceVersion = event.object.metadata.resourceVersion
        return this.#remove(keyOf(event.object.metadata), event.object)
      case 'bookmark':
        this.#resourceVersion = event.resourceVersion
        return []
      case 'ended':
        this.#failureCount = 0
        return [this.#next()]
      case 'cut':
        return [this.#cut(event.livedMs)]
      case 'silent':
        this.#resourceVersion = null
        return [this.#next()]
      case 'failed':
        return [this.#failed(event.isExpired)]
    }
  }

  /**
   * Who cuts a watch may have been an API server that ended, and the next one's etcd may have been restored to an older
   * state. By the time that it answers, others may have written as many versions as were lost: then the version that we had
   * names another moment, and a watch from it would leave out what became of everything until then, without a word.
   */
  #cut(livedMs: number): InformerEffect<Object> {
    this.#resourceVersion = null
    if (livedMs < livedMsMin) return this.#pause()
    this.#failureCount = 0
    return this.#next()
  }

  /**
   * It begins anew with a list. Where the version is gone, nothing is wrong, and the first time it need not wait. Where the API
   * server was away, it may be another by now, whose etcd was restored to an older state: a watch from a version
   * of its future would bring nothing, without a word.
   */
  #failed(isExpired: boolean): InformerEffect<Object> {
    const isFirst = this.#failureCount === 0 && this.#resourceVersion !== null
    this.#incoming = null
    this.#resourceVersion = null
    if (!isExpired || !isFirst) return this.#pause()
    this.#failureCount = 1
    return this.#next()
  }

  #next(): InformerEffect<Object> {
    return this.#resourceVersion === null ? { do: 'list', from: null } : { do: 'latest' }
  }

  /**
   * Between two watches the API server may have become another, whose etcd was restored to an older state; it begins to
   * listen before it can answer, so who comes again is not even refused.
   */
  #goOnFrom(latest: string): InformerEffect<Object> {
    const reached = this.#resourceVersion
    if (reached === null || isBefore(latest, reached)) return { do: 'list', from: null }
    return { do: 'watch', resourceVersion: reached }
  }

  #pause(): InformerEffect<Object> {
    return { do: 'wait', delayMs: pauseMs(++this.#failureCount, bounds, this.#chance()) }
  }

  #listed({ items, resourceVersion, next }: ListPage<Object>): InformerEffect<Object>[] {
    const incoming = (this.#incoming ??= new Map<string, Object>())
    for (const item of items) incoming.set(keyOf(item.metadata), item)
    if (next !== null) return [{ do: 'list', from: next }]
    this.#incoming = null
    const told = [
      ...[...this.#objects.keys()]
        .filter(key => !incoming.has(key))
        .flatMap(key => this.#remove(key, null)),
      ...[...incoming.values()].flatMap(item => this.#store(item)),
    ]
    this.#resourceVersion = resourceVersion
    const synced: InformerEffect<Object>[] = this.#isSynced ? [] : [{ do: 'sync' }]
    this.#isSynced = true
    return [...told, ...synced, { do: 'watch', resourceVersion }]
  }

  #store(object: Object): InformerEffect<Object>[] {
    const key = keyOf(object.metadata)
    const before = this.#objects.get(key)
    if (before?.metadata.resourceVersion === object.metadata.resourceVersion) return []
    const isOther = before !== undefined && before.metadata.uid !== object.metadata.uid
    const gone = isOther ? this.#remove(key, null) : []
    this.#unindex(key, before)
    this.#objects.set(key, object)
    const word = this.#indexOf(object)
    if (word !== null) {
      const group = this.#index.get(word)
      if (group === undefined) this.#index.set(word, new Map([[key, object]]))
      else group.set(key, object)
    }
    const change = { before: isOther ? null : (before ?? null), after: object }
    return [...gone, { do: 'tell', change }]
  }

  /** `last` is the object as it was when it went, where the watch told it. */
  #remove(key: string, last: Object | null): InformerEffect<Object>[] {
    const before = this.#objects.get(key)
    if (before === undefined) return []
    this.#unindex(key, before)
    this.#objects.delete(key)
    return [{ do: 'tell', change: { before: last ?? before, after: null } }]
  }

  #unindex(key: string, object: Object | undefined): void {
    const word = object === undefined ? null : this.#indexOf(object)
    if (word === null) return
    const group = this.#index.get(word)
    group?.delete(key)
    if (group?.size === 0) this.#index.delete(word)
  }
}

/** Versions are whole numbers that grow (KEP-5504); of others nothing is known. */
function isBefore(version: string, other: string): boolean {
  const isNumber = /^\d+$/
  return isNumber.test(version) && isNumber.test(other) && BigInt(version) < BigInt(other)
}
