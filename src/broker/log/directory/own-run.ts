import type { Env } from '../../../env/env.ts'
import type { CleanLine, Trust } from '../recovery/recovery.ts'
import {
  continueRun,
  trustOf,
  worsenRun,
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

  /** See `LogDirectory.registered`. @throws DiskError */
  registered(brokerEpoch: number): Promise<void> {
    const noted = this.#noting.then(async () => {
      if (brokerEpoch === this.#run.brokerEpoch) return
      this.#run = await continueRun(this.#place, this.#run, brokerEpoch)
    })
    this.#noting = noted.catch(() => {})
    return noted
  }

  /** The start was one of class C, though it seemed to be B; durable when it resolves. False where it was none. @throws DiskError */
  async worsen(): Promise<boolean> {
    if (this.#startClass !== 'B') return false
    this.#startClass = 'C'
    this.#startReason = 'unexpected-damage'
    const noted = this.#noting.then(async () => {
      this.#run = await worsenRun(this.#place, this.#run, 'C')
    })
    this.#noting = noted.catch(() => {})
    await noted
    return true
  }

  /** @throws DiskError */
  leaveMarker(lines: ReadonlyMap<string, CleanLine>): Promise<void> {
    return writeMarker(this.#place, this.#run, lines)
  }
}
