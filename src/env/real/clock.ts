import type { Clock, Timer } from '../clock.ts'

/** What Node's timers can wait for; a longer delay would count as 1 ms, with a warning (Node, setTimeout). */
const delayMsMax = 2 ** 31 - 1

/** The process's own clock and timers. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, act) {
    if (delayMs > delayMsMax) return afterLong(delayMs, act)
    const timer = setTimeout(act, delayMs)
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
  every(periodMs, act) {
    if (periodMs > delayMsMax) return everyLong(periodMs, act)
    const timer = setInterval(act, periodMs)
    timer.unref()
    return { cancel: () => clearInterval(timer) }
  },
  soon: act => void setImmediate(act),
}

/** By steps that Node can wait for. */
function afterLong(delayMs: number, act: () => void): Timer {
  const atMs = performance.now() + delayMs
  const next = (leftMs: number): Timer =>
    realClock.after(Math.min(leftMs, delayMsMax), () => {
      const nowLeftMs = atMs - performance.now()
      if (nowLeftMs > 0) timer = next(nowLeftMs)
      else act()
    })
  let timer = next(delayMs)
  return { cancel: () => timer.cancel() }
}

function everyLong(periodMs: number, act: () => void): Timer {
  const beat = (): void => {
    timer = realClock.after(periodMs, beat)
    act()
  }
  let timer = realClock.after(periodMs, beat)
  return { cancel: () => timer.cancel() }
}
