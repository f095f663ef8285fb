const shardCount = 256

/**
 * An immutable map with string keys: a change copies one shard of 256 and shares the rest, so that ten thousand
 * topics cost a microsecond a change, not a millisecond. The order of iteration is arbitrary but fixed.
 */
export class ShardedMap<V> {
  static readonly #empty = new ShardedMap<never>(
    Array.from({ length: shardCount }, () => new Map<string, never>()),
    0,
  )

  readonly size: number
  readonly #shards: readonly ReadonlyMap<string, V>[]

  private constructor(shards: readonly ReadonlyMap<string, V>[], size: number) {
    this.#shards = shards
    this.size = size
  }

  static empty<V>(): ShardedMap<V> {
    return ShardedMap.#empty as unknown as ShardedMap<V>
  }

  get(key: string): V | undefined {
    return this.#shards[shardOf(key)]!.get(key)
  }

  with(key: string, value: V): ShardedMap<V> {
    return this.#changed(key, shard => shard.set(key, value))
  }

  without(key: string): ShardedMap<V> {
    return this.get(key) === undefined ? this : this.#changed(key, shard => shard.delete(key))
  }

  *values(): IterableIterator<V> {
    for (const shard of this.#shards) yield* shard.values()
  }

  #changed(key: string, change: (shard: Map<string, V>) => unknown): ShardedMap<V> {
    const at = shardOf(key)
    const before = this.#shards[at]!
    const after = new Map(before)
    change(after)
    const shards = this.#shards.slice()
    shards[at] = after
    return new ShardedMap(shards, this.size - before.size + after.size)
  }
}

/** FNV-1a over the UTF-16 units, folded to a shard's number. */
function shardOf(key: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  return (hash ^ (hash >>> 15)) & (shardCount - 1)
}
