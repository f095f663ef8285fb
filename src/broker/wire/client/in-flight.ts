import { Alarm } from '../../../env/alarm.ts'
import type { Clock, Frame } from '../../../env/env.ts'

/** A request that was sent. */
export interface Sent {
  readonly correlationId: number
  /** Kafka's name and the version, for errors: `Fetch v12`. */
  readonly what: string
  /** Milliseconds from the sending within which the answer has to be there. */
  readonly timeoutMs: number
  /**
   * Takes the answer, length prefix off. True: it keeps the frame and gives it back itself; else the bytes are not its
   * own once it returns. Throws a WireError, and keeps nothing then.
   */
  answered(frame: Frame): boolean
  failed(error: Error): void
}

/**
 * The requests of one connection that have no answer yet. A broker answers in the order of the requests (G13), so an
 * answer belongs to the oldest of them or to none.
 */
export class InFlight {
  readonly #clock: Clock
  readonly #alarm: Alarm
  readonly #late: (sent: Sent) => void
  readonly #sent: (Sent & { readonly dueMs: number })[] = []

  /** `late` is told the first that was not answered in time. */
  constructor(clock: Clock, late: (sent: Sent) => void) {
    this.#clock = clock
    this.#late = late
    this.#alarm = new Alarm(clock, () => this.#lookForLate())
  }

  get count(): number {
    return this.#sent.length
  }

  add(sent: Sent): void {
    const dueMs = this.#clock.monotonic() + sent.timeoutMs
    this.#sent.push({ ...sent, dueMs })
    this.#alarm.ringBy(dueMs)
  }

  /** The oldest, which leaves by `shift`. */
  get first(): Sent | undefined {
    return this.#sent[0]
  }

  shift(): void {
    this.#sent.shift()
    if (this.#sent.length === 0) this.#alarm.cancel()
  }

  failAll(error: Error): void {
    this.#alarm.cancel()
    for (const sent of this.#sent.splice(0)) sent.failed(error)
  }

  #lookForLate(): void {
    const nowMs = this.#clock.monotonic()
    const late = this.#sent.find(({ dueMs }) => dueMs <= nowMs)
    if (late !== undefined) this.#late(late)
    else for (const { dueMs } of this.#sent) this.#alarm.ringBy(dueMs)
  }
}
