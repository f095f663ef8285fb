import type { Cache } from './cache.ts'
import { Informer, type InformerOptions } from './informer.ts'
import type { ObjectName, Stored } from './objects.ts'

/** One kind in several namespaces, or in all of them where there is no list: an informer each, and one cache. */
export class Informers<Object extends Stored> implements Cache<Object> {
  readonly kind: string
  /** By namespace; one for all under ''. */
  readonly #informers = new Map<string, Informer<Object>>()

  /** `options.scope` without a namespace. */
  constructor(options: InformerOptions<Object>, namespaces: readonly string[]) {
    this.kind = options.resource.kind
    for (const namespace of namespaces.length === 0 ? [''] : namespaces) {
      const scope = namespace === '' ? options.scope : { ...options.scope, namespace }
      this.#informers.set(namespace, new Informer({ ...options, scope }))
    }
  }

  get size(): number {
    return this.#each().reduce((sum, { size }) => sum + size, 0)
  }

  get isSynced(): boolean {
    return this.#each().every(({ isSynced }) => isSynced)
  }

  /** Resolves when all have their first list. */
  async synced(): Promise<void> {
    await Promise.all(this.#each().map(({ synced }) => synced))
  }

  /** Follows until the signal; rejects with what a handler threw. */
  async run(): Promise<void> {
    await Promise.all(this.#each().map(informer => informer.run()))
  }

  get(at: ObjectName): Object | undefined {
    return (this.#informers.get('') ?? this.#informers.get(at.namespace ?? ''))?.get(at)
  }

  *all(): Iterable<Object> {
    for (const informer of this.#informers.values()) yield* informer.all()
  }

  indexed(word: string): readonly Object[] {
    return this.#each().flatMap(informer => informer.indexed(word))
  }

  #each(): Informer<Object>[] {
    return [...this.#informers.values()]
  }
}
