import { assert } from '../../../lib/assert.ts'
import { DiskError } from '../../../env/disk.ts'
import {
  type AppendOutcome,
  type Cursor,
  type Lease,
  type MetadataStore,
  type SnapshotOutcome,
  StoreError,
  type StoredLog,
  StoreUnavailable,
} from '../store.ts'
import { linkProblem } from './link.ts'
import type { MetadataCopy } from './metadata-copy.ts'

/** Of an append that the store has committed and the copy does not have yet. */
interface Uncopied {
  readonly cursor: Cursor
  readonly outcome: Extract<AppendOutcome, { readonly kind: 'committed' }>
}

/**
 * The front door of the room: a store with this broker's copy beside it. A record is committed by the store, then durable in the copy, and only then is
 * anybody told: so whatever this broker acted upon is in its copy, and a store that lost it is found out. The other
 * order would leave records in the copy that never were committed (durability.md 1.7).
 */
export class CopiedStore implements MetadataStore {
  readonly #store: MetadataStore
  readonly #copy: MetadataCopy
  readonly #isShared: (log: StoredLog) => boolean
  #uncopied: Uncopied | null = null
  /** A snapshot that the store has, and for which the disk was too full. */
  #uncopiedSnapshot: StoredLog | null = null

  /** `isShared`: whether other brokers have written in what was read. */
  constructor(
    store: MetadataStore,
    copy: MetadataCopy,
    isShared: (log: StoredLog) => boolean = () => false,
  ) {
    this.#store = store
    this.#copy = copy
    this.#isShared = isShared
  }

  get snapshotIntervalMax(): number {
    return this.#store.snapshotIntervalMax
  }

  get payloadBytesMax(): number {
    return this.#store.payloadBytesMax
  }

  get unsnapshottedMax(): number {
    return this.#store.unsnapshottedMax
  }

  get room(): MetadataStore['room'] {
    return this.#store.room
  }

  get lease(): Lease {
    return this.#store.lease
  }

  /**
   * What the store holds, which the copy then has too.
   * @throws as the store; StoreError `behind` where it does not go on from where the copy ends
   */
  async readAll(): Promise<StoredLog> {
    const log = await this.#readOrRebuild()
    this.#uncopied = null
    this.#uncopiedSnapshot = null
    const { cursor } = this.#copy
    const problem = cursor === null ? null : linkProblem(cursor, log, () => this.#isShared(log))
    if (problem !== null) throw rolledBack(problem)
    const isCopied =
      isSame(cursor, log.cursor) || (await this.#hadRoom(() => this.#copy.replace(log)))
    if (!isCopied) throw new StoreUnavailable('the disk has no room for a copy of its log')
    return log
  }

  async append(cursor: Cursor, epoch: number, payload: Uint8Array): Promise<AppendOutcome> {
    const outcome = await this.#appendToStore(cursor, epoch, payload)
    if (outcome.kind !== 'committed') return outcome
    const { lastHash: hash } = outcome.cursor
    const record = { sequence: cursor.nextSequence, epoch, hash, payload }
    // An append that was repeated is there already.
    const isCopied = isSame(this.#copy.cursor, outcome.cursor)
    if (!isCopied && !(await this.#hadRoom(() => this.#copy.append(record)))) {
      return { kind: 'unavailable' }
    }
    this.#uncopied = null
    return outcome
  }

  async writeSnapshot(
    cursor: Cursor,
    epoch: number,
    payload: Uint8Array,
  ): Promise<SnapshotOutcome> {
    const outcome = await this.#store.writeSnapshot(cursor, epoch, payload)
    if (outcome.kind !== 'written') return outcome
    const { nextSequence, lastHash: hash } = outcome.cursor
    const snapshot = { sequence: nextSequence - 1, epoch, hash, payload }
    this.#uncopiedSnapshot = { snapshot, tail: [], cursor: outcome.cursor }
    await this.#copySnapshot()
    return outcome
  }

  async close(): Promise<void> {
    await this.#store.close()
    await this.#copy.close()
  }

  /** The same call is repeated until its outcome is certain: the store must not see it again once it has committed. */
  async #appendToStore(cursor: Cursor, epoch: number, payload: Uint8Array): Promise<AppendOutcome> {
    if (this.#uncopied !== null) {
      assert(isSame(this.#uncopied.cursor, cursor), 'an append is repeated until it is certain')
      return this.#uncopied.outcome
    }
    if (!(await this.#copySnapshot())) return { kind: 'unavailable' }
    const outcome = await this.#store.append(cursor, epoch, payload)
    if (outcome.kind === 'committed') this.#uncopied = { cursor, outcome }
    return outcome
  }

  /** False where the disk is full. */
  async #copySnapshot(): Promise<boolean> {
    const log = this.#uncopiedSnapshot
    if (log === null) return true
    if (!(await this.#hadRoom(() => this.#copy.replace(log)))) return false
    this.#uncopiedSnapshot = null
    return true
  }

  async #hadRoom(write: () => Promise<void>): Promise<boolean> {
    try {
      await write()
      return true
    } catch (error) {
      if (error instanceof DiskError) return false
      throw error
    }
  }

  async #readOrRebuild(): Promise<StoredLog> {
    try {
      return await this.#store.readAll()
    } catch (error) {
      if (!(error instanceof StoreError) || error.reason !== 'awaitsCopy') throw error
      if (!(await this.#copy.mayFill())) {
        throw new StoreUnavailable('it waits for the longest copy of it, on whichever disk that is')
      }
      const own = this.#copy.readLog()
      if (own === null || this.#store.rebuild === undefined) throw error
      await this.#store.rebuild(own)
      return this.#store.readAll()
    }
  }
}

function isSame(one: Cursor | null, other: Cursor): boolean {
  return one?.nextSequence === other.nextSequence && one.lastHash === other.lastHash
}

function rolledBack(problem: string): StoreError {
  return new StoreError(
    'behind',
    `The metadata store does not hold the log that this broker followed: ${problem}. Restore the store to what it was, and brokers go on by themselves. ` +
      'Where what it holds now has to stay, keep each metadata.copy, which has what the store lacks, and do as the runbook LogClusterMetadataQuarantined says.',
  )
}
