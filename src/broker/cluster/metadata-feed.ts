import type { Clock, Timer } from '../../env/clock.ts'
import { genesisHash } from '../metadata/chain.ts'
import type { Cursor, StoredRecord } from '../metadata/store.ts'

/** A record of the log, or what a store notes a snapshot by: it has its place in the chain, and changes nothing. */
export interface FeedRecord extends StoredRecord {
  readonly isNote: boolean
}

/** Bytes of payloads that are kept; whoever is further behind gets a snapshot. */
const feedBytesMax = 4_194_304

/** Bytes of payloads in one answer; the first record comes in any case. */
const answerBytesMax = 1_048_576

/**
 * The end of the metadata log in memory, for brokers that follow it: only what is committed. `after` finds the follower's last
 * record by its hash, so that nobody gets the continuation of another log than his.
 */
export class MetadataFeed {
  readonly #clock: Clock
  #records: FeedRecord[] = []
  #bytes = 0
  /** What the first of the records follows. */
  #base: Cursor = { nextSequence: 1, lastHash: genesisHash }
  readonly #waiting = new Set<() => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get end(): Cursor {
    const last = this.#records.at(-1)
    if (last === undefined) return this.#base
    return { nextSequence: last.sequence + 1, lastHash: last.hash }
  }

  /** Nothing before `cursor` is known any more. */
  reset(cursor: Cursor): void {
    this.#records = []
    this.#bytes = 0
    this.#base = cursor
    this.#wake()
  }

  /** `record` follows the last one. */
  append(record: FeedRecord): void {
    this.#records.push(record)
    this.#bytes += record.payload.length
    while (this.#bytes > feedBytesMax && this.#records.length > 1) {
      const { sequence, hash, payload } = this.#records.shift()!
      this.#bytes -= payload.length
      this.#base = { nextSequence: sequence + 1, lastHash: hash }
    }
    this.#wake()
  }

  /** The hash of a record that is kept, or of the one before them; null of another. */
  hashOf(sequence: number): string | null {
    if (sequence === this.#base.nextSequence - 1) return this.#base.lastHash
    return this.#records[sequence - this.#base.nextSequence]?.hash ?? null
  }

  /**
   * What follows record `sequence`, as far as it is to be sent at once. `behind`: it is further than the end here. `unknown`: it
   * is not kept. `other`: the record of that sequence is another one here.
   */
  after(sequence: number, hash: string): FeedRecord[] | 'behind' | 'unknown' | 'other' {
    if (sequence >= this.end.nextSequence) return 'behind'
    const known = this.hashOf(sequence)
    if (known === null) return 'unknown'
    if (known !== hash) return 'other'
    const found: FeedRecord[] = []
    let bytes = 0
    for (const record of this.#records.slice(sequence + 1 - this.#base.nextSequence)) {
      bytes += record.payload.length
      if (found.length > 0 && bytes > answerBytesMax) break
      found.push(record)
    }
    return found
  }

  /** Resolves when something was appended, or after `maxWaitMs`. `onEarlier` is given how to end it sooner. */
  wait(maxWaitMs: number, onEarlier: (end: () => void) => void): Promise<void> {
    return new Promise(resolve => {
      let timer: Timer | null = null
      const end = (): void => {
        timer?.cancel()
        if (this.#waiting.delete(end)) resolve()
      }
      this.#waiting.add(end)
      timer = this.#clock.after(maxWaitMs, end)
      onEarlier(end)
    })
  }

  #wake(): void {
    for (const end of this.#waiting) end()
  }
}
