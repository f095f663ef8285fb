import {
  NoAnswer,
  type Found,
  type KeyValue,
  type KeyValues,
  type RangeWish,
  type Transaction,
} from '../src/etcd/key-values.ts'

/** What one etcd holds, whoever asks it; no more of it than brokers use. */
export class SimEtcd {
  #values = new Map<string, KeyValue>()
  #revision = 1
  readonly #past = new Map<number, ReadonlyMap<string, KeyValue>>()
  /** Met by the coming transactions, one each: done or not, they are not answered. */
  readonly faults: ('applied' | 'dropped')[] = []

  /** For one broker. */
  connect(): KeyValues {
    return {
      range: wish => Promise.resolve(this.#range(wish)),
      commit: async transaction => this.#commit(transaction),
      close: () => {},
    }
  }

  /** As somebody with too many rights does it. */
  put(key: string, value: Uint8Array): void {
    this.#commit({ ifRevisions: [], puts: [{ key, value }], deletes: [] })
  }

  #range({ from, to, atRevision = this.#revision }: RangeWish): Found {
    const held = this.#past.get(atRevision) ?? this.#values
    const values = [...held.values()]
      .filter(({ key }) => (to === undefined ? key === from : key >= from && key < to))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    return { values, revision: this.#revision }
  }

  #commit({ ifRevisions, puts, deletes }: Transaction): number | null {
    const fault = this.faults.shift()
    if (fault === 'dropped') throw new NoAnswer('dropped')
    const isDone = ifRevisions.every(({ key, revision }) => {
      return (this.#values.get(key)?.revision ?? 0) === revision
    })
    if (isDone) {
      this.#past.set(this.#revision, new Map(this.#values))
      // Nobody reads what is long past.
      this.#past.delete(this.#revision - 4)
      this.#revision += 1
      for (const { from, to } of deletes) {
        for (const { key } of this.#range({ from, ...(to === undefined ? {} : { to }) }).values) {
          this.#values.delete(key)
        }
      }
      const revision = this.#revision
      for (const { key, value } of puts) this.#values.set(key, { key, value, revision })
    }
    if (fault === 'applied') throw new NoAnswer('not answered')
    return isDone ? this.#revision : null
  }
}
