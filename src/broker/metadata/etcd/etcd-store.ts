import type { Clock } from '../../../env/clock.ts'
import { NoAnswer, type Found, type KeyValues } from '../../../etcd/key-values.ts'
import { assert } from '../../../lib/assert.ts'
import { concat, fromUtf8, utf8 } from '../../../lib/bytes.ts'
import type { Uuid } from '../../../lib/uuid.ts'
import { chainHash, contentHash, genesisHash, type Link } from '../chain.ts'
import {
  decodeRecordFile,
  decodeSnapshotFile,
  encodeRecordFile,
  encodeSnapshotFile,
} from '../files/log-file.ts'
import { isObject } from '../shape.ts'
import {
  StoreError,
  StoreUnavailable,
  type AppendOutcome,
  type Cursor,
  type MetadataStore,
  type Snapshot,
  type SnapshotOutcome,
  type StoredLog,
  type StoredRecord,
} from '../store.ts'
import type { TenureLease } from '../tenure-lease.ts'
import { etcdLease } from './etcd-lease.ts'
import { EtcdKeys } from './keys.ts'

export interface EtcdStoreOptions {
  readonly keyValues: KeyValues
  readonly clock: Clock
  /** What all keys begin with; ends with a slash. */
  readonly prefix: string
  readonly brokerId: number
  /** Of this process. */
  readonly incarnationId: Uuid
  /** Default 512. */
  readonly snapshotIntervalMax?: number
}

/** etcd takes requests of 1.5 MiB. */
const payloadBytesMax = 1_000_000
const chunkBytes = 512 * 1_024

/** The log's end and its revision in etcd. */
interface End {
  readonly cursor: Cursor
  readonly revision: number
}

/**
 * The front door of the room: the metadata log as keys of etcd. `end` says where the log ends; an append puts record and end together, if `end` is still as the
 * writer knows it: of two that try one gets through, and who was overtaken never does, whatever was trimmed meanwhile. A record's
 * value, and a snapshot's, in chunks, are what the files store has as files.
 */
export class EtcdStore implements MetadataStore {
  readonly snapshotIntervalMax: number
  readonly unsnapshottedMax = Infinity
  readonly room = { usedBytes: 0, bytesMax: Infinity }
  readonly payloadBytesMax = payloadBytesMax
  readonly lease: TenureLease
  readonly #keyValues: KeyValues
  readonly #keys: EtcdKeys
  /** As it was when this store looked or wrote last. */
  #end: End | null = null
  /** The hash of a record that was put without an answer. */
  #unknown: string | null = null

  constructor(options: EtcdStoreOptions) {
    const { keyValues, clock, prefix, brokerId, incarnationId, snapshotIntervalMax = 512 } = options
    this.#keyValues = keyValues
    this.#keys = new EtcdKeys(prefix)
    this.snapshotIntervalMax = snapshotIntervalMax
    const me = { brokerId, incarnationId }
    this.lease = etcdLease({ keyValues, clock, key: this.#keys.lease, me })
  }

  async readAll(): Promise<StoredLog> {
    try {
      return await this.#readAll()
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error
      throw new StoreUnavailable(error.message, { cause: error })
    }
  }

  async append(cursor: Cursor, epoch: number, payload: Uint8Array): Promise<AppendOutcome> {
    assert(payload.length <= payloadBytesMax, 'a payload keeps the limit')
    const { nextSequence: sequence, lastHash: previousHash } = cursor
    const link = { sequence, epoch, previousHash, payload }
    const after = { nextSequence: sequence + 1, lastHash: chainHash(link) }
    try {
      const known = this.#end ?? (await this.#look())
      const isDone = isSame(known.cursor, cursor) && (await this.#put(link, known, after))
      if (isDone) return { kind: 'committed', cursor: after }
      return await this.#settled(link, after)
    } catch (error) {
      this.#end = null
      return unavailable('unavailable', error)
    }
  }

  async writeSnapshot(
    cursor: Cursor,
    epoch: number,
    payload: Uint8Array,
  ): Promise<SnapshotOutcome> {
    const { nextSequence, lastHash: hash } = cursor
    const sequence = nextSequence - 1
    const content = encodeSnapshotFile({ sequence, epoch, hash, payload })
    const id = this.#keys.snapshotId(sequence, contentHash(content))
    let chunks: { readonly key: string; readonly revision: number }[]
    let end: End
    try {
      end = await this.#look()
      if (!isSame(end.cursor, cursor)) return { kind: 'lost' }
      chunks = await this.#putChunks(id, content)
    } catch (error) {
      return unavailable('unavailable', error)
    }
    try {
      const told = utf8(JSON.stringify({ format: 1, id, chunkCount: chunks.length }))
      const done = await this.#keyValues.commit({
        ifRevisions: [{ key: this.#keys.end, revision: end.revision }, ...chunks],
        puts: [{ key: this.#keys.snapshot, value: told }],
        deletes: [this.#keys.recordsUpTo(sequence), ...this.#keys.snapshotsBut(id)],
      })
      if (done !== null) return { kind: 'written', cursor }
      const now = await this.#look()
      return isSame(now.cursor, cursor) ? { kind: 'unavailable' } : { kind: 'lost' }
    } catch (error) {
      return unavailable('unknown', error)
    }
  }

  close(): Promise<void> {
    this.#keyValues.close()
    return Promise.resolve()
  }

  async #look(): Promise<End> {
    const { values } = await this.#keyValues.range({ from: this.#keys.end })
    return (this.#end = this.#endOf(values))
  }

  #endOf([found]: Found['values']): End {
    if (found === undefined) {
      return { cursor: { nextSequence: 1, lastHash: genesisHash }, revision: 0 }
    }
    const told = json(found.value)
    const { sequence, hash } = isObject(told) ? told : {}
    if (!Number.isSafeInteger(sequence) || typeof hash !== 'string') {
      throw damaged(this.#keys.end, 'it does not say where the log ends')
    }
    const cursor = { nextSequence: (sequence as number) + 1, lastHash: hash }
    return { cursor, revision: found.revision }
  }

  /** False: the end is another by now. */
  async #put(link: Link, { revision }: End, after: Cursor): Promise<boolean> {
    const { end } = this.#keys
    const wasUnknown = this.#unknown === after.lastHash
    this.#unknown = after.lastHash
    const told = JSON.stringify({ format: 1, sequence: link.sequence, hash: after.lastHash })
    const done = await this.#keyValues.commit({
      ifRevisions: [{ key: end, revision }],
      puts: [
        { key: this.#keys.record(link.sequence), value: encodeRecordFile(link) },
        { key: end, value: utf8(told) },
      ],
      deletes: [],
    })
    // An answer tells of its own attempt, and nothing of one before.
    if (done !== null || !wasUnknown) this.#unknown = null
    if (done === null) return false
    this.#end = { cursor: after, revision: done }
    return true
  }

  /**
   * The end was not where the writer thought: because of this very append, whose answer was lost, or of another's.
   * @throws StoreError `failed` where nobody can tell which
   */
  async #settled(link: Link, after: Cursor): Promise<AppendOutcome> {
    const end = await this.#look()
    if (isSame(end.cursor, after)) return { kind: 'committed', cursor: after }
    if (end.cursor.nextSequence === link.sequence) {
      const isNext = end.cursor.lastHash === link.previousHash
      if (isNext && (await this.#put(link, end, after))) return { kind: 'committed', cursor: after }
      if (isNext) return { kind: 'unavailable' }
      return { kind: 'lost' }
    }
    const { values } = await this.#keyValues.range({ from: this.#keys.record(link.sequence) })
    const isOurs = values[0] !== undefined && this.#record(values[0]).hash === after.lastHash
    if (isOurs) return { kind: 'committed', cursor: after }
    const isTrimmed = values[0] === undefined && end.cursor.nextSequence > after.nextSequence
    if (isTrimmed && this.#unknown === after.lastHash) throw trimmedUnknown(link.sequence)
    return { kind: 'lost' }
  }

  /** With the revision of each, so that the snapshot is in use only if nobody swept one of them away. */
  async #putChunks(id: string, content: Uint8Array) {
    const chunks: { readonly key: string; readonly revision: number }[] = []
    for (let at = 0; at < content.length; at += chunkBytes) {
      const key = this.#keys.chunk(id, chunks.length)
      const puts = [{ key, value: content.subarray(at, at + chunkBytes) }]
      const revision = await this.#keyValues.commit({ ifRevisions: [], puts, deletes: [] })
      assert(revision !== null, 'what nothing is asked of happens')
      chunks.push({ key, revision })
    }
    return chunks
  }

  /** All of it as it was in one revision. */
  async #readAll(): Promise<StoredLog> {
    const first = await this.#keyValues.range({ from: this.#keys.end })
    const atRevision = first.revision
    const [told, records] = await Promise.all([
      this.#keyValues.range({ from: this.#keys.snapshot, atRevision }),
      this.#keyValues.range({ ...this.#keys.records, atRevision }),
    ])
    const end = (this.#end = this.#endOf(first.values))
    const snapshot = await this.#snapshot(told.values, atRevision)
    const tail = records.values.map(each => this.#record(each))
    this.#checkChain(snapshot, tail, end.cursor)
    return { snapshot, tail, cursor: end.cursor }
  }

  async #snapshot([found]: Found['values'], atRevision: number): Promise<Snapshot | null> {
    if (found === undefined) return null
    const told = json(found.value)
    const { id, chunkCount } = isObject(told) ? told : {}
    if (typeof id !== 'string') throw damaged(this.#keys.snapshot, 'it names no snapshot')
    const { values } = await this.#keyValues.range({ ...this.#keys.chunks(id), atRevision })
    if (values.length !== chunkCount)
      throw damaged(id, `${values.length} of ${String(chunkCount)} chunks are there`)
    const content = concat(values.map(({ value }) => value))
    return intact(id, () => decodeSnapshotFile(id, content))
  }

  #record({
    key,
    value,
  }: Found['values'][number]): StoredRecord & { readonly previousHash: string } {
    return intact(key, () => decodeRecordFile(key, value))
  }

  #checkChain(
    snapshot: Snapshot | null,
    tail: readonly (StoredRecord & { readonly previousHash: string })[],
    end: Cursor,
  ): void {
    let last = { sequence: snapshot?.sequence ?? 0, hash: snapshot?.hash ?? genesisHash }
    for (const { sequence, hash, previousHash } of tail) {
      if (sequence !== last.sequence + 1 || previousHash !== last.hash) {
        throw damaged(this.#keys.record(sequence), 'it does not follow the record before it')
      }
      last = { sequence, hash }
    }
    if (isSame(end, { nextSequence: last.sequence + 1, lastHash: last.hash })) return
    throw damaged(this.#keys.end, `it is not where the records end, which is at ${last.sequence}`)
  }
}

function isSame(a: Cursor, b: Cursor): boolean {
  return a.nextSequence === b.nextSequence && a.lastHash === b.lastHash
}

function json(value: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(value))
  } catch {
    return null
  }
}

function intact<T>(key: string, decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    throw damaged(key, 'it is not what was put there', error)
  }
}

function damaged(key: string, what: string, cause?: unknown): StoreError {
  return new StoreError(
    'damaged',
    `The metadata store in etcd is damaged: ${key}: ${what}. Nothing was changed. Restore etcd from a backup; do not ` +
      'delete single keys of it.',
    { cause },
  )
}

function trimmedUnknown(sequence: number): StoreError {
  return new StoreError(
    'failed',
    `Another controller wrote the metadata log in etcd on, and trimmed it, before etcd answered what became of record ${sequence}. ` +
      'It may be part of the log or not; the next start reads it.',
  )
}

function unavailable<K extends string>(kind: K, error: unknown): { kind: K; reason: string } {
  if (!(error instanceof NoAnswer)) throw error
  return { kind, reason: error.message }
}
