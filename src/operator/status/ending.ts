import { deletionWait } from '../plan/deletion.ts'
import type { Observed } from '../plan/observed.ts'
import { no, unknown, yes, type Finding } from './conditions.ts'

const reason = 'Deleting'
const message = 'The cluster is being deleted.'

/**
 * What is said of a cluster that is being deleted, and of its brokers: that what belongs to them is gone, or goes, is as it should be, and
 * nobody is to give it back.
 */
export const ending = {
  notReady: no(reason, message),
  notAsked: unknown(reason, message),
  /** Its deletion waits for nobody's wish. */
  notPaused: no(reason, message),
} as const

export function endingProgress(observed: Observed): Finding {
  const wait = deletionWait(observed)
  return yes(
    reason,
    wait === null ? message : `The cluster is being deleted, and waits for ${wait}`,
  )
}
