import { SimCrash } from '../../sim/disk-faults.ts'
import { realClock } from '../../src/env/real/clock.ts'

/** So many turns come between two of the event loop, which tells what nobody caught, and costs some system calls. */
const loopEvery = 16

/**
 * For one world: lets every promise go on as far as it can. Node runs what `nextTick` was given when no microtask is left; what waits
 * for anything else has no place in a world.
 */
export function newTurn(): () => Promise<void> {
  let count = 0
  return () =>
    new Promise(resolve => {
      if (++count % loopEvery === 0) realClock.soon(resolve)
      else process.nextTick(resolve)
    })
}

/** A dead process's promises end in a SimCrash that nobody awaits; everything else that nobody catches is told. */
export function onUnhandled(told: (error: unknown) => void): () => void {
  const listener = (error: unknown): void => {
    if (!(error instanceof SimCrash)) told(error)
  }
  process.on('unhandledRejection', listener)
  return () => void process.off('unhandledRejection', listener)
}
