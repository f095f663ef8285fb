import type { Condition } from '../crd/condition.ts'
import type { StepEvent } from '../plan/step.ts'

/** How a condition's type reads as what the operator did. */
const action = 'Look'

/** Types whose True is the good case. */
const good: ReadonlySet<string> = new Set([
  'Ready',
  'StorageHealthy',
  'MetadataHealthy',
  'ConfigApplied',
])

/**
 * What became of a cluster, as events: a condition that has another status or another reason than before. The first look at
 * a cluster is no news but for what is bad.
 */
export function conditionEvents(
  before: readonly Condition[] | undefined,
  after: readonly Condition[],
): StepEvent[] {
  return after.flatMap(({ type, status, reason, message }) => {
    const former = before?.find(each => each.type === type)
    if (former?.status === status && former.reason === reason) return []
    if (type === 'Degraded' && status === 'True') return [event('Warning', reason, message)]
    if (!good.has(type)) return []
    if (type === 'Ready' && status === 'True') {
      return [event('Normal', reason === 'Serving' ? 'Ready' : reason, message)]
    }
    const isBad = status === 'False' && isTrouble(reason)
    return isBad && former?.reason !== reason ? [event('Warning', reason, message)] : []
  })
}

/** Reasons that a healthy cluster passes through. */
const passing: ReadonlySet<string> = new Set([
  'Applying',
  'ClaimMissing',
  'Creating',
  'Deleting',
  'Frozen',
  'Hibernated',
  'Pending',
  'PodMissing',
  'PodNotReady',
  'RestartPending',
  'Starting',
  'Stopping',
])

function isTrouble(reason: string): boolean {
  return !passing.has(reason)
}

function event(type: StepEvent['type'], reason: string, note: string): StepEvent {
  return { type, reason, action, note }
}
