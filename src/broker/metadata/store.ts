/**
 * Where the metadata log is kept: one totally ordered list of records, appended by compare-and-append
 * (durability.md 1.4). Payloads are opaque here. Every adapter passes `test/metadata/store-conformance.ts`.
 *
 * One operation at a time: the next `append` or `writeSnapshot` starts when the one before has settled.
 */
export interface MetadataStore {
  /** Appends after the last snapshot, at which the next one is due. */
  readonly snapshotIntervalMax: number
  /** Appends after the last snapshot, after which no further one is taken. Infinite where records are kept as they come. */
  readonly unsnapshottedMax: number
  /**
   * Bytes that a snapshot of what is stored takes at most, and that one may take (Infinity where nothing limits it), as the
   * store keeps them. Moves with each operation.
   */
  readonly room: { readonly usedBytes: number; readonly bytesMax: number }
  /** Bytes of one payload. */
  readonly payloadBytesMax: number

  /**
   * The whole log: linearizable, never stale, its hash chain checked.
   * @throws StoreUnavailable to be tried again, StoreError where the content is damaged or the store failed
   */
  readAll(): Promise<StoredLog>
  /**
   * Appends `payload` as record `cursor.nextSequence` if nobody else wrote that record. Ambiguity is resolved
   * inside: `committed` and `lost` are certain, and durable. After `unavailable` the outcome is unknown, and the
   * same call (same cursor, epoch and bytes) must be repeated until it is not.
   * @throws StoreError where the store failed for good: the outcome is unknown, only a new start can tell it
   */
  append(cursor: Cursor, epoch: number, payload: Uint8Array): Promise<AppendOutcome>
  /**
   * Keeps `payload` as the state after record `cursor.nextSequence - 1`; records that nobody needs any more
   * may be trimmed. `unavailable`: it was not written, or is not in use; to be tried again some other time. `unknown`: it may be
   * in use, or come into use; the same call must be repeated until that is known.
   * @throws StoreError as `append`
   */
  writeSnapshot(cursor: Cursor, epoch: number, payload: Uint8Array): Promise<SnapshotOutcome>
  /**
   * Fills a store that `awaitsCopy` so that it goes on after `log`, with the same sequences and hashes. What was cut short
   * is gone on with by the same call.
   * @throws StoreUnavailable to be tried again, StoreError where the store is not one that waits
   */
  rebuild?(log: StoredLog): Promise<void>
  readonly lease: Lease
  /** Gives up the lease and every resource. The store is not used after. */
  close(): Promise<void>
}

/** The end of the log as one reader knows it. */
export interface Cursor {
  /** 1 for an empty log. */
  readonly nextSequence: number
  /** Of the last record; `genesisHash` for an empty log. */
  readonly lastHash: string
}

export interface StoredLog {
  readonly snapshot: Snapshot | null
  /** Every record after the snapshot, without a gap. */
  readonly tail: readonly StoredRecord[]
  readonly cursor: Cursor
  /** Records at or below the snapshot whose hashes the store still knows; left out where it does not look. */
  readonly history?: readonly RecordMark[]
}

/** A record, by what vouches for it. */
export interface RecordMark {
  readonly sequence: number
  readonly hash: string
}

export interface StoredRecord {
  readonly sequence: number
  /** Of the controller that wrote it; never falls. */
  readonly epoch: number
  readonly hash: string
  readonly payload: Uint8Array
}

export interface Snapshot {
  /** The last record that it contains, with that record's hash and epoch. */
  readonly sequence: number
  readonly hash: string
  readonly epoch: number
  readonly payload: Uint8Array
}

export type AppendOutcome =
  | { readonly kind: 'committed'; readonly cursor: Cursor }
  | { readonly kind: 'lost' }
  | ({ readonly kind: 'unavailable' } & Silence)

/** The cursor moves where the adapter notes the snapshot in the log itself: by `note`, a record that changes nothing. */
export type SnapshotOutcome =
  | { readonly kind: 'written'; readonly cursor: Cursor; readonly note?: StoredRecord }
  | { readonly kind: 'lost' }
  | ({ readonly kind: 'unavailable' } & Silence)
  | ({ readonly kind: 'unknown' } & Silence)

export interface Silence {
  /** Why, for people. */
  readonly reason?: string
  /** Milliseconds that the store wants to be left alone. */
  readonly retryAfterMs?: number
}

/**
 * Who should be the controller. Liveness only: two holders at once do no harm, because an append by the one that
 * the other has overtaken is `lost`.
 */
export interface Lease {
  observe(): Promise<LeaseView>
  /** True: held from now on. `force` takes it from another holder. @throws StoreUnavailable */
  acquire(options: { readonly force: boolean }): Promise<boolean>
  /** False: no longer held. */
  renew(): Promise<boolean>
  release(): Promise<void>
}

export interface LeaseView {
  readonly isHeld: boolean
  readonly isMine: boolean
  /** Who holds it, or held it until it ran out; null where nobody does, or nobody can tell. */
  readonly holder: LeaseHolder | null
  /** There is nothing to agree by who tries: a controller that is heard is to be left alone. */
  readonly isMissing?: boolean
}

/** Where others may ask for the controller. A hint: who it is stands in the log. */
export interface LeaseHolder {
  readonly brokerId: number
}

/** The store does not answer; what was asked may be asked again. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
  /** Milliseconds that the store wants to be left alone. */
  readonly retryAfterMs: number

  constructor(
    message: string,
    { retryAfterMs = 0, cause }: { readonly cause?: unknown; readonly retryAfterMs?: number } = {},
  ) {
    super(message, { cause })
    this.retryAfterMs = retryAfterMs
  }
}

/**
 * `damaged`: what it holds is not a log that was written by us. `behind`: it is an older state of the log than one that was
 * read before, or went on from one in another way. `awaitsCopy`: it was made anew for an old log, which a copy must bring. `locked`: another process uses it.
 * `unsuitable`: no log may be kept there. `failed`: an operation failed for good.
 */
export type StoreErrorReason =
  | 'damaged'
  | 'behind'
  | 'awaitsCopy'
  | 'locked'
  | 'unsuitable'
  | 'failed'

/** The store cannot be used; the message says what, where, and what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly reason: StoreErrorReason

  constructor(reason: StoreErrorReason, message: string, options?: { readonly cause: unknown }) {
    super(message, options)
    this.reason = reason
  }
}
