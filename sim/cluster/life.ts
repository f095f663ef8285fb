import type { Clock, Timer } from '../../src/env/clock.ts'
import { SimCrash } from '../disk-faults.ts'
import type { SimClock } from '../clock.ts'

/**
 * One life of a simulated life. Whatever reaches it from outside (timers, bytes, the disk, the store) comes by
 * `deliver`: it waits while the process is stopped (SIGSTOP), and never comes once it is dead.
 */
export class Life {
  readonly #failed: (error: unknown) => void
  #state: 'running' | 'stopped' | 'dead' = 'running'
  #held: (() => void)[] = []
  #deliveredCount = 0

  /** `failed` is told what nobody caught. */
  constructor(failed: (error: unknown) => void = rethrow) {
    this.#failed = failed
  }

  get isDead(): boolean {
    return this.#state === 'dead'
  }

  get isStopped(): boolean {
    return this.#state === 'stopped'
  }

  /** How often something reached it: as long as it is the same, nothing in it has changed. */
  get deliveredCount(): number {
    return this.#deliveredCount
  }

  deliver(act: () => void): void {
    if (this.#state === 'dead') return
    if (this.#state === 'stopped') {
      this.#held.push(act)
      return
    }
    this.#deliveredCount++
    try {
      act()
    } catch (error) {
      if (!(error instanceof SimCrash)) this.#failed(error)
    }
  }

  /** SIGSTOP. */
  stop(): void {
    if (this.#state === 'running') this.#state = 'stopped'
  }

  /** SIGCONT: what came meanwhile is met at once, in the order in which it came. */
  resume(): void {
    if (this.#state !== 'stopped') return
    this.#state = 'running'
    const held = this.#held
    this.#held = []
    for (const act of held) this.deliver(act)
  }

  die(): void {
    this.#state = 'dead'
    this.#held = []
  }
}

function rethrow(error: unknown): void {
  throw error
}

/** How the clock of a machine differs from the world's. */
export interface ClockDrift {
  /** Seconds that it counts in a second of the world. */
  readonly rate: number
  /** Milliseconds that its wall clock is ahead. */
  aheadMs: number
}

/** The clock that one life of a process sees. */
export class LifeClock implements Clock {
  readonly #time: SimClock
  readonly #life: Life
  readonly #drift: ClockDrift

  constructor(time: SimClock, life: Life, drift: ClockDrift) {
    this.#time = time
    this.#life = life
    this.#drift = drift
  }

  now(): number {
    const elapsedMs = this.#time.monotonic()
    return Math.floor(this.#time.now() + this.#drift.aheadMs + elapsedMs * (this.#drift.rate - 1))
  }

  monotonic(): number {
    return this.#time.monotonic() * this.#drift.rate
  }

  after(delayMs: number, act: () => void): Timer {
    let isCancelled = false
    const timer = this.#time.after(delayMs / this.#drift.rate, () =>
      this.#life.deliver(() => {
        if (!isCancelled) act()
      }),
    )
    return {
      cancel: () => {
        isCancelled = true
        timer.cancel()
      },
    }
  }

  every(periodMs: number, act: () => void): Timer {
    let timer: Timer
    const beat = (): void => {
      timer = this.after(periodMs, beat)
      act()
    }
    timer = this.after(periodMs, beat)
    return { cancel: () => timer.cancel() }
  }

  soon(act: () => void): void {
    this.#time.soon(() => this.#life.deliver(act))
  }
}
