import { exitCodes } from '../../lib/exit-codes.ts'
import type { Clock } from '../../env/clock.ts'

/** A broker's process. */
export interface Child {
  readonly pid: number
  /** Asks it to stop, also where it stands still. */
  stop(): void
  kill(): void
}

/** What a child tells when it serves. */
export interface Ready {
  /** host:port, the first one first. */
  readonly listeners: readonly string[]
  /** host:port; null where there is none. */
  readonly http: string | null
}

export interface ChildEvents {
  ready(facts: Ready): void
  /** Once, last. `code` is null where a signal ended it. */
  ended(code: number | null, signal: string | null): void
}

export interface SupervisorOptions {
  readonly clock: Clock
  readonly count: number
  readonly start: (id: number, events: ChildEvents) => Child
  /** A sentence for whoever looks on. */
  readonly say: (sentence: string) => void
  /** Once, when all serve for the first time. */
  readonly welcome: (brokers: readonly (Ready & { readonly pid: number })[]) => void
  /** Nothing of the cluster runs any more. */
  readonly end: (exitCode: number) => void
}

/** Milliseconds before a dead broker starts again: first, and at most. It doubles with each end before it was ready. */
const restartDelayMs = 500
const restartDelayMsMax = 4_000
/** How long a stopping broker may take. */
const stopMsMax = 60_000
interface Place {
  child: Child | null
  ready: Ready | null
  /** It was asked to stop: asked twice it would end at once. */
  isStopping: boolean
  /** Ends in a row of processes that never were ready. */
  failures: number
}

/**
 * Keeps the brokers of one machine running: whoever dies starts again within five seconds, and says so; a stop takes one after
 * the other, so that each can hand over what it leads to those that are still there.
 */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #places: Place[]
  #isWelcomed = false
  /** null while nobody asked for an end. */
  #exitCode: number | null = null

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#places = Array.from({ length: options.count }, () => ({
      child: null,
      ready: null,
      isStopping: false,
      failures: 0,
    }))
  }

  start(): void {
    for (const id of this.#places.keys()) this.#start(id)
  }

  /** Stops the brokers in order, the last one first; asked a second time it ends them at once. */
  stop(exitCode = 0): void {
    if (this.#exitCode !== null) {
      for (const { child } of this.#places) child?.kill()
      return
    }
    this.#exitCode = exitCode
    this.#stopNext()
  }

  #start(id: number): void {
    if (this.#exitCode !== null) return
    const place = this.#places[id]!
    place.child = this.#options.start(id, {
      ready: facts => this.#ready(place, facts),
      ended: (code, signal) => this.#ended(id, code, signal),
    })
  }

  #ready(place: Place, facts: Ready): void {
    place.ready = facts
    place.failures = 0
    if (this.#isWelcomed) return
    const brokers = this.#places.flatMap(({ child, ready }) => {
      return child === null || ready === null ? [] : [{ ...ready, pid: child.pid }]
    })
    if (brokers.length < this.#places.length) return
    this.#isWelcomed = true
    this.#options.welcome(brokers)
  }

  #ended(id: number, code: number | null, signal: string | null): void {
    const { say, clock } = this.#options
    const place = this.#places[id]!
    place.failures += place.ready === null ? 1 : 0
    place.child = null
    place.ready = null
    if (this.#exitCode !== null) return this.#stopNext()
    const how = signal === null ? `with exit code ${code}` : `by ${signal}`
    // No restart will help.
    if (code === exitCodes.badConfiguration) {
      say(`Broker ${id} ended ${how}: its settings cannot be used. All brokers stop.`)
      return this.stop(code)
    }
    const delayMs = Math.min(restartDelayMs * 2 ** place.failures, restartDelayMsMax)
    const before = place.failures > 0 ? ' before it served; its last lines say why' : ''
    say(`Broker ${id} ended ${how}${before}. It starts again in ${delayMs / 1000} s.`)
    clock.after(delayMs, () => this.#start(id))
  }

  #stopNext(): void {
    const { say, clock, end } = this.#options
    const id = this.#places.findLastIndex(({ child }) => child !== null)
    if (id < 0) return end(this.#exitCode ?? 0)
    const place = this.#places[id]!
    const child = place.child!
    if (place.isStopping) return
    place.isStopping = true
    child.stop()
    clock.after(stopMsMax, () => {
      if (place.child !== child) return
      say(`Broker ${id} did not stop within ${stopMsMax / 1000} s, and is killed.`)
      child.kill()
    })
  }
}
