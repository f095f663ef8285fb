import { leaseDurationMs, renewDeadlineMs } from '../../src/broker/metadata/lease-times.ts'
import type { Clock } from '../../src/env/clock.ts'
import type { Lease, LeaseView } from '../../src/broker/metadata/store.ts'

/** The lease as the store keeps it: who wrote it last, and how often it was written. */
export interface LeaseBoard {
  holder: number | null
  beat: number
}

/** What was read last, and since when, in monotonic milliseconds, it stands so. */
interface Seen extends Readonly<LeaseBoard> {
  readonly sinceMs: number
}

/** Asks the board: what was asked gets there later, or the promise rejects. */
export type AskBoard = <T>(act: (board: LeaseBoard) => T) => Promise<T>

/** One life's hold on the lease of the store, by a clock of its own, as the adapters on Kubernetes and on files have it. */
export class DistantLease implements Lease {
  readonly #ask: AskBoard
  readonly #clock: Clock
  readonly #brokerId: number
  #seen: Seen | null = null
  #deadlineMs = -Infinity

  constructor(ask: AskBoard, clock: Clock, brokerId: number) {
    this.#ask = ask
    this.#clock = clock
    this.#brokerId = brokerId
  }

  async observe(): Promise<LeaseView> {
    const seen = this.#saw(await this.#ask(board => ({ ...board })))
    const isHeld = seen.holder !== null && !this.#isStale(seen)
    const holder = seen.holder === null ? null : { brokerId: seen.holder }
    const view = { isHeld, isMine: seen.holder === this.#brokerId, holder }
    return view
  }

  async acquire({ force }: { readonly force: boolean }): Promise<boolean> {
    const seen = this.#saw(await this.#ask(board => ({ ...board })))
    const isFree =
      seen.holder === null || seen.holder === this.#brokerId || this.#isStale(seen) || force
    return isFree && (await this.#write(seen.beat, this.#brokerId))
  }

  async renew(): Promise<boolean> {
    const seen = this.#saw(await this.#ask(board => ({ ...board })))
    if (seen.holder === this.#brokerId) await this.#write(seen.beat, this.#brokerId)
    return this.#seen?.holder === this.#brokerId && this.#clock.monotonic() < this.#deadlineMs
  }

  async release(): Promise<void> {
    this.#deadlineMs = -Infinity
    const seen = this.#seen
    if (seen?.holder === this.#brokerId) await this.#write(seen.beat, null)
  }

  /** Where nobody wrote since. */
  async #write(beat: number, holder: number | null): Promise<boolean> {
    const sentAtMs = this.#clock.monotonic()
    const after = await this.#ask(board => {
      if (board.beat === beat) {
        board.holder = holder
        board.beat++
      }
      return { ...board }
    })
    const seen = this.#saw(after)
    const isWritten = seen.holder === holder && seen.beat === beat + 1
    if (isWritten) this.#deadlineMs = sentAtMs + renewDeadlineMs
    return isWritten
  }

  #saw({ holder, beat }: LeaseBoard): Seen {
    const isSame = this.#seen?.beat === beat
    const sinceMs = isSame ? this.#seen!.sinceMs : this.#clock.monotonic()
    return (this.#seen = { holder, beat, sinceMs })
  }

  #isStale({ sinceMs }: Seen): boolean {
    return this.#clock.monotonic() - sinceMs >= leaseDurationMs
  }
}
