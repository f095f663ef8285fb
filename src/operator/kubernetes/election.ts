/** The fields of a Lease that an election reads and writes. */
export interface LeaseRecord {
  /** '' where nobody holds it. */
  readonly holder: string
  readonly durationSeconds: number
  readonly transitions: number
  /** Of the object, for compare-and-set. */
  readonly resourceVersion: string
}

/** What is to be written; times are the shell's, since only people read them. */
export interface LeaseClaim {
  readonly holder: string
  readonly durationSeconds: number
  readonly transitions: number
  /** null: the Lease is to be made. */
  readonly resourceVersion: string | null
  /** Whether the holder is a new one, whose `acquireTime` begins. */
  readonly isNew: boolean
}

export type ElectionEvent =
  | { readonly type: 'tick' }
  /** The Lease as it is; null where there is none. */
  | { readonly type: 'read'; readonly record: LeaseRecord | null }
  /** The claim that was sent at `sentAtMs` is stored. */
  | { readonly type: 'wrote'; readonly record: LeaseRecord; readonly sentAtMs: number }
  /** Somebody else wrote first. */
  | { readonly type: 'conflict' }
  /** The request failed, or nobody knows whether it did. */
  | { readonly type: 'failed' }

export type ElectionEffect =
  | { readonly do: 'read' }
  | { readonly do: 'write'; readonly claim: LeaseClaim }
  | { readonly do: 'wait'; readonly delayMs: number }
  | { readonly do: 'lead' }
  /** It led and does no more: nothing may act after this, so the process ends. */
  | { readonly do: 'lose' }

/** Milliseconds, as client-go's defaults. */
const electionTimes = {
  /** A holder that has not renewed for this long may be followed. */
  leaseMs: 15_000,
  /** A holder that could not renew for this long stops. Shorter than `leaseMs`: it stops before another begins. */
  renewWithinMs: 10_000,
  retryMs: 2000,
} as const

/**
 * Who leads, judged from one Lease. Clocks of machines are never compared: another's Lease has run out when *we* have
 * seen no change of it for as long as it says. Pure: events with the time of one monotonic clock in, effects out.
 *
 * A Lease does not fence: a process that was stopped between its decision and its write wakes up and sends it. So each
 * write of the operator carries what it was decided on (uid, resourceVersion), and this only keeps two from getting in
 * each other's way.
 */
export class Election {
  readonly #identity: string
  #record: LeaseRecord | null = null
  /** When we saw the record change. */
  #changedAtMs = -Infinity
  /** When the claim was *sent* that last succeeded; null while we do not lead. */
  #renewedAtMs: number | null = null
  #isLost = false

  constructor(identity: string) {
    this.#identity = identity
  }

  /** Whether we may act: we lead, and nobody can have followed us yet. To be asked right before each write. */
  mayAct(nowMs: number): boolean {
    return (
      !this.#isLost &&
      this.#renewedAtMs !== null &&
      nowMs - this.#renewedAtMs < electionTimes.renewWithinMs
    )
  }

  /** Whether we led and stopped; there is no way back. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** Who holds the Lease as far as we know; '' where nobody does. */
  get holder(): string {
    return this.#record?.holder ?? ''
  }

  step(event: ElectionEvent, nowMs: number): ElectionEffect[] {
    if (this.#isLost) return []
    if (this.#renewedAtMs !== null && !this.mayAct(nowMs) && event.type !== 'wrote')
      return this.#lose()
    switch (event.type) {
      case 'tick':
        return this.#renewedAtMs === null ? [{ do: 'read' }] : [this.#write()]
      case 'read':
        return this.#read(event.record, nowMs)
      case 'wrote':
        return this.#wrote(event.record, event.sentAtMs, nowMs)
      case 'conflict':
        return this.#renewedAtMs === null ? [this.#wait()] : [{ do: 'read' }]
      case 'failed':
        return [this.#wait()]
    }
  }

  /** The claim by which the next one need not wait; null where we do not hold it. Only after all acting has ended. */
  release(): LeaseClaim | null {
    const record = this.#record
    if (record === null || record.holder !== this.#identity || this.#renewedAtMs === null)
      return null
    this.#isLost = true
    return { ...record, holder: '', durationSeconds: 1, isNew: false }
  }

  #read(record: LeaseRecord | null, nowMs: number): ElectionEffect[] {
    if (record?.resourceVersion !== this.#record?.resourceVersion) this.#changedAtMs = nowMs
    this.#record = record
    if (record === null || record.holder === '') return [this.#write()]
    if (record.holder === this.#identity) return [this.#write()]
    if (this.#renewedAtMs !== null) return this.#lose()
    const isOver = nowMs - this.#changedAtMs >= record.durationSeconds * 1000
    return [isOver ? this.#write() : this.#wait()]
  }

  #wrote(record: LeaseRecord, sentAtMs: number, nowMs: number): ElectionEffect[] {
    const wasLeading = this.#renewedAtMs !== null
    this.#record = record
    this.#changedAtMs = nowMs
    this.#renewedAtMs = sentAtMs
    // The answer may come so late that the Lease ran out on its way.
    if (!this.mayAct(nowMs)) return wasLeading ? this.#lose() : this.#notYet()
    return wasLeading ? [this.#wait()] : [{ do: 'lead' }, this.#wait()]
  }

  #notYet(): ElectionEffect[] {
    this.#renewedAtMs = null
    return [{ do: 'read' }]
  }

  #lose(): ElectionEffect[] {
    this.#isLost = true
    return [{ do: 'lose' }]
  }

  #write(): ElectionEffect {
    const record = this.#record
    const isNew = record?.holder !== this.#identity
    return {
      do: 'write',
      claim: {
        holder: this.#identity,
        durationSeconds: electionTimes.leaseMs / 1000,
        transitions: (record?.transitions ?? 0) + (isNew && record !== null ? 1 : 0),
        resourceVersion: record?.resourceVersion ?? null,
        isNew,
      },
    }
  }

  #wait(): ElectionEffect {
    return { do: 'wait', delayMs: electionTimes.retryMs }
  }
}
