import { renewDeadlineMs } from '../metadata/lease-times.ts'
import type { Clock, Timer } from '../../env/clock.ts'
import type { Lease } from '../metadata/store.ts'

export interface OfficeKeeperOptions {
  readonly clock: Clock
  readonly lease: Lease
  /** When the request was sent that got the lease, in monotonic milliseconds. */
  readonly acquiredAtMs: number
  /** False: this broker knows nobody who could take over, and so nothing is given up for silence. */
  readonly isContested: () => boolean
  /** About every `tickMs`. */
  readonly onTick: (nowMs: number) => void
  /** Once: the office is to be given up. */
  readonly onLost: (reason: string) => void
}

/** As reliable leader elections have them (durability.md 1.5). */
const renewPeriodMs = 2_000
const tickMs = 200
/** A loop that stands still for longer is not to be trusted with an office: others have seen it stand. */
const lagMsMax = 2_000

/**
 * Holds the lease of an office: renews it, and tells when it is lost, when it could not be renewed in time (counted by the
 * monotonic clock from before the renewal was sent), or when the event loop stood still. Liveness alone: what a controller
 * without a lease appends is lost if there is another one.
 */
export class OfficeKeeper {
  readonly #options: OfficeKeeperOptions
  readonly #timers: Timer[]
  #deadlineMs: number
  #tickedMs: number
  #isRenewing = false
  #isOver = false

  constructor(options: OfficeKeeperOptions) {
    const { clock, acquiredAtMs } = options
    this.#options = options
    this.#deadlineMs = acquiredAtMs + renewDeadlineMs
    this.#tickedMs = clock.monotonic()
    this.#timers = [
      clock.every(renewPeriodMs, () => void this.#renew()),
      clock.every(tickMs, () => this.#tick()),
    ]
  }

  /** Whether something may be appended now. */
  get holds(): boolean {
    if (this.#isOver) return false
    return !this.#options.isContested() || this.#options.clock.monotonic() < this.#deadlineMs
  }

  stop(): void {
    this.#isOver = true
    for (const timer of this.#timers) timer.cancel()
  }

  #tick(): void {
    const { clock, isContested, onTick } = this.#options
    const nowMs = clock.monotonic()
    const lagMs = nowMs - this.#tickedMs - tickMs
    this.#tickedMs = nowMs
    if (isContested() && lagMs > lagMsMax) {
      return this.#lose(`the event loop stood still for ${Math.round(lagMs)} ms`)
    }
    if (!this.holds) return this.#lose('its lease could not be renewed in time')
    onTick(nowMs)
  }

  async #renew(): Promise<void> {
    if (this.#isRenewing) return
    this.#isRenewing = true
    const sentAtMs = this.#options.clock.monotonic()
    try {
      const isHeld = await this.#options.lease.renew()
      if (isHeld) this.#deadlineMs = sentAtMs + renewDeadlineMs
      else if (await this.#isOvertaken()) this.#lose('another broker has its lease')
    } catch {
      // The store does not answer: the deadline tells.
    } finally {
      this.#isRenewing = false
    }
  }

  /** Where nobody is known who could have it, somebody may have come meanwhile: only the lease itself tells. */
  async #isOvertaken(): Promise<boolean> {
    const { isContested, lease } = this.#options
    if (isContested()) return true
    const { isMine, holder } = await lease.observe()
    return !isMine && holder !== null
  }

  #lose(reason: string): void {
    if (this.#isOver) return
    this.stop()
    this.#options.onLost(reason)
  }
}
