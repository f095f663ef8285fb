import type { Clock, Timer } from '../../env/env.ts'

/** Watches how late timers run, which is how long whoever needs the event loop has to wait for it. */
export function watchLoopLag(
  clock: Clock,
  observe: (seconds: number) => void,
  periodMs = 50,
): Timer {
  let expectedAtMs = clock.monotonic() + periodMs
  return clock.every(periodMs, () => {
    const nowMs = clock.monotonic()
    observe(Math.max(0, nowMs - expectedAtMs) / 1000)
    expectedAtMs = nowMs + periodMs
  })
}
