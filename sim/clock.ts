import type { Clock, Timer } from '../src/env/clock.ts'
import { assert } from '../src/lib/assert.ts'

interface Due {
  readonly atMs: number
  readonly order: number
  readonly act: () => void
  cancelled: boolean
}

export interface SimClockOptions {
  /** Wall clock at the start, milliseconds since 1970. */
  readonly startMs?: number
  /**
   * Lets promises go on between two events of `run`. Left out: a fixed number of microtask turns. Node's streams
   * (SimNetwork) go on by `nextTick`, which waits until no microtask is left: they need `setImmediate` here.
   */
  readonly turn?: () => Promise<void>
}

const microtaskTurns = 100

/** A clock that moves when it is told to: timers run in order of time, then of the order in which they were set. */
export class SimClock implements Clock {
  #monotonicMs = 0
  #wallOffsetMs: number
  #orderNext = 0
  readonly #heap: Due[] = []
  #soon: (() => void)[] = []
  readonly #turn: () => Promise<void>

  constructor(options: SimClockOptions = {}) {
    this.#wallOffsetMs = options.startMs ?? Date.UTC(2026, 0, 1)
    this.#turn = options.turn ?? turnMicrotasks
  }

  now(): number {
    return Math.floor(this.#wallOffsetMs + this.#monotonicMs)
  }

  monotonic(): number {
    return this.#monotonicMs
  }

  after(delayMs: number, act: () => void): Timer {
    const due = this.#add(Math.max(0, delayMs), act)
    return { cancel: () => void (due.cancelled = true) }
  }

  every(periodMs: number, act: () => void): Timer {
    assert(periodMs > 0, 'a period is longer than nothing')
    let due: Due
    const beat = (): void => {
      due = this.#add(periodMs, beat)
      act()
    }
    due = this.#add(periodMs, beat)
    return { cancel: () => void (due.cancelled = true) }
  }

  soon(act: () => void): void {
    this.#soon.push(act)
  }

  /** The wall clock jumps by `byMs`; the monotonic one does not notice. */
  jump(byMs: number): void {
    this.#wallOffsetMs += byMs
  }

  /** How many timers are set. */
  get timerCount(): number {
    return this.#heap.reduce((count, { cancelled }) => count + (cancelled ? 0 : 1), 0)
  }

  /** When the next timer is due on the monotonic clock; null where none is set. */
  get nextAtMs(): number | null {
    this.#dropCancelled()
    return this.#heap[0]?.atMs ?? null
  }

  /** Runs what `soon` was given, and what that gives it, until nothing is left. */
  runSoon(): void {
    while (this.#runSoonOnce()) continue
  }

  /** Moves time by `byMs`, running what is due on the way; promises do not go on meanwhile (see `run`). */
  advance(byMs: number): void {
    const untilMs = this.#monotonicMs + byMs
    this.runSoon()
    while (this.#runNextTimer(untilMs)) this.runSoon()
    this.#monotonicMs = untilMs
  }

  /** As `advance`, and lets promises go on after each event. */
  async run(byMs: number): Promise<void> {
    const untilMs = this.#monotonicMs + byMs
    await this.settle()
    while (this.#runNextTimer(untilMs)) await this.settle()
    this.#monotonicMs = untilMs
    await this.settle()
  }

  /** Lets promises and `soon` go on until neither has anything to do, without moving time. */
  async settle(): Promise<void> {
    do await this.#turn()
    while (this.#runSoonOnce())
  }

  #runSoonOnce(): boolean {
    const acts = this.#soon
    this.#soon = []
    for (const act of acts) act()
    return acts.length > 0
  }

  #runNextTimer(untilMs: number): boolean {
    this.#dropCancelled()
    const next = this.#heap[0]
    if (next === undefined || next.atMs > untilMs) return false
    this.#pop()
    this.#monotonicMs = Math.max(this.#monotonicMs, next.atMs)
    next.act()
    return true
  }

  #dropCancelled(): void {
    while (this.#heap[0]?.cancelled) this.#pop()
  }

  #add(delayMs: number, act: () => void): Due {
    const due = {
      atMs: this.#monotonicMs + delayMs,
      order: this.#orderNext++,
      act,
      cancelled: false,
    }
    const heap = this.#heap
    let at = heap.push(due) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(due, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = due
    return due
  }

  #pop(): void {
    const heap = this.#heap
    const moved = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, moved)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = moved
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

async function turnMicrotasks(): Promise<void> {
  for (let turn = 0; turn < microtaskTurns; turn++) await Promise.resolve()
}
