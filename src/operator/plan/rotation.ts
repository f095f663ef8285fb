import { isAbsenceAccepted } from './absence.ts'
import { named } from './broker-view.ts'
import { brokerLabel, componentLabel } from '../desired/labels.ts'
import type { Overlap } from '../desired/secret.ts'
import type { Observed, SecretSight } from './observed.ts'
import type { Step } from './step.ts'

/** How far the passwords of the private listeners are on their way from one to the next. */
export type Rotation =
  | { readonly kind: 'idle' }
  /** Every broker has the present state of the Secret: the next one may come. */
  | { readonly kind: 'advance'; readonly to: Overlap; readonly rotatedAt: string }
  | { readonly kind: 'wait'; readonly waitsFor: string }

/**
 * One state after another, each only when every broker that there is has told that it has the one before: first the new passwords are
 * taken beside the old ones, then everybody logs in with them, then the old ones are taken no more. So any two states that meet
 * let one another in, and no connection is refused. Without brokers there is nobody to wait for.
 */
export function rotationOf(observed: Observed): Rotation {
  const { secret, cluster } = observed
  const wanted = cluster.spec.passwordsRotatedAt ?? ''
  if (secret === null) return { kind: 'idle' }
  const { overlap, rotatedAt } = secret
  if (overlap === 'None' && (wanted === '' || wanted === rotatedAt)) return { kind: 'idle' }
  const late = lateBroker(observed, secret)
  if (late !== null) return { kind: 'wait', waitsFor: `broker ${late} has not read the Secret yet` }
  const advance = { kind: 'advance', rotatedAt: overlap === 'None' ? wanted : rotatedAt } as const
  switch (overlap) {
    case 'None':
      return { ...advance, to: 'Introduced' }
    case 'Introduced':
      return { ...advance, to: 'Used' }
    case 'Used':
      return { ...advance, to: 'None' }
  }
}

/**
 * Whoever has a pod counts, also one that leaves or does not answer: it may log in any moment. Not one that does not answer and whose absence is
 * accepted: whatever it has now, kubelet brings it the Secret of then before it is back.
 */
function lateBroker(
  { pods, sights, logBrokers }: Observed,
  { revision }: SecretSight,
): string | null {
  for (const { metadata } of pods) {
    const name = metadata.labels?.[brokerLabel]
    if (metadata.labels?.[componentLabel] !== 'broker' || name === undefined) continue
    const sight = sights.get(name)
    if (sight?.kind !== 'seen' && isAbsenceAccepted(named(logBrokers, name))) continue
    const told = sight?.kind === 'seen' ? (sight.status.credentialsRevision ?? '') : null
    if (told !== revision) return name
  }
  return null
}

/** What a state of the Secret means, for logs. */
const because: Readonly<Record<Overlap, string>> = {
  Introduced: 'passwords that are new are to be taken beside those that are used',
  Used: 'every broker takes the new passwords, so that they can be used',
  None: 'every broker uses the new passwords, so that the old ones are needed no more',
}

export function rotationSteps(observed: Observed): Step[] {
  const rotation = rotationOf(observed)
  if (rotation.kind !== 'advance') return []
  const { to, rotatedAt } = rotation
  const isOver = to === 'None'
  return [
    {
      do: 'rotate secret',
      to,
      rotatedAt,
      what: `Secret of ${observed.cluster.metadata.name}`,
      because: because[to],
      // A broker that nobody sees would be locked out, were what is known of the pods old.
      isPermission: true,
      ...(isOver
        ? {
            event: {
              type: 'Normal',
              reason: 'PasswordsRotated',
              action: 'RotatePasswords',
              note: 'Brokers and operator log in to each other with new passwords, and the old ones are taken no more.',
            } as const,
          }
        : {}),
    },
  ]
}
