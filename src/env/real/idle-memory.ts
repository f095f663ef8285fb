import type { Clock } from '../clock.ts'
import { collector } from './collector.ts'
import { residentBytes } from './resident-memory.ts'

const mebibyte = 1024 * 1024
const periodMs = 5000
/** Of the time since the last look that the event loop worked; above it nobody is made to wait for a collection. */
const busyMax = 0.25
/** What it grew by since the last time, for a collection to be worth its pause. */
const grownBytesMin = 16 * mebibyte

/**
 * For addons that bring mimalloc (snappy, LZ4), to be called before they are loaded: what they free goes back to the
 * system at once. By default it waits for a time that never ends where nothing more is allocated.
 */
export function returnAddonsMemory(): void {
  process.env['MIMALLOC_PURGE_DELAY'] ??= '0'
}

/**
 * Gives memory back to the system while there is little to do. V8 keeps the pages of a heap that was large once
 * for good: a single request of a million elements left 180 MiB that held nothing. Only a collection that is
 * told to save memory returns them; it stops the loop for some tens of milliseconds, so it runs when idle.
 */
export function returnMemoryWhenIdle(clock: Pick<Clock, 'every'>): void {
  const collect = collector()
  let keptBytes = residentBytes() ?? Infinity
  /** What the first collection found dead is partly given back after it only: a second one ends the work. */
  let isSecondDue = false
  let before = performance.eventLoopUtilization()
  clock.every(periodMs, () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, before)
    before = now
    const nowBytes = residentBytes()
    // Without a descriptor to ask with there is nothing to decide by: next time.
    if (nowBytes === null) return
    keptBytes = Math.min(keptBytes, nowBytes)
    const hasGrown = nowBytes >= keptBytes + Math.max(grownBytesMin, keptBytes / 16)
    if (utilization > busyMax || !(hasGrown || isSecondDue)) return
    collect()
    isSecondDue = hasGrown
    keptBytes = residentBytes() ?? keptBytes
  })
}
