/** A value and the revision of the whole store that it was put in: the next put has a higher one. */
export interface KeyValue {
  readonly key: string
  readonly value: Uint8Array
  /** Of the last put; 0 where there is no such key. */
  readonly revision: number
}

export interface RangeWish {
  readonly from: string
  /** The first key that is not wanted; left out: `from` alone is. */
  readonly to?: string
  /** As it was in that revision of the store; left out: as it is now, and no older. */
  readonly atRevision?: number
}

export interface Found {
  /** Ascending. */
  readonly values: readonly KeyValue[]
  /** Of the whole store, when it was asked. */
  readonly revision: number
}

/** What happens together, if each key in `ifRevisions` has that revision still (0: it is absent). */
export interface Transaction {
  readonly ifRevisions: readonly { readonly key: string; readonly revision: number }[]
  readonly puts: readonly { readonly key: string; readonly value: Uint8Array }[]
  /** As in a range. */
  readonly deletes: readonly Pick<RangeWish, 'from' | 'to'>[]
}

/** The front door of the room: what a broker asks of etcd, v3; linearizable. Everything throws NoAnswer where nobody knows what became of it. */
export interface KeyValues {
  range(wish: RangeWish): Promise<Found>
  /** The revision in which it happened; null: a key has another, and nothing did. */
  commit(transaction: Transaction): Promise<number | null>
  close(): void
}

/** etcd did not answer, or not with what it should. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
}
