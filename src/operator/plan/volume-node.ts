import type { PersistentVolume } from '../kubernetes/objects.ts'
import type { Look } from './observed.ts'

/** The one node that a volume lies on; null where it can be reached from several, or nobody knows. */
export function hostOf(volume: Look<PersistentVolume> | undefined): string | null {
  if (volume === undefined || volume === null || volume === 'forbidden') return null
  const terms = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms ?? []
  const hosts = terms.flatMap(({ matchExpressions = [] }) =>
    matchExpressions.flatMap(({ key, operator, values = [] }) =>
      key === 'kubernetes.io/hostname' && operator === 'In' ? values : [],
    ),
  )
  return hosts.length === 1 ? hosts[0]! : null
}
