import type { Env } from '../../../env/env.ts'
import type { Log } from '../log.ts'
import type { CleanLine, Trust } from '../recovery/recovery.ts'
import {
  continueRun,
  trustOf,
  writeMarker,
  type Run,
  type Start,
  type StartClass,
  type StartReason,
} from '../recovery/start-class.ts'

interface Place {
  readonly env: Env
  /** Of the data directory. */
  readonly path: string
}

/** The run that has the directory open: how the one before it ended, and what is written down of this one. */
export class OwnRun {
  readonly #place: Place
  readonly #cleanLines: Start['cleanLines']
  #run: Run
  #startClass: StartClass
  #startReason: StartReason
  #isRegistered = false
  /** Some log of the run acknowledges what is not flushed. */
  #hasLeft = false
  /** The file of the run says, or is about to, that none does. */
  #isOnlyAck = false
  /** The file of the run is written by one at a time. */
  #noting: Promise<void> = Promise.resolve()

  constructor(place: Place, { run, cleanLines, startClass, reason }: Start) {
    this.#place = place
    this.#run = run
    this.#cleanLines = cleanLines
    this.#startClass = startClass
    this.#startReason = reason
  }

  get startClass(): StartClass {
    return this.#startClass
  }

  get startReason(): StartReason {
    return this.#startReason
  }

  /** What the clean marker said of the log of that name; null where nothing. */
  cleanLineOf(name: string): CleanLine | null {
    return this.#cleanLines[name] ?? null
  }

  /** After a clean stop too, a log without a line of its own was not left clean: it was damaged, or never opened. */
  trustIn(name: string): Trust {
    const trust = trustOf(this.#startClass)
    return trust === 'clean' && this.cleanLineOf(name) === null ? 'machine-died' : trust
  }

  /**
   * See `LogDirectory.registered`. `isAllAcked`: every log flushes before it acknowledges, and is flushed. Then the run is
   * one of that kind, as long as none leaves. @throws DiskError
   */
  registered(brokerEpoch: number, isAllAcked: boolean): Promise<void> {
    return this.#note(() => {
      if (brokerEpoch === this.#run.brokerEpoch) return null
      const isFirst = !this.#isRegistered
      this.#isRegistered = true
      const onlyAckSince = isFirst ? isAllAcked && !this.#hasLeft : this.#run.onlyAckSince
      this.#isOnlyAck = onlyAckSince
      return { brokerEpoch, unregistered: null, onlyAckSince }
    })
  }

  /**
   * A log will acknowledge what was not flushed: resolves when a crash after that is known to have lost something; null
   * where it is. @throws DiskError
   */
  leaveAcks(): Promise<void> | null {
    this.#hasLeft = true
    if (!this.#isOnlyAck) return null
    return this.#note(() => {
      if (!this.#run.onlyAckSince) return null
      this.#isOnlyAck = false
      return { onlyAckSince: false }
    })
  }

  /** The start was one of class C, though it seemed to be B; durable when it resolves. False where it was none. @throws DiskError */
  async worsen(): Promise<boolean> {
    if (this.#startClass !== 'B') return false
    this.#startClass = 'C'
    this.#startReason = 'unexpected-damage'
    await this.#note(() => (this.#run.unregistered === null ? null : { unregistered: 'C' }))
    return true
  }

  #note(changesNow: () => Parameters<typeof continueRun>[2] | null): Promise<void> {
    const noted = this.#noting.then(async () => {
      const changes = changesNow()
      if (changes !== null) this.#run = await continueRun(this.#place, this.#run, changes)
    })
    this.#noting = noted.catch(() => {})
    return noted
  }

  /** @throws DiskError */
  leaveMarker(lines: ReadonlyMap<string, CleanLine>): Promise<void> {
    return writeMarker(this.#place, this.#run, lines)
  }
}

/** Whether all of them flush before they acknowledge; what lies in them is flushed then. */
export async function areFlushed(logs: readonly Log[]): Promise<boolean> {
  const areSo = () =>
    logs.every(({ durability, isSound }) => isSound && durability.flushPolicy === 'ack')
  if (!areSo()) return false
  try {
    await Promise.all(logs.map(log => log.whenDurable(log.endOffset)))
  } catch {
    // The directory failed, and says so; or it is closed.
    return false
  }
  return areSo()
}
