import { assert } from '../../../lib/assert.ts'
import { crc32c as portableCrc32c, type Crc32c } from '../../../lib/crc32c.ts'
import type { AppendOrigin, BatchHeader } from '../batch/batch.ts'
import { decodeProducers, encodeProducers } from './snapshot.ts'
import {
  lastSequenceOf,
  batchesWith,
  isEqual,
  isSame,
  nextSequence,
  type ProducerBatch,
  type ProducerState,
} from './state.ts'

export interface ProducerStatesOptions {
  /** `producer.id.expiration.ms`: a producer that appended nothing for so long is forgotten. */
  readonly expirationMs: number
  /** Producers known at once; one more forgets the one that appended least lately. At least 1. */
  readonly countMax: number
}

export type ProducerCheck =
  | { readonly kind: 'append' }
  /**
   * The very batch was appended before, at these offsets. Its write may still be under way: whoever answers
   * must not say so before the end offset passed `lastOffset`. `timestampMs` is the header's maxTimestamp then.
   */
  | {
      readonly kind: 'duplicate'
      readonly baseOffset: number
      readonly lastOffset: number
      readonly timestampMs: number
    }
  | {
      readonly kind: 'refused'
      readonly error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' | 'INVALID_PRODUCER_EPOCH' | 'INVALID_RECORD'
      readonly message: string
    }

/** Takes back one `apply`. Opaque. */
export interface Undo {
  /** Place in the order of applies; the latest is taken back first. */
  readonly serial: number
  readonly entry: Entry | null
  readonly isNew: boolean
  readonly before: Memory
  readonly newer: Entry | null
  readonly evicted: Entry | null
}

/**
 * The front door of the room: what a partition remembers of its idempotent producers, enough to know a repeated
 * batch (G21) and a missing one (G22), within a bound on their number. No file is touched here: a snapshot is bytes
 * that others keep, and is believed whole or not at all. Every call but `expire`, `states` and `equals` takes
 * constant time.
 *
 * The order of batches in the log decides everything but expiry, so replaying a log gives an equal object.
 */
export class ProducerStates {
  #options: ProducerStatesOptions
  readonly #entries = new Map<number, Entry>()
  /** Ends of the list of all entries, from the one that appended longest ago to the one that did last. */
  #oldest: Entry | null = null
  #newest: Entry | null = null
  #serial = 0
  #evictedCount = 0

  constructor(options: ProducerStatesOptions) {
    assert(options.countMax >= 1, 'at least one producer is remembered')
    this.#options = options
  }

  /** In force from now on; who is too many now is forgotten at the next `expire`. */
  configure(options: ProducerStatesOptions): void {
    assert(options.countMax >= 1, 'at least one producer is remembered')
    this.#options = options
  }

  get size(): number {
    return this.#entries.size
  }

  /** Producers forgotten before their time, because there were too many. */
  get evictedCount(): number {
    return this.#evictedCount
  }

  /**
   * May this batch be appended? Only clients are asked: replicas and coordinators append what was decided (G22). A producer
   * of which nothing is known begins with `awaited`, where that is not null.
   */
  check(header: BatchHeader, origin: AppendOrigin, awaited: number | null = null): ProducerCheck {
    if (origin !== 'client' || header.producerId < 0) return append
    const entry = this.#entries.get(header.producerId)
    if (entry === undefined) return checkFirst(header, awaited)
    if (header.producerEpoch < entry.epoch) return staleEpoch(header, entry)
    if (header.producerEpoch > entry.epoch) {
      return header.baseSequence === 0 ? append : outOfOrder(header, 0, 'a new epoch starts')
    }
    const twin = entry.batches.find(batch => isSame(batch, header))
    if (twin !== undefined) {
      const { baseOffset, lastOffsetDelta, timestampMs } = twin
      return {
        kind: 'duplicate',
        baseOffset,
        lastOffset: baseOffset + lastOffsetDelta,
        timestampMs,
      }
    }
    const next = nextSequence(entry)
    return header.baseSequence === next ? append : outOfOrder(header, next, 'it goes on')
  }

  /**
   * Remembers a batch that gets `baseOffset`. `header` is the batch as it is stored: stamped with its append
   * time, where the topic wants that. `appendedAtMs` is the wall clock, for expiry only.
   */
  apply(header: BatchHeader, baseOffset: number, appendedAtMs: number): Undo {
    const serial = ++this.#serial
    if (header.producerId < 0) return { ...nothingDone, serial }
    const known = this.#entries.get(header.producerId)
    const entry = known ?? newEntry(header)
    const { epoch, batches } = entry
    const undo = {
      serial,
      entry,
      isNew: known === undefined,
      before: { epoch, batches, appendedAtMs: entry.appendedAtMs, appliedAt: entry.appliedAt },
      newer: entry.newer,
      evicted: known === undefined ? this.#evictForOneMore() : null,
    }
    entry.batches = batchesWith(entry, header, baseOffset)
    entry.epoch = header.producerEpoch
    entry.appendedAtMs = appendedAtMs
    entry.appliedAt = baseOffset
    if (known !== undefined) this.#unlink(entry)
    this.#linkBefore(entry, null)
    this.#entries.set(entry.producerId, entry)
    return undo
  }

  /** Takes an apply back, because the write failed. The latest apply that still stands goes first. */
  undo(token: Undo): void {
    assert(token.serial === this.#serial, 'applies are taken back in reverse order')
    this.#serial--
    const { entry, before, evicted } = token
    if (entry === null) return
    if (entry.isLinked) this.#unlink(entry)
    this.#entries.delete(entry.producerId)
    Object.assign(entry, before)
    if (!token.isNew) {
      // Where the neighbour expired meanwhile, so did everything older: then this one is the oldest.
      const newer = token.newer === null || token.newer.isLinked ? token.newer : this.#oldest
      this.#linkBefore(entry, newer)
      this.#entries.set(entry.producerId, entry)
    }
    if (evicted !== null) {
      this.#linkBefore(evicted, this.#oldest)
      this.#entries.set(evicted.producerId, evicted)
      this.#evictedCount--
    }
  }

  /** Forgets who appended nothing for the expiration time (G23), and who is too many; tells how many. */
  expire(nowMs: number): number {
    const { expirationMs, countMax } = this.#options
    let count = 0
    while (this.#oldest !== null) {
      const isTooMany = this.#entries.size > countMax
      if (!isTooMany && nowMs - this.#oldest.appendedAtMs < expirationMs) break
      if (isTooMany) this.#evictedCount++
      this.#forget(this.#oldest)
      count++
    }
    return count
  }

  /** For tools: each with its last sequence and the timestamp of its last batch, -1 where it has none (KIP-664). */
  *summaries() {
    for (const { producerId, epoch, batches } of this.states()) {
      const last = batches.at(-1)
      const lastSequence = last === undefined ? -1 : lastSequenceOf(last)
      yield { producerId, epoch, lastSequence, lastTimestampMs: last?.timestampMs ?? -1 }
    }
  }

  /** All that is known, the longest idle first. */
  *states(): Generator<ProducerState, void, undefined> {
    for (let entry = this.#oldest; entry !== null; entry = entry.newer) yield entry
  }

  /** Those that may have appended at or behind `offset`, the longest idle first: none of the others has. */
  since(offset: number): ProducerState[] {
    const found: ProducerState[] = []
    for (
      let entry = this.#newest;
      entry !== null && entry.appliedAt >= offset;
      entry = entry.older
    ) {
      found.push(entry)
    }
    return found.toReversed()
  }

  /** Takes over what `since` gave when the log ended at `offset`: the same producers are known then as there. */
  advance(later: readonly ProducerState[], offset = 0): void {
    for (const { producerId } of later) {
      const known = this.#entries.get(producerId)
      if (known !== undefined) this.#forget(known)
    }
    for (const producer of later) this.#restore(producer, offset - 1)
  }

  /** Knows from now on what `other` does, which is not used any more. Nothing that was applied before can be taken back. */
  become(other: ProducerStates): void {
    this.#entries.clear()
    for (const [producerId, entry] of other.#entries) this.#entries.set(producerId, entry)
    this.#oldest = other.#oldest
    this.#newest = other.#newest
  }

  stateOf(producerId: number): ProducerState | undefined {
    return this.#entries.get(producerId)
  }

  /** Same producers, epochs and batches. The times of append do not count: a replay cannot know them. */
  equals(other: ProducerStates): boolean {
    if (this.size !== other.size) return false
    for (const state of this.states()) {
      const twin = other.stateOf(state.producerId)
      if (twin === undefined || twin.epoch !== state.epoch) return false
      if (twin.batches.length !== state.batches.length) return false
      if (!state.batches.every((batch, at) => isEqual(batch, twin.batches[at]!))) return false
    }
    return true
  }

  /** A snapshot: what it says is told in `producer-snapshot.ts`. */
  encode(crc32c: Crc32c = portableCrc32c): Uint8Array {
    return encodeProducers([...this.states()], crc32c)
  }

  /**
   * What a snapshot held of everything below `offset`; null where there is any doubt, and the log must be read
   * instead. Never throws.
   */
  static decode(
    bytes: Uint8Array,
    options: ProducerStatesOptions,
    crc32c: Crc32c = portableCrc32c,
    offset = 0,
  ): ProducerStates | null {
    const producers = decodeProducers(bytes, crc32c)
    if (producers === null) return null
    const states = new ProducerStates(options)
    for (const producer of producers) states.#restore(producer, offset - 1)
    return states
  }

  /** The longest idle comes first. */
  #restore(state: ProducerState, appliedAt: number): void {
    this.#evictForOneMore()
    const entry = { ...state, appliedAt, older: null, newer: null, isLinked: false }
    this.#linkBefore(entry, null)
    this.#entries.set(entry.producerId, entry)
  }

  #evictForOneMore(): Entry | null {
    if (this.#entries.size < this.#options.countMax) return null
    const evicted = this.#oldest
    assert(evicted !== null, 'every known producer is in the list')
    this.#forget(evicted)
    this.#evictedCount++
    return evicted
  }

  #forget(entry: Entry): void {
    this.#unlink(entry)
    this.#entries.delete(entry.producerId)
  }

  #unlink(entry: Entry): void {
    assert(entry.isLinked, 'an entry leaves the list once')
    if (entry.older === null) this.#oldest = entry.newer
    else entry.older.newer = entry.newer
    if (entry.newer === null) this.#newest = entry.older
    else entry.newer.older = entry.older
    entry.older = null
    entry.newer = null
    entry.isLinked = false
  }

  /** Puts an entry before `newer`; before null is the end, where the newest is. */
  #linkBefore(entry: Entry, newer: Entry | null): void {
    assert(!entry.isLinked, 'an entry is in the list once')
    entry.newer = newer
    entry.older = newer === null ? this.#newest : newer.older
    if (entry.older === null) this.#oldest = entry
    else entry.older.newer = entry
    if (newer === null) this.#newest = entry
    else newer.older = entry
    entry.isLinked = true
  }
}

/** The part of an entry that an apply changes. `batches` is replaced, never changed in place. */
interface Memory {
  epoch: number
  batches: readonly ProducerBatch[]
  appendedAtMs: number
  /**
   * Base offset of its last batch; where it was restored, of which nobody knows when it appended, the last offset below
   * what the snapshot is of. Rises with the list.
   */
  appliedAt: number
}

interface Entry extends Memory {
  readonly producerId: number
  older: Entry | null
  newer: Entry | null
  isLinked: boolean
}

const append = { kind: 'append' } as const
const noMemory: Memory = { epoch: -1, batches: [], appendedAtMs: 0, appliedAt: -1 }
const nothingDone: Omit<Undo, 'serial'> = {
  entry: null,
  isNew: false,
  before: noMemory,
  newer: null,
  evicted: null,
}

function newEntry({ producerId }: BatchHeader): Entry {
  return { producerId, ...noMemory, older: null, newer: null, isLinked: false }
}

function checkFirst(header: BatchHeader, awaited: number | null): ProducerCheck {
  if (header.producerEpoch < 0) return withoutEpoch(header)
  if (awaited === null || awaited === header.baseSequence) return append
  return outOfOrder(header, awaited, 'what was refused before begins')
}

function withoutEpoch({ producerId, producerEpoch }: BatchHeader): ProducerCheck {
  const message =
    `The batch of producer ${producerId} has epoch ${producerEpoch}; ` +
    'with a producer id it may not be negative.'
  return { kind: 'refused', error: 'INVALID_RECORD', message }
}

function staleEpoch(header: BatchHeader, entry: Entry): ProducerCheck {
  const message =
    `Producer ${header.producerId} sent epoch ${header.producerEpoch}, but epoch ${entry.epoch} has written ` +
    'to this partition. A newer instance took over; this one must stop or get a new producer id.'
  return { kind: 'refused', error: 'INVALID_PRODUCER_EPOCH', message }
}

function outOfOrder(header: BatchHeader, next: number, why: string): ProducerCheck {
  const message =
    `Producer ${header.producerId} (epoch ${header.producerEpoch}) sent sequence ${header.baseSequence} ` +
    `where ${why} with ${next}. A batch is missing or came twice out of order; resend from ${next}.`
  return { kind: 'refused', error: 'OUT_OF_ORDER_SEQUENCE_NUMBER', message }
}
