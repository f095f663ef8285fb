import type {
  AppendOutcome,
  Cursor,
  MetadataStore,
  SnapshotOutcome,
  StoredLog,
} from '../../src/broker/metadata/store.ts'
import { StoreUnavailable } from '../../src/broker/metadata/store.ts'
import { deferred } from '../../src/lib/deferred.ts'
import type { Prng } from '../../src/lib/prng.ts'
import type { SimClock } from '../clock.ts'
import { DistantLease, type LeaseBoard } from './distant-lease.ts'
import { LifeClock, type Life } from './life.ts'

/** How the way to the store is; the world changes it while brokers run. */
export interface StoreWay {
  /** False: nothing gets there, and nobody hears why before the time is over. */
  isOpen: boolean
  /** Of 1000 answers so many are lost, after the store did what it was asked. */
  lostPerMille: number
  /** Milliseconds of one direction, at most. */
  delayMsMax: number
  /** Called once, when an append has got there and nothing was answered. */
  atAppend: (() => void) | null
}

/** Who asks, and for whose lease. */
export interface StorePlace {
  readonly time: SimClock
  readonly life: Life
  readonly prng: Prng
  readonly board: LeaseBoard
  readonly brokerId: number
}

/** Who asks a store that does not answer gives up after this. */
const patienceMs = 3000

/**
 * `store`, a network away from one life: what is asked gets there later, the answer comes later still, and either can
 * be lost. What a process asked may happen when it is dead.
 */
export class DistantStore implements MetadataStore {
  readonly lease: DistantLease
  readonly #store: MetadataStore
  readonly #place: StorePlace
  readonly #way: StoreWay

  constructor(store: MetadataStore, place: StorePlace, way: StoreWay) {
    this.#store = store
    this.#place = place
    this.#way = way
    const { board, time, life, brokerId } = place
    const clock = new LifeClock(time, life, { rate: 1, aheadMs: 0 })
    this.lease = new DistantLease(
      act => this.#ask(() => Promise.resolve(act(board)), unreachable),
      clock,
      brokerId,
    )
  }

  get snapshotIntervalMax(): number {
    return this.#store.snapshotIntervalMax
  }

  get unsnapshottedMax(): number {
    return this.#store.unsnapshottedMax
  }

  get room(): MetadataStore['room'] {
    return this.#store.room
  }

  get payloadBytesMax(): number {
    return this.#store.payloadBytesMax
  }

  readAll(): Promise<StoredLog> {
    return this.#ask(() => this.#store.readAll(), unreachable)
  }

  append(cursor: Cursor, epoch: number, payload: Uint8Array): Promise<AppendOutcome> {
    const bytes = payload.slice()
    return this.#ask(
      () => {
        const { atAppend } = this.#way
        this.#way.atAppend = null
        atAppend?.()
        return this.#store.append(cursor, epoch, bytes)
      },
      () => ({ kind: 'unavailable' }),
    )
  }

  writeSnapshot(cursor: Cursor, epoch: number, payload: Uint8Array): Promise<SnapshotOutcome> {
    const bytes = payload.slice()
    return this.#ask(
      () => this.#store.writeSnapshot(cursor, epoch, bytes),
      () => ({ kind: 'unknown' }),
    )
  }

  async close(): Promise<void> {
    await this.lease.release().catch(() => {})
  }

  /** `lost`: what to say where no answer comes; it may throw. */
  #ask<T>(act: () => Promise<T>, lost: () => T): Promise<T> {
    const { time, life } = this.#place
    const answer = deferred<T>()
    const reply = (delayMs: number, say: () => void): void =>
      void time.after(delayMs, () => life.deliver(say))
    const giveUp = (): void => {
      try {
        answer.resolve(lost())
      } catch (error) {
        answer.reject(error)
      }
    }
    time.after(this.#delayMs(), () => {
      if (!this.#way.isOpen) return reply(patienceMs, giveUp)
      act().then(
        value => {
          const isLost = this.#place.prng.below(1000) < this.#way.lostPerMille
          if (isLost) reply(patienceMs, giveUp)
          else reply(this.#delayMs(), () => answer.resolve(value))
        },
        (error: unknown) => reply(this.#delayMs(), () => answer.reject(error)),
      )
    })
    return answer.promise
  }

  #delayMs(): number {
    return (this.#place.prng.below(1024) / 1024) * this.#way.delayMsMax
  }
}

function unreachable(): never {
  throw new StoreUnavailable('the simulated store does not answer')
}
