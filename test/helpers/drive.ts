import type { SimClock } from '../../sim/clock.ts'

/** Turns the clock until `work` is done. */
export async function drive<T>(clock: SimClock, work: Promise<T>): Promise<T> {
  let isDone = false
  const done = () => {
    isDone = true
  }
  work.then(done, done)
  for (let turn = 0; turn < 100_000; turn++) {
    await clock.settle()
    if (isDone) return work
    await clock.run(1)
  }
  throw new Error('nothing moves any more: the work will never be done')
}

/** For work whose end nobody waits for. */
export function quietly(work: Promise<unknown>): void {
  work.catch(() => {})
}
