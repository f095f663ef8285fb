import { assert } from '../src/lib/assert.ts'
import { chainHash, genesisHash } from '../src/broker/metadata/chain.ts'
import {
  StoreError,
  StoreUnavailable,
  type AppendOutcome,
  type Cursor,
  type Lease,
  type MetadataStore,
  type Snapshot,
  type SnapshotOutcome,
  type StoredLog,
  type StoredRecord,
} from '../src/broker/metadata/store.ts'

/** What happens to the next append: `applied` and `dropped` are both answered with `unavailable`. */
export type AppendFault = 'applied' | 'dropped' | 'failed'

/** The place that several stores share: what an API server or a directory is to the real adapters. */
export class SimStoreMedium {
  readonly records: StoredRecord[] = []
  snapshot: Snapshot | null = null
  leaseHolder: SimStore | null = null
  /** Met by the coming appends, one each, first come first. */
  readonly appendFaults: AppendFault[] = []
  /** While false, reads and snapshots are unavailable and appends are dropped. */
  isReachable = true

  /** A medium of its own that holds the same. */
  clone(): SimStoreMedium {
    const copy = new SimStoreMedium()
    copy.records.push(...this.records)
    copy.snapshot = this.snapshot
    return copy
  }

  cursor(): Cursor {
    const last = this.records.at(-1) ?? this.snapshot
    if (last === null) return { nextSequence: 1, lastHash: genesisHash }
    return { nextSequence: last.sequence + 1, lastHash: last.hash }
  }
}

/** A MetadataStore without a disk: the simulator's, and the oracle for the others. */
export class SimStore implements MetadataStore {
  readonly snapshotIntervalMax: number
  readonly unsnapshottedMax = Infinity
  readonly room = { usedBytes: 0, bytesMax: Infinity }
  readonly payloadBytesMax = 1_048_576
  /** Whose store it is. */
  readonly brokerId: number
  readonly #medium: SimStoreMedium
  #isBusy = false

  constructor(medium: SimStoreMedium, snapshotIntervalMax = 32, brokerId = 0) {
    this.#medium = medium
    this.brokerId = brokerId
    this.snapshotIntervalMax = snapshotIntervalMax
  }

  readAll(): Promise<StoredLog> {
    return this.#alone(() => {
      const { isReachable, snapshot, records } = this.#medium
      if (!isReachable) throw new StoreUnavailable('the simulated store is not reachable')
      const isLater = ({ sequence }: StoredRecord) => sequence > (snapshot?.sequence ?? 0)
      const log = { snapshot, tail: records.filter(isLater), cursor: this.#medium.cursor() }
      const history = records.filter(record => !isLater(record))
      return history.length === 0 ? log : { ...log, history }
    })
  }

  append(cursor: Cursor, epoch: number, payload: Uint8Array): Promise<AppendOutcome> {
    assert(payload.length <= this.payloadBytesMax, 'a payload keeps the limit')
    return this.#alone(() => {
      const fault = this.#medium.isReachable ? this.#medium.appendFaults.shift() : 'dropped'
      if (fault === 'dropped') return { kind: 'unavailable' }
      const outcome = this.#append(cursor, epoch, payload)
      if (fault === 'failed') throw new StoreError('failed', 'the simulated store failed as told')
      return fault === 'applied' ? { kind: 'unavailable' } : outcome
    })
  }

  writeSnapshot(cursor: Cursor, epoch: number, payload: Uint8Array): Promise<SnapshotOutcome> {
    return this.#alone(() => {
      const medium = this.#medium
      if (!medium.isReachable) return { kind: 'unavailable' }
      const { nextSequence, lastHash } = medium.cursor()
      if (nextSequence !== cursor.nextSequence || lastHash !== cursor.lastHash) {
        return { kind: 'lost' }
      }
      const sequence = cursor.nextSequence - 1
      medium.snapshot = { sequence, epoch, hash: cursor.lastHash, payload: payload.slice() }
      medium.records.splice(0, Math.max(0, medium.records.length - this.snapshotIntervalMax))
      return { kind: 'written', cursor }
    })
  }

  readonly lease: Lease = {
    observe: () => {
      const { leaseHolder } = this.#medium
      const holder = leaseHolder === null ? null : { brokerId: leaseHolder.brokerId }
      return Promise.resolve({ isHeld: leaseHolder !== null, isMine: leaseHolder === this, holder })
    },
    acquire: ({ force }) => {
      const { leaseHolder } = this.#medium
      if (leaseHolder === null || force) this.#medium.leaseHolder = this
      return this.lease.renew()
    },
    renew: () => Promise.resolve(this.#medium.leaseHolder === this),
    release: () => {
      if (this.#medium.leaseHolder === this) this.#medium.leaseHolder = null
      return Promise.resolve()
    },
  }

  close(): Promise<void> {
    return this.lease.release()
  }

  #append(cursor: Cursor, epoch: number, payload: Uint8Array): AppendOutcome {
    const sequence = cursor.nextSequence
    const hash = chainHash({ previousHash: cursor.lastHash, sequence, epoch, payload })
    const end = this.#medium.cursor()
    if (end.nextSequence === sequence && end.lastHash === cursor.lastHash) {
      this.#medium.records.push({ sequence, epoch, hash, payload: payload.slice() })
    }
    const stored = this.#medium.records.find(record => record.sequence === sequence)
    if (stored?.hash !== hash) return { kind: 'lost' }
    return { kind: 'committed', cursor: { nextSequence: sequence + 1, lastHash: hash } }
  }

  async #alone<T>(act: () => T): Promise<T> {
    assert(!this.#isBusy, 'the store does one operation at a time')
    this.#isBusy = true
    try {
      await Promise.resolve()
      return act()
    } finally {
      this.#isBusy = false
    }
  }
}
