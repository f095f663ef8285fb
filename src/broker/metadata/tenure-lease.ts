import { leaseDurationMs, renewDeadlineMs } from './lease-times.ts'
import type { Clock } from '../../env/clock.ts'
import { StoreUnavailable, type Lease, type LeaseView } from './store.ts'

/** Who holds a lease, as the place where it is kept tells it. Counter 0: there was never a holder. */
export interface Tenure {
  /** Rises with each renewal. */
  readonly counter: number
  /** null: it was given back, or cannot be read. */
  readonly holder: Holder | null
}

export interface Holder {
  readonly brokerId: number
  /** Of a process: one that had the same id before is another holder. */
  readonly incarnationId: string
}

/** Where a lease is kept. Both throw StoreUnavailable where the place does not answer. */
export interface TenurePlace {
  look(): Promise<Tenure>
  /** The counter that is next after `before`, for this holder; null where another was faster. */
  take(before: Tenure, holder: Holder | null): Promise<number | null>
}

export interface TenureLeaseOptions {
  readonly place: TenurePlace
  readonly clock: Clock
  readonly me: Holder
}

/**
 * Who may try to be the controller, by a counter that each renewal raises, and that only one of several can raise. One that stands still
 * for ten seconds of the observer's own monotonic clock is overtaken, whoever's it is: a process that is stopped does not give it back
 * (durability.md 1.4). Whoever holds the office renews it.
 */
export class TenureLease implements Lease {
  readonly #options: TenureLeaseOptions
  #seen: (Tenure & { readonly sinceMs: number }) | null = null
  #deadlineMs = -Infinity
  #isRenewing = false

  constructor(options: TenureLeaseOptions) {
    this.#options = options
  }

  async observe(): Promise<LeaseView> {
    const { holder } = await this.#look()
    return {
      isHeld: holder !== null && !this.#isStale(),
      isMine: this.#isMe(holder),
      holder: holder === null ? null : { brokerId: holder.brokerId },
    }
  }

  async acquire({ force }: { readonly force: boolean }): Promise<boolean> {
    const tenure = await this.#look()
    const { holder } = tenure
    const { me } = this.#options
    // Nobody else has this broker's id while this process has its directory, so what had it before is gone.
    const isFree = holder === null || holder.brokerId === me.brokerId || this.#isStale()
    if (!isFree && !force) return false
    return await this.#take(tenure, me)
  }

  async renew(): Promise<boolean> {
    if (!this.#isRenewing) {
      this.#isRenewing = true
      try {
        const tenure = await this.#look()
        if (this.#isMe(tenure.holder)) await this.#take(tenure, this.#options.me)
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error
      } finally {
        this.#isRenewing = false
      }
    }
    const isMine = this.#isMe(this.#seen?.holder ?? null)
    return isMine && this.#options.clock.monotonic() < this.#deadlineMs
  }

  async release(): Promise<void> {
    this.#deadlineMs = -Infinity
    try {
      const tenure = await this.#look()
      if (this.#isMe(tenure.holder)) await this.#take(tenure, null)
    } catch (error) {
      // It runs out by itself.
      if (!(error instanceof StoreUnavailable)) throw error
    }
  }

  #isMe(holder: Holder | null): boolean {
    return holder?.incarnationId === this.#options.me.incarnationId
  }

  async #look(): Promise<Tenure> {
    const tenure = await this.#options.place.look()
    const isSame = this.#seen?.counter === tenure.counter
    const sinceMs = isSame ? this.#seen!.sinceMs : this.#options.clock.monotonic()
    this.#seen = { ...tenure, sinceMs }
    return tenure
  }

  /** False: another was faster. */
  async #take(before: Tenure, holder: Holder | null): Promise<boolean> {
    const { place, clock } = this.#options
    const beganMs = clock.monotonic()
    const counter = await place.take(before, holder)
    if (counter === null) return false
    this.#seen = { counter, holder, sinceMs: beganMs }
    this.#deadlineMs = holder === null ? -Infinity : beganMs + renewDeadlineMs
    return true
  }

  #isStale(): boolean {
    if (this.#seen === null) return true
    return this.#options.clock.monotonic() - this.#seen.sinceMs >= leaseDurationMs
  }
}
