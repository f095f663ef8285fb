import type { Clock } from '../clock.ts'

/** The process's own clock and timers. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, act) {
    const timer = setTimeout(act, delayMs)
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
  every(periodMs, act) {
    const timer = setInterval(act, periodMs)
    timer.unref()
    return { cancel: () => clearInterval(timer) }
  },
  soon: act => void setImmediate(act),
}
