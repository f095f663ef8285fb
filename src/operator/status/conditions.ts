import type { Condition, ConditionStatus } from '../crd/condition.ts'

/** What one condition says, before it is known since when. */
export interface Finding {
  readonly status: ConditionStatus
  readonly reason: string
  readonly message: string
}

export function yes(reason: string, message: string): Finding {
  return { status: 'True', reason, message }
}

export function no(reason: string, message: string): Finding {
  return { status: 'False', reason, message }
}

export function unknown(reason: string, message: string): Finding {
  return { status: 'Unknown', reason, message }
}

/**
 * Conditions as they are written: a time moves only where the status does, so that what is found again is the same text.
 * `now` is RFC 3339.
 */
export function conditionsFrom<Type extends string>(
  findings: Readonly<Record<Type, Finding>>,
  before: readonly Condition<Type>[] | undefined,
  { generation, now }: { readonly generation: number; readonly now: string },
): Condition<Type>[] {
  return (Object.entries(findings) as [Type, Finding][]).map(([type, finding]) => {
    const former = before?.find(each => each.type === type)
    const isSame = former?.status === finding.status
    return {
      type,
      status: finding.status,
      observedGeneration: generation,
      lastTransitionTime: isSame ? former.lastTransitionTime : now,
      reason: finding.reason,
      message: finding.message,
    }
  })
}

/** What was found of `type` the last time; undefined where nobody has looked. */
export function formerly<Type extends string>(
  before: readonly Condition<Type>[] | undefined,
  type: Type,
): Condition<Type> | undefined {
  return before?.find(each => each.type === type)
}
