import { SimCrash } from '../../sim/disk-faults.ts'
import { realClock } from '../../src/env/real/clock.ts'

/** Lets every promise go on as far as it can. */
export function turn(): Promise<void> {
  return new Promise(resolve => realClock.soon(resolve))
}

/** A dead process's promises end in a SimCrash that nobody awaits; everything else that nobody catches is told. */
export function onUnhandled(told: (error: unknown) => void): () => void {
  const listener = (error: unknown): void => {
    if (!(error instanceof SimCrash)) told(error)
  }
  process.on('unhandledRejection', listener)
  return () => void process.off('unhandledRejection', listener)
}
